/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not by the mount option discard: with that the host frees each block as it is deleted, and has to find a new one for what is
 * written next, with a transaction of its own file system's for each; writing takes nearly twice as long (tests/bench/NOTES.md). What is
 * freed and taken again within a minute now costs nothing.
 */
#include "trim.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORTH_BYTES = 16 << 20 };

/* Seconds for a large one, which the console must not wait. The kernel keeps in mind which parts have nothing new. */
static void trim(int mount_fd)
{
	struct fstrim_range all = { .len = UINT64_MAX };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int root = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* What a transaction that is not written yet has freed is not free to the trim. */
	_exit(root < 0 || syncfs(root) < 0 || ioctl(root, FITRIM, &all) < 0);
}

void trim_turn(struct trim *t, int mount_fd, uint64_t free_bytes)
{
	if (t->helper > 0 && waitpid(t->helper, NULL, WNOHANG) == 0)
		return;
	t->helper = 0;
	if (free_bytes < t->least)
		t->least = free_bytes;
	if (free_bytes - t->least < WORTH_BYTES)
		return;
	t->least = free_bytes;
	t->helper = fork();
	if (t->helper == 0)
		trim(mount_fd);
}

void trim_end(struct trim *t)
{
	if (t->helper <= 0)
		return;
	kill(t->helper, SIGKILL); /* a trim looks for that */
	waitpid(t->helper, NULL, 0);
	t->helper = 0;
}
