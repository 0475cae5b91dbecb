/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/extimage.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "fs/backend.h"
#include "fs/foreign.h"
#include "fs/holder.h"
#include "fs/loop.h"
#include "fs/tool.h"
#include "sys/privilege.h"
#include "sys/syscalls.h"

#define RESIZE_FS _IOW('f', 16, uint64_t) /* EXT4_IOC_RESIZE_FS: the kernel exports no header for it */
#define MIB (UINT64_C(1) << 20)

enum { BLOCK = 4096, SUPER_AT = 1024, SUPER_SIZE = 1024, FSCK_MENDED = 1, FREED_MIB = 64 };
enum { SMALL_MIB = 512, SMALL_RATIO = 4096, RATIO = 16384 }; /* bytes for which there is an inode */

/* ---- the superblock, as far as we look: Documentation/filesystems/ext4 ---- */

struct super {
	uint64_t blocks, free_blocks;
	uint32_t inodes, free_inodes;
	uint64_t journal_bytes; /* while it has to be replayed, else 0 */
	bool clean;
	bool quotas; /* of users and groups, in files that the file system hides */
};

static uint32_t le32_at(const unsigned char *p, size_t at)
{
	uint32_t v;
	memcpy(&v, p + at, sizeof(v));
	return le32toh(v);
}

static int damaged(const char *name, const char *why, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_DATA, EUCLEAN, "storage", "the VE's file system in '%s' is damaged: %s", name, why);
	err_hint(ret_error, "take a copy of the file, then let e2fsck -f mend it");
	return r;
}

static int read_super(int file_fd, const char *name, struct super *ret, ve_error **ret_error)
{
	enum { MAGIC = 0xef53, VALID = 1, HAS_ERRORS = 2, NEEDS_RECOVERY = 4, LOG_BLOCK_4K = 2, QUOTA = 0x100 };
	unsigned char s[SUPER_SIZE];
	struct stat st;
	if (fstat(file_fd, &st) < 0)
		return err_sys(ret_error, errno, "storage", "cannot look at '%s'", name);
	if (pread(file_fd, s, sizeof(s), SUPER_AT) != (ssize_t)sizeof(s))
		return damaged(name, "it is too short", ret_error);
	unsigned magic_state = le32_at(s, 56), state = magic_state >> 16;
	if ((magic_state & 0xffff) != MAGIC || le32_at(s, 24) != LOG_BLOCK_4K)
		return damaged(name, "there is no ext4 in it", ret_error);
	bool replay = le32_at(s, 96) & NEEDS_RECOVERY;
	*ret = (struct super){
		.blocks = (uint64_t)le32_at(s, 0x150) << 32 | le32_at(s, 4),
		.free_blocks = (uint64_t)le32_at(s, 0x158) << 32 | le32_at(s, 12),
		.inodes = le32_at(s, 0),
		.free_inodes = le32_at(s, 16),
		/* s_jnl_blocks: the last two are the upper and the lower half of its inode's size. */
		.journal_bytes = replay ? (uint64_t)le32_at(s, 0x148) << 32 | le32_at(s, 0x14c) : 0,
		.clean = state & VALID && !(state & HAS_ERRORS) && !replay,
		.quotas = le32_at(s, 100) & QUOTA,
	};
	if (ret->blocks > (uint64_t)st.st_size / BLOCK)
		return damaged(name, "the file is shorter than the file system", ret_error);
	return 0;
}

/* ---- the file ---- */

