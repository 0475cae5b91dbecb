/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/fuseconn.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "sys/syscalls.h"

/* fusectl, wherever the host has it mounted or not: there is one of it. */
static DIR *open_control(void)
{
	/* Else the question would load the module. */
	if (access("/sys/fs/fuse", F_OK) < 0)
		return NULL;
	_cleanup_close_ int fs = fsopen("fusectl", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return NULL;
	_cleanup_close_ int mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	int dir = mnt < 0 ? -1 : openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	if (!d && dir >= 0)
		close(dir);
	return d;
}

static void abort_one(int dir, const char *connection)
{
	char path[sizeof(((struct dirent *)0)->d_name) + 8];
	snprintf(path, sizeof(path), "%s/abort", connection);
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, "1", 1);
}

void fuseconn_abort(uint32_t first, uint32_t n)
{
	/* Nobody's range begins with the host's root: its own connections are not meant. */
	DIR *d = first ? open_control() : NULL;
	struct stat st;
	/* A connection's directory belongs to whom its file system was mounted for (fuse_ctl_add_conn in fs/fuse/control.c), who
	 * must have an id in the user namespace that mounted it. */
	for (const struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid - first < n)
			abort_one(dirfd(d), e->d_name);
	if (d)
		closedir(d);
}
