/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/image_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "sys/syscalls.h"

static const char stage[] = "adapt";

static int fail(int errnum, const char *attempted, const char *path, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(path);
	return err_sys(ret_error, errnum, stage, "cannot %s '%s' in the image", attempted, quoted ?: "?");
}

/* ---- paths ------------------------------------------------------------------------------------------ */

/* A directory of the tree as its own processes would reach it: links are followed, the root is the tree's. */
static int open_dir(int root_fd, const char *path, int flags)
{
	int fd = sys_openat2(root_fd, *path ? path : ".", (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC),
			     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	return fd < 0 ? -errno : fd;
}

/* Opens the directory that PATH's last component is in, and makes it where MAKE. RET_NAME points into PATH. */
static int open_parent(int root_fd, const char *path, bool make, const char **ret_name)
{
	_cleanup_free_ char *part = strdup(path);
	if (!part)
		return -ENOMEM;
	_cleanup_close_ int fd = open_dir(root_fd, "", O_PATH);
	for (char *p = part + 1, *slash; fd >= 0 && (slash = strchr(p, '/')); p = slash + 1) {
		*slash = '\0';
		int next = open_dir(root_fd, part, O_PATH);
		if (next == -ENOENT && make && mkdirat(fd, p, 0755) == 0)
			next = open_dir(root_fd, part, O_PATH);
		*slash = '/';
		close_fd(&fd);
		fd = next;
	}
	*ret_name = strrchr(path, '/') + 1;
	return steal_fd(&fd);
}

/* ---- one thing -------------------------------------------------------------------------------------- */

static int make_file(int dir_fd, const char *name, const void *data, size_t size, mode_t mode)
{
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	_cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, size);
	return r < 0 ? r : fchmod(fd, mode) < 0 ? -errno : 0;
}

int image_tree_write(int root_fd, const char *path, const void *data, size_t size, mode_t mode,
		     ve_error **ret_error)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(root_fd, path, true, &name);
	int r = dir < 0 ? dir : make_file(dir, name, data, size, mode);
	return r < 0 ? fail(-r, "write", path, ret_error) : 0;
}

int image_tree_link(int root_fd, const char *path, const char *target, ve_error **ret_error)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(root_fd, path, true, &name);
	if (dir < 0)
		return fail(-dir, "make the link", path, ret_error);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return fail(errno, "replace", path, ret_error);
	return symlinkat(target, dir, name) < 0 ? fail(errno, "make the link", path, ret_error) : 0;
}

int image_tree_mkdir(int root_fd, const char *path, mode_t mode, ve_error **ret_error)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(root_fd, path, true, &name);
	if (dir < 0 || (mkdirat(dir, name, mode) < 0 && errno != EEXIST))
		return fail(dir < 0 ? -dir : errno, "make the directory", path, ret_error);
	_cleanup_close_ int fd = file_opendir(dir, name);
	if (fd < 0 || fchmod(fd, mode) < 0)
		return fail(fd < 0 ? -fd : errno, "make the directory", path, ret_error);
	return 0;
}

int image_tree_stat(int root_fd, const char *path, struct stat *ret)
{
	_cleanup_close_ int fd =
		sys_openat2(root_fd, path, O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	return fd < 0 || fstat(fd, ret) < 0 ? -errno : 0;
}

/* Removes what is in DIR_FD and matches PATTERN. */
static int remove_matching(int dir_fd, const char *pattern)
{
	_cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	steal_fd(&fd);
	for (struct dirent *e; (e = readdir(dir));) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, "..") || fnmatch(pattern, e->d_name, 0) != 0)
			continue;
		int r = file_remove_tree(dir_fd, e->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int remove_path(int root_fd, const char *path, ve_error **ret_error)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(root_fd, path, false, &name);
	int r = dir < 0 ? dir : remove_matching(dir, name);
	return r < 0 && r != -ENOENT ? fail(-r, "remove", path, ret_error) : 0;
}