bool extimage_exists(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_file(int dir_fd, const char *name, int *ret_fd, uint64_t *ret_bytes, ve_error **ret_error)
{
	struct stat st;
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_make(ret_error, VE_ERR_DATA, errno, "storage", "cannot open the VE's file system '%s'", name);
	if (!S_ISREG(st.st_mode))
		return damaged(name, "it is no file", ret_error);
	*ret_fd = steal_fd(&fd);
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

static uint64_t whole_blocks(uint64_t bytes)
{
	return bytes / BLOCK * BLOCK;
}

static int make_file_system(int file_fd, const struct storage_size *size, ve_error **ret_error)
{
	char inodes[32];
	if (size->inodes)
		snprintf(inodes, sizeof(inodes), "-N%llu", (unsigned long long)size->inodes);
	else
		snprintf(inodes, sizeof(inodes), "-i%d", size->bytes < SMALL_MIB * MIB ? SMALL_RATIO : RATIO);
	/* Features by name, so that they are the same wherever it is made. No block is kept for root: whoever pays has the whole.
	 * A new sparse file is zeroes, so nothing is written, now or later by a thread of the kernel. */
	const char *const argv[] = { "mke2fs", "-q", "-F", "-b", "4096", "-I", "256", "-m", "0", inodes, "-O",
				     "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,"
				     "large_file,huge_file,dir_nlink,extra_isize,metadata_csum",
				     "-E", "assume_storage_prezeroed=1,root_owner=0:0", "-e", "remount-ro", "/proc/self/fd/3", NULL };
	const struct tool mke2fs = { .argv = argv, .package = "e2fsprogs", .fds = { file_fd }, .n_fds = 1 };
	char words[TOOL_WORDS_MAX];
	int status, r = tool_run(&mke2fs, &status, words, ret_error);
	if (r == 0 && status != 0)
		r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "storage", "cannot make a file system of %llu MiB: %s",
			      (unsigned long long)(size->bytes / MIB), words);
	return r;
}

int extimage_make(int dir_fd, const char *name, const struct storage_size *size, ve_error **ret_error)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(ret_error, errno, "storage", "cannot make '%s'", name);
	int r = ftruncate(fd, (off_t)whole_blocks(size->bytes)) < 0 ?
			err_sys(ret_error, errno, "storage", "cannot make '%s' of %llu MiB", name,
				(unsigned long long)(size->bytes / MIB)) :
			make_file_system(fd, size, ret_error);
	if (r < 0)
		unlinkat(dir_fd, name, 0);
	return r;
}

/* ---- mending ---- */

static int run_fsck(int file_fd, const char *name, const char *how, ve_error **ret_error)
{
	const char *const argv[] = { "e2fsck", how, "/proc/self/fd/3", NULL };
	const struct tool fsck = { .argv = argv, .package = "e2fsprogs", .fds = { file_fd }, .n_fds = 1 };
	char words[TOOL_WORDS_MAX];
	int status, r = tool_run(&fsck, &status, words, ret_error);
	if (r == 0 && status > FSCK_MENDED)
		r = damaged(name, words, ret_error);
	return r;
}

/* A journal that is replayed writes blocks which the file may not have yet. Where the host has no room for them e2fsck would throw
 * the journal away with half of it written, and with it what had been promised to who called fsync: so it waits. */
static int check_room(int file_fd, const char *name, const struct super *s, ve_error **ret_error)
{
	struct stat st;
	struct statfs fs;
	if (fstat(file_fd, &st) < 0 || fstatfs(file_fd, &fs) < 0)
		return err_sys(ret_error, errno, "storage", "cannot look at '%s'", name);
	uint64_t has = (uint64_t)st.st_blocks * 512, holes = (uint64_t)st.st_size > has ? (uint64_t)st.st_size - has : 0,
		 need = s->journal_bytes < holes ? s->journal_bytes : holes, room = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	if (need <= room)
		return 0;
	int r = err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "storage",
			  "the VE's file system in '%s' was not left in order, and the host's, on which it lies, is too full to mend it", name);
	err_hint(ret_error, "nothing is lost: make %llu MiB of room there, and start it again", (unsigned long long)(need / MIB + 1));
	return r;
}

/* What a crash of the host left is brought in order; what cannot be is not started. */
static int check(int file_fd, const char *name, bool *ret_mended, ve_error **ret_error)
{
	struct super s;
	int r = read_super(file_fd, name, &s, ret_error);
	if (r < 0 || s.clean)
		return r;
	*ret_mended = true;
	r = check_room(file_fd, name, &s, ret_error);
	return r == 0 ? run_fsck(file_fd, name, "-p", ret_error) : r;
}

/* ---- another size, while nobody has it ---- */

static int copy_file(int from_fd, int to_fd, const char *name, const struct storage_watch *watch, ve_error **ret_error)
{
	const char *const argv[] = { "cp", "--sparse=always", "--reflink=auto", "/proc/self/fd/3", "/proc/self/fd/4", NULL };
	const struct tool cp = { .argv = argv, .package = "coreutils", .fds = { from_fd, to_fd }, .n_fds = 2, .watch = watch };
	char words[TOOL_WORDS_MAX];
	int status, r = tool_run(&cp, &status, words, ret_error);
	if (r == 0 && status != 0)
		r = err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "storage", "cannot copy '%s': %s", name, words);
	return r;
}

