/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A full copy of the image's tree in a directory. A size is a project quota. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "fs/backend.h"
#include "fs/project.h"

#define DIRECTORY "rootfs"

static int open_directory(int ve_fd)
{
	return openat(ve_fd, DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static int dir_prepare(int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error)
{
	bool quotas = project_enforced(ve_fd);
	if (!quotas && (size->bytes || size->inodes))
		return backend_cannot_limit("dir", size->bytes ? "disk.size" : "disk.inodes", ve_fd,
					    "without project quotas", ret_error);
	if (mkdirat(ve_fd, DIRECTORY, 0755) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make the root directory");
	_cleanup_close_ int dir = open_directory(ve_fd);
	/* Before the files come: they inherit the project, and an image that is too large is found out. */
	int r = quotas ? project_assign(dir, ret_error) : 0;
	if (r == 0 && quotas)
		r = project_limit(dir, size, ret_error);
	return r < 0 ? r : backend_copy_tree(image_fd, dir, ret_error);
}

static int dir_open(int ve_fd, const struct storage_size *size, struct storage *s, ve_error **ret_error)
{
	_cleanup_close_ int dir = open_directory(ve_fd);
	if (dir < 0)
		return err_make(ret_error, VE_ERR_DATA, errno, "storage", "cannot open the VE's storage '%s'", DIRECTORY);
	int r = backend_open_limited("dir", dir, size, ret_error);
	if (r == 0)
		s->writable_fd = steal_fd(&dir);
	return r;
}

static int dir_resize(int ve_fd, const struct storage_size *from, const struct storage_size *to, bool online,
		      ve_error **ret_error)
{
	(void)from;
	(void)online;
	_cleanup_close_ int dir = open_directory(ve_fd);
	return backend_resize_limited("dir", dir, to, ret_error);
}

static int dir_usage(int ve_fd, struct storage_usage *usage, ve_error **ret_error)
{
	_cleanup_close_ int dir = open_directory(ve_fd);
	return backend_usage_limited(dir, usage, ret_error);
}

static int dir_destroy(int ve_fd, ve_error **ret_error)
{
	(void)ret_error;
	_cleanup_close_ int dir = open_directory(ve_fd);
	if (dir >= 0)
		project_forget(dir);
	return 0;
}

static const char *const remains[] = { DIRECTORY, NULL };

const struct backend backend_dir = {
	.name = "dir",
	.copies = true,
	.prepare = dir_prepare,
	.open = dir_open,
	.resize = dir_resize,
	.usage = dir_usage,
	.destroy = dir_destroy,
	.remains = remains,
};
