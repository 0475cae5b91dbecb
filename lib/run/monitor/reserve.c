/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reserve.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { NEARLY_FULL_BLOCKS = 64 };

/* The kernel calls a file system by its device's name. */
static int open_figure(int fs_fd)
{
	struct stat st;
	char link[64], target[PATH_MAX], path[PATH_MAX + 64];
	if (fstat(fs_fd, &st) < 0)
		return -1;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(path, sizeof(path), "/sys/fs/ext4/%s/reserved_clusters", slash ? slash + 1 : target);
	return open(path, O_RDWR | O_CLOEXEC);
}

void reserve_lend(struct reserve *r, int fs_fd)
{
	struct statfs st;
	r->fd = -1;
	if (fstatfs(fs_fd, &st) < 0 || st.f_bavail >= NEARLY_FULL_BLOCKS)
		return;
	r->fd = open_figure(fs_fd);
	ssize_t n = r->fd < 0 ? -1 : pread(r->fd, r->was, sizeof(r->was) - 1, 0);
	r->was[n > 0 ? n : 0] = '\0';
	if (n > 0 && pwrite(r->fd, "0", 1, 0) == 1)
		return;
	close(r->fd);
	r->fd = -1;
}

void reserve_return(struct reserve *r)
{
	if (r->fd < 0)
		return;
	(void)!pwrite(r->fd, r->was, strlen(r->was), 0);
	close(r->fd);
	r->fd = -1;
}