int extimage_clone(int from_fd, int dir_fd, const char *name, const struct storage_watch *watch, ve_error **ret_error)
{
	_cleanup_close_ int from = -1;
	uint64_t bytes;
	int r = open_file(from_fd, name, &from, &bytes, ret_error);
	if (r == 0)
		r = loop_await_end(from, "the VE's file system", ret_error);
	if (r < 0)
		return r;
	_cleanup_close_ int to = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return err_sys(ret_error, errno, "storage", "cannot make '%s'", name);
	return copy_file(from, to, name, watch, ret_error);
}

/* BYTES may be more or less than it has. */
static int run_resize(int file_fd, const char *name, uint64_t have, uint64_t bytes, ve_error **ret_error)
{
	char blocks[32], words[TOOL_WORDS_MAX];
	snprintf(blocks, sizeof(blocks), "%llu", (unsigned long long)(bytes / BLOCK));
	const char *const argv[] = { "resize2fs", "/proc/self/fd/3", blocks, NULL };
	const struct tool resize = { .argv = argv, .package = "e2fsprogs", .fds = { file_fd }, .n_fds = 1 };
	if (bytes > have && ftruncate(file_fd, (off_t)bytes) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make '%s' longer", name);
	int status, r = tool_run(&resize, &status, words, ret_error);
	if (r == 0 && status != 0)
		r = err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "storage", "cannot bring '%s' to %llu MiB: %s", name,
			      (unsigned long long)(bytes / MIB), words);
	if (r == 0 && (ftruncate(file_fd, (off_t)bytes) < 0 || fsync(file_fd) < 0))
		r = err_sys(ret_error, errno, "storage", "cannot bring '%s' to its length", name);
	return r;
}

static int check_fits(int file_fd, const char *name, uint64_t bytes, ve_error **ret_error)
{
	struct super s;
	int r = read_super(file_fd, name, &s, ret_error);
	return r < 0 ? r : backend_check_fits((s.blocks - s.free_blocks) * BLOCK, bytes, ret_error);
}

