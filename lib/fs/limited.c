/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/limited.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "fs/backend.h"
#include "fs/project.h"

static bool wants(const struct storage_size *size)
{
	return size->bytes || size->inodes;
}

/* A file without contents takes no blocks: who has a size and no number of files could use up the table of inodes, which is the
 * host's. He gets as many as a file system of his own of that size has (mke2fs(8)), and keeps what is there. */
static struct storage_size whole(int dir_fd, const struct storage_size *size)
{
	struct storage_size w = *size;
	struct storage_usage now;
	if (!w.bytes || w.inodes)
		return w;
	w.inodes = w.bytes / (w.bytes < UINT64_C(512) << 20 ? 4096 : 16384);
	if (project_usage(dir_fd, &now, NULL) == 0 && now.used_inodes > (int64_t)w.inodes)
		w.inodes = (uint64_t)now.used_inodes;
	return w;
}

static int put_limit(int dir_fd, const struct storage_size *size, ve_error **ret_error)
{
	const struct storage_size w = whole(dir_fd, size);
	return project_limit(dir_fd, &w, ret_error);
}

static int cannot(const char *backend, const struct storage_size *size, int dir_fd, const char *why, ve_error **ret_error)
{
	return backend_cannot_limit(backend, size->bytes ? "disk.size" : "disk.inodes", dir_fd, why, ret_error);
}

int limited_make(int ve_fd, const char *backend, const char *directory, const struct storage_size *size, int *ret_fd,
		 ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	bool counted = project_enforced(ve_fd);
	if (!counted && wants(size))
		return cannot(backend, size, ve_fd, "without project quotas", ret_error);
	if (mkdirat(ve_fd, directory, 0755) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make the directory '%s' for the VE's files", directory);
	int r = backend_open_directory(ve_fd, directory, &dir, ret_error);
	if (r == 0 && counted)
		r = project_assign(dir, ret_error);
	if (r == 0 && wants(size))
		r = put_limit(dir, size, ret_error);
	if (r == 0)
		*ret_fd = steal_fd(&dir);
	return r;
}

static int set_limit(const char *backend, int dir_fd, const struct storage_size *to, ve_error **ret_error)
{
	if (!project_enforced(dir_fd))
		return wants(to) ? cannot(backend, to, dir_fd, "without project quotas", ret_error) : 0;
	if (!project_of(dir_fd))
		return wants(to) ? cannot(backend, to, dir_fd, "for a VE that was made before it had project quotas", ret_error) : 0;
	return put_limit(dir_fd, to, ret_error);
}

/* A start is not kept up by a limit that is set already, however full it is. */
static bool is_set(int dir_fd, const struct storage_size *size)
{
	struct storage_usage now;
	if (!project_of(dir_fd) || !project_enforced(dir_fd) || project_usage(dir_fd, &now, NULL) < 0)
		return false;
	const struct storage_size w = whole(dir_fd, size);
	return now.size_bytes == (w.bytes ? (int64_t)project_round(w.bytes) : -1) && now.inodes == (w.inodes ? (int64_t)w.inodes : -1);
}

int limited_open(int ve_fd, const char *backend, const char *directory, const struct storage_size *size, int *ret_fd,
		 ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	int r = backend_open_directory(ve_fd, directory, &dir, ret_error);
	if (r == 0 && !is_set(dir, size))
		r = set_limit(backend, dir, size, ret_error);
	if (r == 0)
		*ret_fd = steal_fd(&dir);
	return r;
}

int limited_resize(int ve_fd, const char *backend, const char *directory, const struct storage_size *to, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	int r = backend_open_directory(ve_fd, directory, &dir, ret_error);
	return r < 0 ? r : set_limit(backend, dir, to, ret_error);
}

int limited_usage(int ve_fd, const char *directory, struct storage_usage *ret_usage, ve_error **ret_error)
{
	_cleanup_close_ int dir = -1;
	*ret_usage = (struct storage_usage){ -1, -1, -1, -1 };
	int r = backend_open_directory(ve_fd, directory, &dir, ret_error);
	if (r == 0 && project_of(dir) && project_enforced(dir))
		r = project_usage(dir, ret_usage, ret_error);
	return r;
}

void limited_forget(int ve_fd, const char *directory)
{
	_cleanup_close_ int dir = -1;
	if (backend_open_directory(ve_fd, directory, &dir, NULL) == 0)
		project_forget(dir);
}
