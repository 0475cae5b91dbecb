/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "sys/syscalls.h"

struct backend {
	const char *name;
	int (*create)(int ve_fd, int image_fd, ve_error **ret_error);
	const char *writable; /* below the VE's directory */
};

static int overlay_create(int ve_fd, int image_fd, ve_error **ret_error)
{
	(void)image_fd;
	if (mkdirat(ve_fd, "overlay", 0755) < 0 || mkdirat(ve_fd, "overlay/upper", 0755) < 0 ||
	    mkdirat(ve_fd, "overlay/work", 0755) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make the overlay's directories");
	return 0;
}

/* cp(1) knows reflinks, sparse files, hard links, extended attributes and devices; its source and target are
 * descriptors of ours, so no path of a tenant's is involved. */
static int dir_create(int ve_fd, int image_fd, ve_error **ret_error)
{
	if (mkdirat(ve_fd, "rootfs", 0755) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make the root directory");
	_cleanup_close_ int to = file_opendir(ve_fd, "rootfs");
	char source[48], target[48];
	snprintf(source, sizeof(source), "/proc/self/fd/3/.");
	snprintf(target, sizeof(target), "/proc/self/fd/4");
	char *argv[] = { (char *)"cp", (char *)"-a", (char *)"--reflink=auto", (char *)"--", source, target, NULL };
	char *env[] = { (char *)"PATH=/usr/bin:/bin", (char *)"LC_ALL=C", NULL };
	/* Above their future names first, so that neither dup2 overwrites the other's source. */
	_cleanup_close_ int a = fcntl(image_fd, F_DUPFD_CLOEXEC, 10), b = fcntl(to, F_DUPFD_CLOEXEC, 10);
	posix_spawn_file_actions_t actions;
	if (a < 0 || b < 0 || posix_spawn_file_actions_init(&actions) != 0)
		return err_nomem(ret_error);
	posix_spawn_file_actions_adddup2(&actions, a, 3);
	posix_spawn_file_actions_adddup2(&actions, b, 4);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	posix_spawn_file_actions_adddup2(&actions, 0, 2);
	pid_t pid;
	int status, e = posix_spawnp(&pid, "cp", &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	if (e)
		return err_sys(ret_error, e, "storage", "cannot run cp to copy the image");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 0;
	struct statvfs st;
	bool full = fstatvfs(ve_fd, &st) == 0 && st.f_bavail < 1024;
	return err_plain(ret_error, full ? VE_ERR_NO_ROOM : VE_ERR_KERNEL, full ? ENOSPC : EIO, "storage",
			 "cannot copy the image's tree%s", full ? ": the file system is full" : "");
}

static const struct backend backends[STORAGE_KIND_COUNT] = {
	[STORAGE_OVERLAY] = { "overlay", overlay_create, "overlay" },
	[STORAGE_DIR] = { "dir", dir_create, "rootfs" },
};

int storage_kind(const char *name, enum storage_kind *ret_kind, ve_error **ret_error)
{
	for (int k = 0; k < STORAGE_KIND_COUNT; k++) {
		if (!str_eq(backends[k].name, name))
			continue;
		*ret_kind = (enum storage_kind)k;
		return 0;
	}
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOSYS, "storage",
			 "the storage back end '%s' is not built in this version", name);
}

static int bind_onto_itself(const char *path)
{
	_cleanup_close_ int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
	    move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int storage_protect(const char *path, ve_error **ret_error)
{
	struct statvfs st;
	int r = 0;
	if (statvfs(path, &st) < 0) {
		r = file_mkdirs(AT_FDCWD, path, 0755);
		if (r == 0 && statvfs(path, &st) < 0)
			r = -errno;
	}
	if (r == 0 && !(st.f_flag & ST_NOSUID && st.f_flag & ST_NODEV))
		r = bind_onto_itself(path);
	return r < 0 ? err_sys(ret_error, -r, "store", "cannot make '%s' a nosuid, nodev mount", path) : 0;
}

int storage_create(enum storage_kind kind, int ve_fd, int image_fd, ve_error **ret_error)
{
	int r = backends[kind].create(ve_fd, image_fd, ret_error);
	if (r < 0)
		file_remove_tree(ve_fd, backends[kind].writable);
	return r;
}

int storage_open(enum storage_kind kind, int ve_fd, int image_fd, struct storage *ret_storage, ve_error **ret_error)
{
	_cleanup_close_ int image = image_fd;
	_cleanup_close_ int writable = openat(ve_fd, backends[kind].writable, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (writable < 0)
		return err_make(ret_error, VE_ERR_DATA, errno, "storage", "cannot open the VE's storage '%s'",
				backends[kind].writable);
	*ret_storage = (struct storage){
		.kind = kind,
		.image_fd = kind == STORAGE_OVERLAY ? steal_fd(&image) : -1,
		.writable_fd = steal_fd(&writable),
	};
	return 0;
}

void storage_close(struct storage *s)
{
	close_fd(&s->image_fd);
	close_fd(&s->writable_fd);
}

const char *storage_fs_name(int dir_fd)
{
	static const struct {
		long magic;
		const char *name;
	} known[] = {
		{ EXT4_SUPER_MAGIC, "ext4" }, { XFS_SUPER_MAGIC, "xfs" }, { BTRFS_SUPER_MAGIC, "btrfs" },
		{ TMPFS_MAGIC, "tmpfs" }, { OVERLAYFS_SUPER_MAGIC, "overlayfs" }, { NFS_SUPER_MAGIC, "nfs" },
		{ FUSE_SUPER_MAGIC, "fuse" }, { 0x2fc12fc1, "zfs" }, { F2FS_SUPER_MAGIC, "f2fs" },
	};
	struct statfs st;
	for (size_t i = 0; fstatfs(dir_fd, &st) == 0 && i < ARRAY_SIZE(known); i++)
		if (known[i].magic == (long)st.f_type)
			return known[i].name;
	return "this file system";
}
