/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/str.h"

static int refuse(const char *path, size_t n, int errnum, const char *why, ve_error **ret_error)
{
	return err_plain(ret_error, errnum == ENOENT ? VE_ERR_NOT_FOUND : VE_ERR_CONFIG, errnum, "hook", "'%.*s' %s", (int)n, path, why);
}

/* What is wrong with one part of the path, or NULL. The group counts as others, root's own too: an entry of an access control
 * list shows there and nowhere else. */
static const char *complaint(const struct stat *st, bool last)
{
	if (S_ISLNK(st->st_mode))
		return "is a symbolic link";
	if (!last && !S_ISDIR(st->st_mode))
		return "is no directory";
	if (last && !S_ISREG(st->st_mode))
		return "is no file";
	if (st->st_uid != 0)
		return "does not belong to root";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others than root";
	return last && !(st->st_mode & S_IXUSR) ? "cannot be executed" : NULL;
}

int trusted_program(const char *path, ve_error **ret_error)
{
	_cleanup_close_ int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (path[0] != '/')
		return refuse(path, strlen(path), EINVAL, "is no absolute path", ret_error);
	if (at < 0 || fstat(at, &st) < 0)
		return err_sys(ret_error, errno, "hook", "cannot open '/'");
	const char *why = complaint(&st, false), *p = path;
	for (bool last = false; !why && !last;) {
		char name[NAME_MAX + 1];
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		last = p[n] == '\0';
		if (n > NAME_MAX)
			return refuse(path, strlen(path), ENAMETOOLONG, "has a part that is too long", ret_error);
		memcpy(name, p, n);
		name[n] = '\0';
		p += n;
		if (n == 0 || str_eq(name, ".") || str_eq(name, ".."))
			return refuse(path, strlen(path), EINVAL, "is no plain absolute path", ret_error);
		int next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 || fstat(next, &st) < 0) {
			int e = errno;
			close_fd(&next);
			return e == ENOENT ? refuse(path, (size_t)(p - path), e, "is not there", ret_error) :
					     err_sys(ret_error, e, "hook", "cannot look at '%.*s'", (int)(p - path), path);
		}
		close_fd(&at);
		at = next;
		why = complaint(&st, last);
	}
	return why ? refuse(path, p == path ? 1 : (size_t)(p - path), EPERM, why, ret_error) : 0;
}
