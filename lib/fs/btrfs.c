/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A subvolume with a copy of the image's tree that shares its blocks. A size is the limit of its quota group. */
#include <errno.h>

#include "base/guard.h"
#include "fs/backend.h"
#include "fs/subvolume.h"

#define DIRECTORY "rootfs"

static int trouble(int r, const char *what, ve_error **ret_error)
{
	return r < 0 ? err_sys(ret_error, -r, "storage", "cannot %s", what) : 0;
}

static int no_inodes(int ve_fd, ve_error **ret_error)
{
	return backend_cannot_limit("btrfs", "disk.inodes", ve_fd, "which does not count files", ret_error);
}

/* Counting begins with the first VE that has a size; before, the host pays nothing for it. */
static int need_quotas(int ve_fd, const struct storage_size *size, bool *ret_counted, ve_error **ret_error)
{
	int r = 0;
	*ret_counted = subvolume_quota(ve_fd) != SUBVOLUME_QUOTA_OFF;
	if (!*ret_counted && size->bytes) {
		r = trouble(subvolume_quota_on(ve_fd), "switch on the quotas of this btrfs", ret_error);
		*ret_counted = r == 0;
	}
	return r;
}

static int btrfs_prepare(int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	bool counted;
	if (!subvolume_can(ve_fd)) {
		int e = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOTSUP, "storage", "the back end 'btrfs' needs a store on btrfs; this is %s",
				  storage_fs_name(ve_fd));
		err_hint(ret_error, "disk.backend=overlay or image goes on any file system");
		return e;
	}
	if (size->inodes)
		return no_inodes(ve_fd, ret_error);
	int r = need_quotas(ve_fd, size, &counted, ret_error);
	if (r == 0)
		r = trouble(subvolume_make(ve_fd, DIRECTORY), "make a subvolume", ret_error);
	if (r == 0)
		r = backend_open_directory(ve_fd, DIRECTORY, &dir, ret_error);
	/* Before the files come, so that they are counted. */
	if (r == 0 && counted)
		r = trouble(subvolume_group_make(ve_fd, dir), "make the VE's quota group", ret_error);
	if (r == 0 && size->bytes)
		r = trouble(subvolume_group_limit(ve_fd, dir, size->bytes), "limit the VE's quota group", ret_error);
	if (r == 0)
		r = backend_copy_tree(image_fd, dir, NULL, ret_error);
	/* Full quotas count what is shared with the image, and only when it is on the disk. */
	if (r == 0 && counted && subvolume_quota(ve_fd) == SUBVOLUME_QUOTA_FULL) {
		uint64_t used, limit;
		r = trouble(subvolume_group_usage(dir, true, &used, &limit), "read the VE's quota group", ret_error);
	}
	return r;
}

static int set_limit(int ve_fd, int dir, const struct storage_size *to, ve_error **ret_error)
{
	uint64_t used, limit;
	if (to->inodes)
		return no_inodes(dir, ret_error);
	if (!subvolume_group_exists(dir))
		return !to->bytes ? 0 :
				    backend_cannot_limit("btrfs", "disk.size", dir, "for a VE that was made before it had quotas", ret_error);
	int r = trouble(subvolume_group_usage(dir, true, &used, &limit), "read the VE's quota group", ret_error);
	if (r == 0)
		r = backend_check_fits(used, to->bytes, ret_error);
	return r < 0 ? r : trouble(subvolume_group_limit(ve_fd, dir, to->bytes), "limit the VE's quota group", ret_error);
}

/* A snapshot takes no time, however large it is. Simple quotas count from there what the clone writes itself, as they do with an
 * image; full ones have to count what is in it already. */
static int btrfs_clone(int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch, ve_error **ret_error)
{
	_cleanup_close_ int from = -1, dir = -1;
	bool counted = false;
	(void)watch;
	if (size->inodes)
		return no_inodes(ve_fd, ret_error);
	int r = backend_open_directory(from_fd, DIRECTORY, &from, ret_error);
	/* Of a directory that came from elsewhere a snapshot may not be possible. */
	if (r == 0 && !subvolume_can_snapshot(from, ve_fd))
		return btrfs_prepare(ve_fd, from, size, ret_error);
	if (r == 0)
		r = need_quotas(ve_fd, size, &counted, ret_error);
	if (r == 0)
		r = trouble(subvolume_snapshot(from, ve_fd, DIRECTORY), "make a snapshot", ret_error);
	if (r == 0)
		r = backend_open_directory(ve_fd, DIRECTORY, &dir, ret_error);
	if (r < 0 || !counted)
		return r;
	r = trouble(subvolume_group_make(ve_fd, dir), "make the VE's quota group", ret_error);
	if (r == 0 && subvolume_quota(ve_fd) == SUBVOLUME_QUOTA_FULL)
		r = trouble(subvolume_count_again(ve_fd), "count what is in the snapshot", ret_error);
	if (r == 0 && size->bytes)
		r = set_limit(ve_fd, dir, size, ret_error);
	return r;
}

static int btrfs_open(int ve_fd, const struct storage_size *size, struct storage *s, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	uint64_t used, limit = 0;
	int r = backend_open_directory(ve_fd, DIRECTORY, &dir, ret_error);
	if (r == 0 && (subvolume_group_usage(dir, false, &used, &limit) < 0 || limit != size->bytes))
		r = set_limit(ve_fd, dir, size, ret_error);
	if (r == 0)
		s->writable_fd = steal_fd(&dir);
	return r;
}

static int btrfs_resize(int ve_fd, const struct storage_size *from, const struct storage_size *to, bool online, ve_error **ret_error)
{
	(void)from;
	(void)online;
	_cleanup_close_ int dir = -1;
	int r = backend_open_directory(ve_fd, DIRECTORY, &dir, ret_error);
	return r < 0 ? r : set_limit(ve_fd, dir, to, ret_error);
}

static int btrfs_usage(int ve_fd, pid_t holder, struct storage_usage *usage, ve_error **ret_error)
{
	(void)holder;
	_cleanup_close_ int dir = -1;
	uint64_t used, limit;
	int r = backend_open_directory(ve_fd, DIRECTORY, &dir, ret_error);
	*usage = (struct storage_usage){ -1, -1, -1, -1 };
	if (r == 0 && subvolume_group_usage(dir, false, &used, &limit) == 0) {
		usage->used_bytes = (int64_t)used;
		usage->size_bytes = limit ? (int64_t)limit : -1;
	}
	return r;
}

static int btrfs_look(int ve_fd, int *ret_writable_fd, ve_error **ret_error)
{
	return backend_open_directory(ve_fd, DIRECTORY, ret_writable_fd, ret_error);
}

static int btrfs_gauge(int writable_fd, struct storage_gauge *ret)
{
	return subvolume_group_gauge(writable_fd, &ret->fd, &ret->limit_fd);
}

static int btrfs_destroy(int ve_fd, ve_error **ret_error)
{
	return trouble(subvolume_destroy(ve_fd, DIRECTORY), "remove the VE's subvolumes", ret_error);
}

static const char *const remains[] = { DIRECTORY, NULL };

const struct backend backend_btrfs = {
	.name = "btrfs",
	.copies = true,
	.prepare = btrfs_prepare,
	.clone = btrfs_clone,
	.open = btrfs_open,
	.resize = btrfs_resize,
	.usage = btrfs_usage,
	.look = btrfs_look,
	.gauge = btrfs_gauge,
	.destroy = btrfs_destroy,
	.remains = remains,
};
