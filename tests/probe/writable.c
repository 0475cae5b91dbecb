/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What in /proc and /sys opens for writing. Nothing is masked in a VE's /proc: the ownership of its files is the
 * fence, and a test compares this list with a reviewed one. Files are opened and closed, never written; nothing
 * blocks.
 *
 * Of the processes only our own is walked, as /proc/self, and of its threads none: others are the same files.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "probe.h"

enum { DEEPEST = 24 };

static unsigned n_visited;

static bool all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static bool skipped(const char *parent, const char *name)
{
	static const char *const self_dirs[] = { "fd", "fdinfo", "map_files", "ns", "task" };
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	if (strcmp(parent, "/proc") == 0)
		return all_digits(name);
	for (size_t i = 0; i < sizeof(self_dirs) / sizeof(self_dirs[0]) && strcmp(parent, "/proc/self") == 0; i++)
		if (strcmp(name, self_dirs[i]) == 0)
			return true;
	return false;
}

static void visit_file(int dir_fd, const char *name, const char *path)
{
	n_visited++;
	int fd = openat(dir_fd, name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	json_string(NULL, path);
	close(fd);
}

/* DIR_FD is ours to close. PATH is its name for the report. Links are not followed. */
static void walk(int dir_fd, const char *path, int depth)
{
	DIR *dir = fdopendir(dir_fd);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char child[PATH_MAX];
		struct stat st;
		if (skipped(path, e->d_name) || fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if ((size_t)snprintf(child, sizeof(child), "%s/%s", path, e->d_name) >= sizeof(child))
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEEPEST) {
			int fd = openat(dir_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
			if (fd >= 0)
				walk(fd, child, depth + 1);
		} else if (S_ISREG(st.st_mode)) {
			visit_file(dir_fd, e->d_name, child);
		}
	}
	if (dir)
		closedir(dir);
	else
		close(dir_fd);
}

static void tree(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* /proc/self is a link, and followed */
	if (fd >= 0)
		walk(fd, path, 0);
}

void report_writable(void)
{
	json_array("proc");
	tree("/proc");
	tree("/proc/self");
	json_end();
	json_array("sys");
	tree("/sys");
	json_end();
	json_int("visited", n_visited); /* a short list must not come from a short walk */
}
