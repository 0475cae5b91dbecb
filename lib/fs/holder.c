/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/holder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/guard.h"
#include "fs/loop.h"

/* Told by its name, so that nothing is looked at that could keep us waiting: one that is attached nowhere has this one. */
static bool is_root_of_mount(int dir_fd, const char *name)
{
	char text[2];
	return readlinkat(dir_fd, name, text, sizeof(text)) == 1 && *text == '/';
}

int holder_open(pid_t pid, int file_fd)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	if (!dir)
		return -errno;
	for (struct dirent *e; (e = readdir(dir));) {
		if (!is_root_of_mount(dirfd(dir), e->d_name))
			continue;
		_cleanup_close_ int fd = openat(dirfd(dir), e->d_name, O_PATH | O_CLOEXEC);
		if (fd >= 0 && loop_backs(file_fd, fd))
			return steal_fd(&fd);
	}
	return -ENOENT;
}
