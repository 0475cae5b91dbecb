/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upper/ and work/ over the image's tree. A size is a project quota where the file system has them, else the two live in a
 * file system of their own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "fs/backend.h"
#include "fs/extimage.h"
#include "fs/limited.h"
#include "fs/project.h"

#define DIRECTORY "overlay"
#define IMAGE "overlay.img"

static int make_layers(int dir_fd, ve_error **ret_error)
{
	if (mkdirat(dir_fd, "upper", 0755) < 0 || mkdirat(dir_fd, "work", 0755) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make the overlay's directories");
	return 0;
}

static int prepare_image(int ve_fd, const struct storage_size *size, ve_error **ret_error)
{
	_cleanup_close_ int mnt = -1;
	int r = extimage_make(ve_fd, IMAGE, size, ret_error);
	if (r == 0)
		r = extimage_mount(ve_fd, IMAGE, size, &mnt, ret_error);
	return r < 0 ? r : make_layers(mnt, ret_error);
}

static int prepare_directory(int ve_fd, const struct storage_size *size, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	int r = limited_make(ve_fd, "overlay", DIRECTORY, size, &dir, ret_error);
	return r < 0 ? r : make_layers(dir, ret_error);
}

static int overlay_prepare(int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error)
{
	(void)image_fd;
	if (project_enforced(ve_fd) || (!size->bytes && !size->inodes))
		return prepare_directory(ve_fd, size, ret_error);
	if (!size->bytes)
		return backend_cannot_limit("overlay", "disk.inodes", ve_fd, "without a disk.size", ret_error);
	return prepare_image(ve_fd, size, ret_error);
}

static int make_beside(int dir_fd, const char *name, mode_t mode, ve_error **ret_error)
{
	if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
		return err_sys(ret_error, errno, "storage", "cannot make the directory '%s' beside the overlay", name);
	return 0;
}

int storage_make_plain(const struct storage *s, const char *const *names, ve_error **ret_error)
{
	_cleanup_close_ int plain = -1;
	int r = make_beside(s->writable_fd, STORAGE_PLAIN, 0755, ret_error);
	if (r == 0)
		r = backend_open_directory(s->writable_fd, STORAGE_PLAIN, &plain, ret_error);
	for (; r == 0 && *names; names++)
		r = make_beside(plain, *names, 0710, ret_error);
	return r;
}

static int clone_plain(int from_fd, int dir_fd, const struct storage_watch *watch, ve_error **ret_error)
{
	_cleanup_close_ int from = -1, plain = -1;
	if (faccessat(from_fd, STORAGE_PLAIN, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	int r = make_beside(dir_fd, STORAGE_PLAIN, 0755, ret_error);
	if (r == 0)
		r = backend_open_directory(from_fd, STORAGE_PLAIN, &from, ret_error);
	if (r == 0)
		r = backend_open_directory(dir_fd, STORAGE_PLAIN, &plain, ret_error);
	return r < 0 ? r : backend_copy_tree(from, plain, watch, ret_error);
}

/* What the VE has changed; work/ is the mount's own. */
static int clone_directory(int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch,
			   ve_error **ret_error)
{
	_cleanup_close_ int from = -1, dir = -1, from_upper = -1, upper = -1;
	int r = backend_open_directory(from_fd, DIRECTORY, &from, ret_error);
	if (r == 0)
		r = backend_open_directory(from, "upper", &from_upper, ret_error);
	if (r == 0)
		r = limited_make(ve_fd, "overlay", DIRECTORY, size, &dir, ret_error);
	if (r == 0)
		r = make_layers(dir, ret_error);
	if (r == 0)
		r = backend_open_directory(dir, "upper", &upper, ret_error);
	if (r == 0)
		r = backend_copy_tree(from_upper, upper, watch, ret_error);
	return r < 0 ? r : clone_plain(from, dir, watch, ret_error);
}

static int overlay_clone(int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch,
			 ve_error **ret_error)
{
	if (extimage_exists(from_fd, IMAGE))
		return extimage_clone(from_fd, ve_fd, IMAGE, watch, ret_error);
	return clone_directory(from_fd, ve_fd, size, watch, ret_error);
}

static int overlay_inspect(int ve_fd, const struct storage_size *size, ve_error **ret_error)
{
	return extimage_exists(ve_fd, IMAGE) ? extimage_inspect(ve_fd, IMAGE, size, ret_error) : 0;
}

static int overlay_open(int ve_fd, const struct storage_size *size, struct storage *s, ve_error **ret_error)
{
	s->is_mount = extimage_exists(ve_fd, IMAGE);
	if (s->is_mount)
		return extimage_mount(ve_fd, IMAGE, size, &s->writable_fd, ret_error);
	return limited_open(ve_fd, "overlay", DIRECTORY, size, &s->writable_fd, ret_error);
}

static int overlay_resize(int ve_fd, const struct storage_size *from, const struct storage_size *to, bool online,
			  ve_error **ret_error)
{
	if (extimage_exists(ve_fd, IMAGE))
		return extimage_resize(ve_fd, IMAGE, from, to, online, ret_error);
	return limited_resize(ve_fd, "overlay", DIRECTORY, to, ret_error);
}

static int overlay_usage(int ve_fd, pid_t holder, struct storage_usage *usage, ve_error **ret_error)
{
	if (extimage_exists(ve_fd, IMAGE))
		return extimage_usage(ve_fd, IMAGE, holder, usage, ret_error);
	return limited_usage(ve_fd, DIRECTORY, usage, ret_error);
}

static int overlay_look(int ve_fd, int *ret_writable_fd, ve_error **ret_error)
{
	if (extimage_exists(ve_fd, IMAGE))
		return extimage_look(ve_fd, IMAGE, ret_writable_fd, ret_error);
	return backend_open_directory(ve_fd, DIRECTORY, ret_writable_fd, ret_error);
}

static int overlay_destroy(int ve_fd, ve_error **ret_error)
{
	(void)ret_error;
	limited_forget(ve_fd, DIRECTORY);
	return 0;
}

static const char *const remains[] = { DIRECTORY, IMAGE, NULL };

const struct backend backend_overlay = {
	.name = "overlay",
	.prepare = overlay_prepare,
	.clone = overlay_clone,
	.inspect = overlay_inspect,
	.open = overlay_open,
	.resize = overlay_resize,
	.usage = overlay_usage,
	.look = overlay_look,
	.destroy = overlay_destroy,
	.remains = remains,
};
