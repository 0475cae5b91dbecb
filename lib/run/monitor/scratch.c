/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mount namespace that lives as long as some work which needs mounts to be attached somewhere: the monitor steps in, on a tmpfs
 * that only it sees, where every host has a directory, and steps back. What is attached there by name, relative to the working
 * directory, goes with it; clones that were made of it stay.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/syscalls.h"

int scratch_enter(int *ret_home, struct failure *f)
{
	*ret_home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (*ret_home < 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("scratch", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=700") < 0 || chdir("/proc") < 0)
		return fail(f, "unshare", "mount namespace for a while");
	return 0;
}

int scratch_leave(int home, struct failure *f)
{
	int r = home >= 0 && setns(home, CLONE_NEWNS) < 0 ? fail(f, "setns", "the host's mount namespace") : 0;
	if (home >= 0)
		close(home);
	return r;
}

int scratch_attach(int mnt, const char *name)
{
	struct stat st;
	if (fstatat(mnt, "", &st, AT_EMPTY_PATH) < 0)
		return -1;
	int r = S_ISDIR(st.st_mode) ? mkdir(name, 0700) : mknod(name, S_IFREG | 0600, 0);
	return r < 0 ? r : move_mount(mnt, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH);
}