static int empty_path(int root_fd, const char *path, ve_error **ret_error)
{
	_cleanup_close_ int dir = open_dir(root_fd, path, O_PATH);
	int r = dir < 0 ? dir : remove_matching(dir, "*");
	return r < 0 && r != -ENOENT ? fail(-r, "empty", path, ret_error) : 0;
}

/* ---- units ------------------------------------------------------------------------------------------ */

#define UNITS "/etc/systemd/system"

static int mask(int root_fd, const char *unit, ve_error **ret_error)
{
	_cleanup_free_ char *path = str_printf(UNITS "/%s", unit);
	return path ? image_tree_link(root_fd, path, "/dev/null", ret_error) : err_nomem(ret_error);
}

/* What `systemctl disable` does, without running anything of the tree's: the links that want UNIT go. */
static int disable(int root_fd, const char *unit, ve_error **ret_error)
{
	int fd = open_dir(root_fd, UNITS, O_RDONLY);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return fd == -ENOENT ? 0 : fail(fd < 0 ? -fd : errno, "list", UNITS, ret_error);
	for (struct dirent *e; (e = readdir(dir));) {
		if (!str_ends(e->d_name, ".wants") && !str_ends(e->d_name, ".requires"))
			continue;
		_cleanup_close_ int sub = file_opendir(fd, e->d_name);
		if (sub >= 0 && unlinkat(sub, unit, 0) < 0 && errno != ENOENT)
			return fail(errno, "disable", unit, ret_error);
	}
	return 0;
}

/* ---- a recipe's steps ------------------------------------------------------------------------------- */

static const char *field(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

static mode_t mode_of(const json_t *row)
{
	const char *mode = field(row, "mode");
	return mode ? (mode_t)strtoul(mode, NULL, 8) : 0644;
}

static int step_remove(int root_fd, const json_t *row, ve_error **ret_error)
{
	return remove_path(root_fd, field(row, "path"), ret_error);
}

static int step_empty(int root_fd, const json_t *row, ve_error **ret_error)
{
	return empty_path(root_fd, field(row, "path"), ret_error);
}

static int step_directory(int root_fd, const json_t *row, ve_error **ret_error)
{
	return image_tree_mkdir(root_fd, field(row, "path"), mode_of(row), ret_error);
}

static int step_file(int root_fd, const json_t *row, ve_error **ret_error)
{
	const json_t *lines = json_object_get(row, "lines");
	_cleanup_free_ char *text = recipe_join(lines, "\n");
	_cleanup_free_ char *whole = text ? str_printf("%s%s", text, json_array_size(lines) ? "\n" : "") : NULL;
	if (!whole)
		return err_nomem(ret_error);
	return image_tree_write(root_fd, field(row, "path"), whole, strlen(whole), mode_of(row), ret_error);
}

static int step_link(int root_fd, const json_t *row, ve_error **ret_error)
{
	return image_tree_link(root_fd, field(row, "path"), field(row, "target"), ret_error);
}

static int step_mask(int root_fd, const json_t *row, ve_error **ret_error)
{
	return mask(root_fd, field(row, "unit"), ret_error);
}

static int step_disable(int root_fd, const json_t *row, ve_error **ret_error)
{
	return disable(root_fd, field(row, "unit"), ret_error);
}

int image_tree_adapt(int root_fd, const struct recipe *recipe, ve_error **ret_error)
{
	static const struct {
		const char *key;
		int (*step)(int root_fd, const json_t *row, ve_error **ret_error);
	} steps[] = {
		{ "remove", step_remove },   { "empty", step_empty }, { "directories", step_directory },
		{ "files", step_file },	     { "links", step_link },  { "mask", step_mask },
		{ "disable", step_disable },
	};
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++) {
		size_t j;
		json_t *row;
		json_array_foreach(recipe_list(recipe, steps[i].key), j, row) {
			r = steps[i].step(root_fd, row, ret_error);
			if (r < 0)
				break;
		}
	}
	return r;
}
