/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A full copy of the image's tree in a directory. A size is a project quota. */
#include "base/guard.h"
#include "fs/backend.h"
#include "fs/limited.h"

#define DIRECTORY "rootfs"

static int dir_prepare(int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	/* Limited before the files come: they inherit the project, and an image that is too large is found out. */
	int r = limited_make(ve_fd, "dir", DIRECTORY, size, &dir, ret_error);
	return r < 0 ? r : backend_copy_tree(image_fd, dir, NULL, ret_error);
}

static int dir_clone(int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch, ve_error **ret_error)
{
	_cleanup_close_ int from = -1, dir = -1;
	int r = backend_open_directory(from_fd, DIRECTORY, &from, ret_error);
	if (r == 0)
		r = limited_make(ve_fd, "dir", DIRECTORY, size, &dir, ret_error);
	return r < 0 ? r : backend_copy_tree(from, dir, watch, ret_error);
}

static int dir_open(int ve_fd, const struct storage_size *size, struct storage *s, ve_error **ret_error)
{
	return limited_open(ve_fd, "dir", DIRECTORY, size, &s->writable_fd, ret_error);
}

static int dir_resize(int ve_fd, const struct storage_size *from, const struct storage_size *to, bool online,
		      ve_error **ret_error)
{
	(void)from;
	(void)online;
	return limited_resize(ve_fd, "dir", DIRECTORY, to, ret_error);
}

static int dir_usage(int ve_fd, pid_t holder, struct storage_usage *usage, ve_error **ret_error)
{
	(void)holder;
	return limited_usage(ve_fd, DIRECTORY, usage, ret_error);
}

static int dir_look(int ve_fd, int *ret_writable_fd, ve_error **ret_error)
{
	return backend_open_directory(ve_fd, DIRECTORY, ret_writable_fd, ret_error);
}

static int dir_destroy(int ve_fd, ve_error **ret_error)
{
	(void)ret_error;
	limited_forget(ve_fd, DIRECTORY);
	return 0;
}

static const char *const remains[] = { DIRECTORY, NULL };

const struct backend backend_dir = {
	.name = "dir",
	.copies = true,
	.prepare = dir_prepare,
	.clone = dir_clone,
	.open = dir_open,
	.resize = dir_resize,
	.usage = dir_usage,
	.look = dir_look,
	.destroy = dir_destroy,
	.remains = remains,
};