static int rewrite(int dir_fd, const char *name, int file_fd, uint64_t have, uint64_t bytes, ve_error **ret_error)
{
	_cleanup_free_ char *temporary = str_printf("%s.new", name);
	int r = temporary ? check_fits(file_fd, name, bytes, ret_error) : err_nomem(ret_error);
	if (r < 0)
		return r;
	unlinkat(dir_fd, temporary, 0); /* of a verb that was killed */
	_cleanup_close_ int fd = openat(dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(ret_error, errno, "storage", "cannot make '%s'", temporary);
	r = copy_file(file_fd, fd, name, NULL, ret_error);
	if (r == 0)
		r = run_fsck(fd, name, "-fp", ret_error);
	if (r == 0)
		r = run_resize(fd, name, have, bytes, ret_error);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = err_sys(ret_error, errno, "storage", "cannot replace '%s'", name);
	if (r < 0)
		unlinkat(dir_fd, temporary, 0);
	return r;
}

/* ---- quotas of users and groups ---- */

/* Switched on, every file's owner is looked up, and what each has is counted; switched off, the limits go. */
static int switch_quotas(int file_fd, const char *name, bool on, ve_error **ret_error)
{
	const char *const argv[] = { "tune2fs", "-O", on ? "quota" : "^quota", "/proc/self/fd/3", NULL };
	const struct tool tune2fs = { .argv = argv, .package = "e2fsprogs", .fds = { file_fd }, .n_fds = 1 };
	char words[TOOL_WORDS_MAX];
	int status, r = tool_run(&tune2fs, &status, words, ret_error);
	if (r == 0 && status != 0)
		r = err_plain(ret_error, on ? VE_ERR_NO_ROOM : VE_ERR_DATA, EIO, "storage", "cannot switch the quotas in '%s' %s: %s", name,
			      on ? "on" : "off", words);
	return r;
}

/* ---- mounting ---- */

/* With quotas the kernel counts in any case; that it also holds the limits, it has to be told. */
static int set_options(int fs, const char *source, bool quotas)
{
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return -1;
	if (quotas && (fsconfig(fs, FSCONFIG_SET_FLAG, "usrquota", NULL, 0) < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, "grpquota", NULL, 0) < 0))
		return -1;
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

enum { WORDS_MAX = 160 };

/* 0, or -errno with the kernel's own words, where it has some. */
static int try_mount(const struct loop *l, bool quotas, int *ret_mount_fd, char words[WORDS_MAX])
{
	char source[LOOP_NAME_SIZE];
	words[0] = '\0';
	snprintf(source, sizeof(source), "/dev/loop%u", l->number);
	_cleanup_close_ int fs = fsopen("ext4", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (set_options(fs, source, quotas) < 0) {
		int e = errno;
		ssize_t n = read(fs, words, WORDS_MAX - 1);
		words[n > 0 ? n : 0] = '\0';
		return -e;
	}
	*ret_mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return *ret_mount_fd < 0 ? -errno : 0;
}

int extimage_check_quotas(ve_error **ret_error)
{
	const struct storage_size size = { .bytes = 16 * MIB };
	char words[WORDS_MAX];
	struct loop l = { .fd = -1 };
	_cleanup_close_ int file_fd = memfd_create("vectl-quotas", MFD_CLOEXEC), mnt = -1;
	if (file_fd < 0 || ftruncate(file_fd, (off_t)size.bytes) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make a file in memory");
	int r = make_file_system(file_fd, &size, ret_error);
	if (r == 0)
		r = switch_quotas(file_fd, "a file system in memory", true, ret_error);
	if (r == 0)
		r = loop_attach(file_fd, &l, ret_error);
	if (r < 0)
		return r;
	_cleanup_close_ int device = l.fd;
	r = try_mount(&l, true, &mnt, words);
	if (r == 0)
		return 0;
	r = err_plain(ret_error, VE_ERR_UNSUPPORTED, -r, "storage",
		      "disk.user_quota: the kernel mounts no ext4 that keeps quotas of users and groups");
	err_hint(ret_error, "load the module quota_v2, or use a kernel with CONFIG_QFMT_V2");
	return r;
}

static int mount_device(const struct loop *l, const char *name, bool quotas, int *ret_mount_fd, ve_error **ret_error)
{
	char words[WORDS_MAX];
	int r = try_mount(l, quotas, ret_mount_fd, words);
	if (r == 0)
		return 0;
	/* A kernel without quotas says no more than for one that is damaged. */
	int unkept = quotas ? extimage_check_quotas(ret_error) : 0;
	if (unkept < 0)
		return unkept;
	if (r == -EUCLEAN || r == -EINVAL)
		return damaged(name, *words ? words : "it cannot be mounted", ret_error);
	return err_sys(ret_error, -r, "storage", "cannot mount '%s'", name);
}

/* Does the host still keep what has been freed inside? A running VE's monitor gives that back (run/monitor/trim.c); this is of what was
 * freed at its end. */
static bool keeps_freed(int file_fd, int mount_fd)
{
	struct stat st;
	struct statfs fs;
	if (fstat(file_fd, &st) < 0 || fstatfs(mount_fd, &fs) < 0)
		return false;
	uint64_t blocks = (uint64_t)st.st_size / BLOCK, held = (uint64_t)st.st_blocks * 512 / BLOCK;
	return held > blocks - fs.f_bfree && held - (blocks - fs.f_bfree) > FREED_MIB * MIB / BLOCK;
}

static void trim(int mount_fd)
{
	struct fstrim_range all = { .len = UINT64_MAX };
	_cleanup_close_ int root = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		ioctl(root, FITRIM, &all);
}

/* A device that was there may not know yet that the file has become longer. A last group too short for its own tables is
 * left out by the kernel, so that asking once more is no error. */
static int grow_mounted(int mount_fd, const struct loop *l, uint64_t bytes, const char *name, ve_error **ret_error)
{
	uint64_t blocks = bytes / BLOCK;
	_cleanup_close_ int root = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || ioctl(l->fd, LOOP_SET_CAPACITY) < 0 || ioctl(root, RESIZE_FS, &blocks) < 0)
		return err_sys(ret_error, errno, "storage", "cannot let the file system in '%s' grow to %llu MiB", name,
			       (unsigned long long)(bytes / MIB));
	return 0;
}

/* Only the kernel's own growing is journalled, and can be done while it is mounted. Where we may not ask for it the file is
 * rewritten. */
static bool kernel_grows(void)
{
	return privilege_held(PRIVILEGE_RESOURCE);
}

/* What is still to be done when it is mounted. */
struct after {
	bool grows, was_mended;
};

/* Nobody has it: it is checked, brought to its length, and put behind a device. */
static int attach_new(int dir_fd, const char *name, const struct storage_size *size, int *file_fd, uint64_t have, struct after *after,
		      struct loop *ret_loop, ve_error **ret_error)
{
	struct super s;
	uint64_t bytes = whole_blocks(size->bytes);
	int r = check(*file_fd, name, &after->was_mended, ret_error);
	if (r == 0 && (have > bytes || (have < bytes && !kernel_grows()))) {
		r = rewrite(dir_fd, name, *file_fd, have, bytes, ret_error);
		close_fd(file_fd);
		if (r == 0)
			r = open_file(dir_fd, name, file_fd, &have, ret_error);
	}
	if (r == 0)
		r = read_super(*file_fd, name, &s, ret_error);
	if (r == 0 && have < bytes && ftruncate(*file_fd, (off_t)bytes) < 0)
		r = err_sys(ret_error, errno, "storage", "cannot make '%s' longer", name);
	if (r == 0 && s.quotas != size->user_quotas)
		r = switch_quotas(*file_fd, name, size->user_quotas, ret_error);
	if (r < 0)
		return r;
	after->grows = s.blocks < bytes / BLOCK && kernel_grows();
	return loop_attach(*file_fd, ret_loop, ret_error);
}

/* Mounted already, by a VE that runs or whose last process has just gone: the same device, so that there is one file system. */
static int attach_again(int file_fd, const char *name, uint64_t have, uint64_t bytes, struct after *after, ve_error **ret_error)
{
	after->grows = have < bytes;
	if (after->grows && ftruncate(file_fd, (off_t)bytes) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make '%s' longer", name);
	return 0;
}

int extimage_mount(int dir_fd, const char *name, const struct storage_size *size, int *ret_mount_fd, ve_error **ret_error)
{
	_cleanup_close_ int file_fd = -1;
	uint64_t have, bytes = whole_blocks(size->bytes);
	struct super s;
	struct after after = { 0 };
	struct loop l = { .fd = -1 };
	int r = open_file(dir_fd, name, &file_fd, &have, ret_error);
	if (r == 0)
		r = read_super(file_fd, name, &s, ret_error);
	if (r < 0)
		return r;
	/* What only a rewriting brings to its size, or what has other features, waits for the mount's end. */
	bool again = (have == bytes || (have < bytes && kernel_grows())) && s.quotas == size->user_quotas;
	if (again && loop_in_use(file_fd) > 0 && loop_find(file_fd, &l) == 0)
		r = attach_again(file_fd, name, have, bytes, &after, ret_error);
	else if ((r = loop_await_end(file_fd, "the VE's file system", ret_error)) == 0)
		r = attach_new(dir_fd, name, size, &file_fd, have, &after, &l, ret_error);
	_cleanup_close_ int device = l.fd, mnt = -1;
	if (r == 0)
		r = mount_device(&l, name, size->user_quotas, &mnt, ret_error);
	/* What was written but never came to belong to a file is free inside, too. */
	if (r == 0 && (after.was_mended || keeps_freed(file_fd, mnt)))
		trim(mnt);
	if (r == 0 && after.grows)
		r = grow_mounted(mnt, &l, bytes, name, ret_error);
	if (r == 0)
		*ret_mount_fd = steal_fd(&mnt);
	return r;
}

int extimage_resize(int dir_fd, const char *name, const struct storage_size *from, const struct storage_size *to, bool online,
		    ve_error **ret_error)
{
	_cleanup_close_ int file_fd = -1;
	uint64_t have, bytes = to->bytes;
	struct storage_size now = *to;
	struct super s;
	if (!bytes || from->inodes != to->inodes)
		return err_plain(ret_error, VE_ERR_STATE, EINVAL, "storage", "%s of a file system of its own is fixed when it is made",
				 bytes ? "disk.inodes" : "that it has a disk.size");
	int r = open_file(dir_fd, name, &file_fd, &have, ret_error);
	if (r < 0 || whole_blocks(bytes) == have)
		return r;
	if (whole_blocks(bytes) < have && online) {
		r = err_plain(ret_error, VE_ERR_STATE, EBUSY, "storage", "a file system can be made smaller only while the VE is stopped");
		err_hint(ret_error, "stop it first, or --pending shrinks it at the next start");
		return r;
	}
	if (online && !kernel_grows())
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, EPERM, "storage",
				 "this process lacks CAP_SYS_RESOURCE, without which a file system grows only while the VE is stopped");
	if (online && (r = read_super(file_fd, name, &s, ret_error)) == 0)
		now.user_quotas = s.quotas; /* they come or go at the next start */
	close_fd(&file_fd);
	/* Being mounted brings it there, whichever way. */
	_cleanup_close_ int mnt = -1;
	return r < 0 ? r : extimage_mount(dir_fd, name, &now, &mnt, ret_error);
}

/* ---- from elsewhere ---- */

int extimage_inspect(int dir_fd, const char *name, const struct storage_size *size, ve_error **ret_error)
{
	_cleanup_close_ int file_fd = -1, mnt = -1;
	struct super s;
	uint64_t have, used = 0;
	int r = open_file(dir_fd, name, &file_fd, &have, ret_error);
	if (r == 0)
		r = read_super(file_fd, name, &s, ret_error);
	if (r == 0 && have > whole_blocks(size->bytes))
		r = err_plain(ret_error, VE_ERR_DATA, EFBIG, "storage", "'%s' has %llu MiB, and may have %llu MiB", name,
			      (unsigned long long)(have / MIB), (unsigned long long)(size->bytes / MIB));
	if (r == 0)
		r = run_fsck(file_fd, name, "-fp", ret_error);
	close_fd(&file_fd);
	if (r == 0)
		r = extimage_mount(dir_fd, name, size, &mnt, ret_error);
	return r < 0 ? r : foreign_check(mnt, ".", &used, ret_error);
}

/* ---- usage ---- */

/* 1, 0 where it is not mounted, or an error. */
static int mount_again(int file_fd, const char *name, int *ret_mount_fd, ve_error **ret_error)
{
	struct loop l = { .fd = -1 };
	if (loop_in_use(file_fd) <= 0 || loop_find(file_fd, &l) < 0)
		return 0;
	_cleanup_close_ int device = l.fd;
	int r = mount_device(&l, name, false, ret_mount_fd, ret_error); /* as it is: there is one file system */
	return r < 0 ? r : 1;
}

int extimage_look(int dir_fd, const char *name, int *ret_mount_fd, ve_error **ret_error)
{
	_cleanup_close_ int file_fd = -1;
	uint64_t have;
	int r = open_file(dir_fd, name, &file_fd, &have, ret_error);
	if (r == 0)
		r = mount_again(file_fd, name, ret_mount_fd, ret_error);
	return r == 0 ? err_plain(ret_error, VE_ERR_STATE, ENODEV, "storage", "'%s' is not mounted", name) : r < 0 ? r : 0;
}

int extimage_mount_again(int mount_fd)
{
	struct loop l = { .fd = -1 };
	int mnt = -1, r = loop_number(mount_fd, &l.number);
	if (r == 0)
		r = mount_device(&l, "", false, &mnt, NULL); /* a name for messages, of which there are none */
	return r < 0 ? r : mnt;
}

/* 1: RET_ST is of what is mounted, by the hand of HOLDER; 0: nobody has it; -ENOENT: somebody has it, and cannot be asked. */
static int look_by(pid_t holder, int file_fd, struct statfs *ret_st)
{
	enum { END_MS = 500 }; /* a mount goes a little after the last process that had it */
	struct loop l = { .fd = -1 };
	if (loop_in_use(file_fd) <= 0)
		return 0;
	if (holder == 0) {
		bool mounted = !loop_await_end_for(file_fd, END_MS) && loop_find(file_fd, &l) == 0;
		close_fd(&l.fd);
		return mounted ? -ENOENT : 0;
	}
	_cleanup_close_ int fd = holder_open(holder, file_fd);
	return fd >= 0 && fstatfs(fd, ret_st) == 0 ? 1 : -ENOENT;
}

int extimage_usage(int dir_fd, const char *name, pid_t holder, struct storage_usage *ret_usage, ve_error **ret_error)
{
	_cleanup_close_ int file_fd = -1;
	uint64_t have;
	struct super s = { 0 };
	struct statfs st;
	int r = open_file(dir_fd, name, &file_fd, &have, ret_error);
	if (r < 0)
		return r;
	*ret_usage = (struct storage_usage){ -1, (int64_t)have, -1, -1 };
	int looked = look_by(holder, file_fd, &st);
	if (looked < 0)
		return 0;
	if (looked > 0) {
		s.free_blocks = st.f_bfree;
		s.inodes = (uint32_t)st.f_files;
		s.free_inodes = (uint32_t)st.f_ffree;
	} else if ((r = read_super(file_fd, name, &s, ret_error)) < 0) {
		return r;
	}
	uint64_t unused = s.free_blocks * BLOCK;
	ret_usage->used_bytes = (int64_t)(have > unused ? have - unused : 0);
	ret_usage->used_inodes = (int64_t)s.inodes - s.free_inodes;
	ret_usage->inodes = (int64_t)s.inodes;
	return 0;
}
