/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A full copy of the image's tree in a file system of the VE's own: any file system of the host's will do. */
#include <errno.h>

#include "base/guard.h"
#include "fs/backend.h"
#include "fs/extimage.h"
#include "fs/loop.h"

#define IMAGE "disk.img"

static int need_size(const struct storage_size *size, ve_error **ret_error)
{
	if (size->bytes)
		return 0;
	int r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "storage", "the back end 'image' needs a disk.size");
	err_hint(ret_error, "--disk 10G");
	return r;
}

static int image_prepare(int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error)
{
	_cleanup_close_ int mnt = -1;
	int r = need_size(size, ret_error);
	if (r == 0)
		r = extimage_make(ve_fd, IMAGE, size, ret_error);
	if (r == 0)
		r = extimage_mount(ve_fd, IMAGE, size, &mnt, ret_error);
	return r < 0 ? r : backend_copy_tree(image_fd, mnt, NULL, ret_error);
}

static int image_clone(int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch, ve_error **ret_error)
{
	int r = need_size(size, ret_error);
	return r < 0 ? r : extimage_clone(from_fd, ve_fd, IMAGE, watch, ret_error);
}

static int image_inspect(int ve_fd, const struct storage_size *size, ve_error **ret_error)
{
	return extimage_inspect(ve_fd, IMAGE, size, ret_error);
}

static int image_open(int ve_fd, const struct storage_size *size, struct storage *s, ve_error **ret_error)
{
	s->is_mount = true;
	int r = extimage_mount(ve_fd, IMAGE, size, &s->writable_fd, ret_error);
	if (r == 0 && size->user_quotas && (r = loop_name(s->writable_fd, s->device)) < 0) {
		close_fd(&s->writable_fd);
		return err_sys(ret_error, -r, "storage", "cannot tell which device '%s' is mounted from", IMAGE);
	}
	return r;
}

static int image_resize(int ve_fd, const struct storage_size *from, const struct storage_size *to, bool online,
			ve_error **ret_error)
{
	int r = need_size(to, ret_error);
	return r < 0 ? r : extimage_resize(ve_fd, IMAGE, from, to, online, ret_error);
}

static int image_usage(int ve_fd, pid_t holder, struct storage_usage *usage, ve_error **ret_error)
{
	return extimage_usage(ve_fd, IMAGE, holder, usage, ret_error);
}

static int image_look(int ve_fd, int *ret_writable_fd, ve_error **ret_error)
{
	return extimage_look(ve_fd, IMAGE, ret_writable_fd, ret_error);
}

static const char *const remains[] = { IMAGE, NULL };

const struct backend backend_image = {
	.name = "image",
	.copies = true,
	.user_quotas = true,
	.prepare = image_prepare,
	.clone = image_clone,
	.inspect = image_inspect,
	.open = image_open,
	.resize = image_resize,
	.usage = image_usage,
	.look = image_look,
	.remains = remains,
};
