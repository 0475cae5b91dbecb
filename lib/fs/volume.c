/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "fs/backend.h"
#include "fs/extimage.h"
#include "fs/foreign.h"

#define DIRECTORY "volumes"
#define IMAGE ".img"
#define UNSETTLED ".unsettled"
#define TEMPORARY ".new"

/* A file of a volume; names have been checked. */
struct file_name {
	char s[128];
};
static struct file_name name_with(const char *name, const char *suffix)
{
	struct file_name f;
	snprintf(f.s, sizeof(f.s), "%s%s", name, suffix);
	return f;
}
static struct file_name file_of(const char *name)
{
	return name_with(name, IMAGE);
}

static int make_directory(int ve_fd, int *ret_fd, ve_error **ret_error)
{
	if (mkdirat(ve_fd, DIRECTORY, 0700) < 0 && errno != EEXIST)
		return err_sys(ret_error, errno, "volumes", "cannot make a directory for the VE's volumes");
	return backend_open_directory(ve_fd, DIRECTORY, ret_fd, ret_error);
}

/* The directory that the volume NAME is in. */
static int open_directory(int ve_fd, const char *name, int *ret_fd, ve_error **ret_error)
{
	int fd = file_opendir(ve_fd, DIRECTORY);
	if (fd < 0)
		return err_make(ret_error, VE_ERR_DATA, -fd, "volumes", "cannot open the directory of the VE's volume '%s'", file_of(name).s);
	*ret_fd = fd;
	return 0;
}

static int unsettle(int dir_fd, const char *name, ve_error **ret_error)
{
	int r = file_replace(dir_fd, name_with(name, UNSETTLED).s, "", 0, 0600, true);
	return r < 0 ? err_sys(ret_error, -r, "volumes", "cannot note that the volume '%s' comes or goes", name) : 0;
}

int volume_make(int ve_fd, const char *name, uint64_t bytes, ve_error **ret_error)
{
	const struct file_name f = file_of(name), temporary = name_with(name, TEMPORARY);
	const struct storage_size size = { .bytes = bytes };
	_cleanup_close_ int dir = -1;
	int r = make_directory(ve_fd, &dir, ret_error);
	if (r < 0 || extimage_exists(dir, f.s))
		return r;
	unlinkat(dir, temporary.s, 0); /* of a verb that was killed */
	r = extimage_make(dir, temporary.s, &size, ret_error);
	if (r == 0)
		r = unsettle(dir, name, ret_error);
	if (r == 0 && renameat(dir, temporary.s, dir, f.s) < 0)
		r = err_sys(ret_error, errno, "volumes", "cannot make the volume '%s'", name);
	if (r < 0)
		unlinkat(dir, temporary.s, 0);
	return r;
}

int volume_unsettle(int ve_fd, const char *name, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	int r = open_directory(ve_fd, name, &dir, ret_error);
	return r < 0 ? r : unsettle(dir, name, ret_error);
}

/* USED bytes of the volume NAME below FROM_FD, into a new one. VE_FD -1: only whether they fit. */
static int copy(int from_fd, int ve_fd, const char *name, uint64_t used, uint64_t bytes, const struct storage_watch *watch,
		ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	struct storage_watch told = *watch;
	told.total = used;
	int r = backend_check_fits(used, bytes, ret_error);
	if (r < 0 || ve_fd < 0)
		return r;
	r = make_directory(ve_fd, &dir, ret_error);
	return r < 0 ? r : extimage_clone(from_fd, dir, file_of(name).s, &told, ret_error);
}

int volume_clone(int from_fd, int ve_fd, const char *name, uint64_t bytes, const struct storage_watch *watch, ve_error **ret_error)
{
	_cleanup_close_ int from = -1;
	struct storage_usage usage;
	int r = open_directory(from_fd, name, &from, ret_error);
	if (r == 0)
		r = extimage_usage(from, file_of(name).s, 0, &usage, ret_error);
	return r < 0 ? r : copy(from, ve_fd, name, usage.used_bytes > 0 ? (uint64_t)usage.used_bytes : 0, bytes, watch, ret_error);
}

int volume_adopt(int from_fd, int ve_fd, const char *name, uint64_t bytes, const struct storage_watch *watch, ve_error **ret_error)
{
	const struct storage_size size = { .bytes = bytes };
	_cleanup_close_ int from = -1, dir = -1;
	uint64_t used = 0;
	int r = open_directory(from_fd, name, &from, ret_error);
	if (r == 0)
		r = foreign_check(from, file_of(name).s, &used, ret_error);
	if (r == 0)
		r = copy(from, ve_fd, name, used, bytes, watch, ret_error);
	if (r < 0 || ve_fd < 0)
		return r;
	r = open_directory(ve_fd, name, &dir, ret_error);
	return r < 0 ? r : extimage_inspect(dir, file_of(name).s, &size, ret_error);
}

int volume_open(int ve_fd, const char *name, uint64_t bytes, int *ret_mount_fd, ve_error **ret_error)
{
	const struct storage_size size = { .bytes = bytes };
	_cleanup_close_ int dir = -1;
	int r = open_directory(ve_fd, name, &dir, ret_error);
	return r < 0 ? r : extimage_mount(dir, file_of(name).s, &size, ret_mount_fd, ret_error);
}

int volume_resize(int ve_fd, const char *name, uint64_t from, uint64_t to, bool online, ve_error **ret_error)
{
	const struct storage_size a = { .bytes = from }, b = { .bytes = to };
	_cleanup_close_ int dir = -1;
	int r = open_directory(ve_fd, name, &dir, ret_error);
	return r < 0 ? r : extimage_resize(dir, file_of(name).s, &a, &b, online, ret_error);
}

int volume_usage(int ve_fd, const char *name, pid_t holder, struct storage_usage *ret_usage, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	int r = open_directory(ve_fd, name, &dir, ret_error);
	return r < 0 ? r : extimage_usage(dir, file_of(name).s, holder, ret_usage, ret_error);
}

int volume_look(int ve_fd, const char *name, int *ret_mount_fd, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	int r = open_directory(ve_fd, name, &dir, ret_error);
	return r < 0 ? r : extimage_look(dir, file_of(name).s, ret_mount_fd, ret_error);
}

static void sweep_one(int dir_fd, const char *file, enum volume_use (*use)(const char *name, void *data), void *data)
{
	_cleanup_free_ char *name = str_ends(file, UNSETTLED) ? strndup(file, strlen(file) - strlen(UNSETTLED)) : NULL;
	if (str_ends(file, TEMPORARY))
		unlinkat(dir_fd, file, 0);
	enum volume_use is = name ? use(name, data) : VOLUME_IN_USE;
	if (is == VOLUME_UNUSED)
		unlinkat(dir_fd, file_of(name).s, 0);
	if (is != VOLUME_IN_USE)
		unlinkat(dir_fd, file, 0);
}

void volume_sweep(int ve_fd, enum volume_use (*use)(const char *name, void *data), void *data)
{
	int fd = file_opendir(ve_fd, DIRECTORY);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_fd(&fd);
		return;
	}
	for (struct dirent *e; (e = readdir(dir));)
		sweep_one(fd, e->d_name, use, data);
	unlinkat(ve_fd, DIRECTORY, AT_REMOVEDIR); /* where nothing is in it */
}
