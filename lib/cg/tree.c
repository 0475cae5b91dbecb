/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Removing a group with all groups below it, however deep a tenant built them and whatever they are called.
 *
 * Two descriptors do for any depth: going down opens a child, going up opens "..". Both stay inside: a cgroup
 * file system has no links, and no group can be moved to another parent. A descent is made only into a
 * group that has children, so that each ends in a removal: the walk ends.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "cg/backend.h"

enum { NAME_SIZE = 256 };

static bool has_children(int dir_fd)
{
	/* Each subdirectory is a link to its parent. cgroup file systems count them (kernfs does). */
	struct stat st;
	return fstat(dir_fd, &st) == 0 && st.st_nlink > 2;
}

/* Removes the children of DIR that have none themselves. Returns 1 and the name of one that has some, 0 if no
 * child is left, -EBUSY where a child without children has processes. */
static int remove_leaves(int dir_fd, char ret_name[NAME_SIZE])
{
	int again = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	if (!dir)
		return -errno;
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		if (errno != EBUSY)
			return -errno;
		_cleanup_close_ int sub = openat(dir_fd, e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (sub < 0)
			return -errno;
		if (!has_children(sub))
			return -EBUSY;
		int n = snprintf(ret_name, NAME_SIZE, "%s", e->d_name);
		return n < NAME_SIZE ? 1 : -ENAMETOOLONG;
	}
	return 0;
}

static int move_to(int *fd, const char *name)
{
	int next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (next < 0)
		return -errno;
	close(*fd);
	*fd = next;
	return 0;
}

int cg_tree_remove(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	for (size_t depth = 0;;) {
		char child[NAME_SIZE];
		int r = remove_leaves(fd, child);
		if (r == 0 && depth == 0)
			break;
		depth = r > 0 ? depth + 1 : depth - 1;
		if (r >= 0)
			r = move_to(&fd, r > 0 ? child : "..");
		if (r < 0)
			return r;
	}
	return unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}
