/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "fs/backend.h"
#include "fs/extimage.h"
#include "fs/foreign.h"
#include "sys/syscalls.h"

static const struct backend *const backends[STORAGE_KIND_COUNT] = {
	[STORAGE_OVERLAY] = &backend_overlay,
	[STORAGE_DIR] = &backend_dir,
	[STORAGE_BTRFS] = &backend_btrfs,
	[STORAGE_IMAGE] = &backend_image,
};

int storage_kind(const char *name, enum storage_kind *ret_kind, ve_error **ret_error)
{
	for (int k = 0; k < STORAGE_KIND_COUNT; k++) {
		if (!str_eq(backends[k]->name, name))
			continue;
		*ret_kind = (enum storage_kind)k;
		return 0;
	}
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOSYS, "storage",
			 "the storage back end '%s' is not built in this version", name);
}

bool storage_copies(enum storage_kind kind)
{
	return backends[kind]->copies;
}

bool storage_has_user_quotas(enum storage_kind kind)
{
	return backends[kind]->user_quotas;
}

int storage_check_user_quotas(ve_error **ret_error)
{
	return extimage_check_quotas(ret_error);
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

static int undone(const struct backend *b, int ve_fd, int r)
{
	if (r == 0)
		return 0;
	storage_destroy(ve_fd, NULL);
	for (const char *const *name = b->remains; *name; name++)
		file_remove_tree(ve_fd, *name);
	return r;
}

int storage_prepare(enum storage_kind kind, int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error)
{
	const struct backend *b = backends[kind];
	return undone(b, ve_fd, b->prepare(ve_fd, image_fd, size, ret_error));
}

int storage_clone(enum storage_kind kind, int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch,
		  ve_error **ret_error)
{
	const struct backend *b = backends[kind];
	struct storage_watch told = *watch;
	struct storage_usage from;
	int r = b->usage(from_fd, 0, &from, ret_error);
	if (r < 0)
		return r;
	told.total = from.used_bytes > 0 ? (uint64_t)from.used_bytes : 0;
	/* Asked before: a project quota does not hold who copies with CAP_SYS_RESOURCE. */
	r = backend_check_fits(told.total, size->bytes, ret_error);
	return r < 0 ? r : undone(b, ve_fd, b->clone(from_fd, ve_fd, size, &told, ret_error));
}

int storage_adopt(enum storage_kind kind, int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch,
		  ve_error **ret_error)
{
	const struct backend *b = backends[kind];
	struct storage_watch told = *watch;
	int r = 0;
	told.total = 0;
	for (const char *const *name = b->remains; r == 0 && *name; name++)
		r = foreign_check(from_fd, *name, &told.total, ret_error);
	if (r == 0)
		r = backend_check_fits(told.total, size->bytes, ret_error);
	if (r < 0 || ve_fd < 0)
		return r;
	r = b->clone(from_fd, ve_fd, size, &told, ret_error);
	if (r == 0 && b->inspect)
		r = b->inspect(ve_fd, size, ret_error);
	return undone(b, ve_fd, r);
}

int storage_open(enum storage_kind kind, int ve_fd, int image_fd, const struct storage_size *size,
		 struct storage *ret_storage, ve_error **ret_error)
{
	struct storage s = { .layered = kind == STORAGE_OVERLAY, .image_fd = image_fd, .writable_fd = -1 };
	int r = backends[kind]->open(ve_fd, size, &s, ret_error);
	if (r < 0 || !s.layered)
		close_fd(&s.image_fd);
	if (r == 0)
		*ret_storage = s;
	return r;
}

int storage_resize(enum storage_kind kind, int ve_fd, const struct storage_size *from, const struct storage_size *to,
		   bool online, ve_error **ret_error)
{
	if (from->bytes == to->bytes && from->inodes == to->inodes)
		return 0;
	return backends[kind]->resize(ve_fd, from, to, online, ret_error);
}

int storage_usage(enum storage_kind kind, int ve_fd, pid_t holder, struct storage_usage *ret_usage, ve_error **ret_error)
{
	return backends[kind]->usage(ve_fd, holder, ret_usage, ret_error);
}

int storage_look(enum storage_kind kind, int ve_fd, int *ret_writable_fd, ve_error **ret_error)
{
	return backends[kind]->look(ve_fd, ret_writable_fd, ret_error);
}

static int duplicate(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? -errno : copy;
}

int storage_gauge(enum storage_kind kind, int writable_fd, bool is_mount, struct storage_gauge *ret_gauge)
{
	if (backends[kind]->gauge)
		return backends[kind]->gauge(writable_fd, ret_gauge);
	int fd = is_mount ? extimage_mount_again(writable_fd) : duplicate(writable_fd);
	if (fd < 0)
		return fd;
	*ret_gauge = (struct storage_gauge){ fd, -1 };
	return 0;
}

int storage_destroy(int ve_fd, ve_error **ret_error)
{
	int first = 0;
	for (int k = 0; k < STORAGE_KIND_COUNT; k++) {
		int r = backends[k]->destroy ? backends[k]->destroy(ve_fd, ret_error) : 0;
		if (first == 0)
			first = r;
	}
	return first;
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
