/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories and files of the host's in a VE (the key "mounts"). libve hands over detached clones; here they get the VE's ids,
 * and flags that hold.
 *
 * The VE's root may change the flags of every mount in its namespace, also of those that the host's root made: "read-only" would
 * be a request. The kernel locks flags where a mount comes into a namespace of less power by the copy of a whole namespace
 * (mount_namespaces(7), "Restrictions on mount namespaces"). So they are attached in a namespace for a while, a helper
 * joins the VE's user namespace and copies that, and clones what it finds in the copy: detached again, with their locks.
 */
#include "binds.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "sys/syscalls.h"

static void name_of(unsigned i, char name[8])
{
	snprintf(name, 8, "b%u", i);
}

/* The helper's work, in the monitor's table of descriptors: each clone takes the place of what it was made of. */
static int take_locked(const struct mon *m, int userns_fd)
{
	char name[8];
	if (setns(userns_fd, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0)
		return -1;
	for (unsigned i = 0; i < m->n_binds; i++) {
		name_of(i, name);
		int locked = open_tree(AT_FDCWD, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (locked < 0 || dup3(locked, m->binds[i], O_CLOEXEC) < 0)
			return -1;
		close(locked);
	}
	return 0;
}

static int run_helper(const struct mon *m, int userns_fd, struct failure *f)
{
	struct clone_args args = { .flags = CLONE_FILES };
	int status, pid = sys_clone3(&args);
	if (pid == 0)
		_exit(take_locked(m, userns_fd) < 0 ? errno : 0);
	if (pid < 0)
		return fail(f, "clone3", "mounts");
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return fail(f, "waitpid", "mounts");
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? fail(f, "open_tree", "mounts") : 0;
}

static int lock_flags(const struct mon *m, int userns_fd, struct failure *f)
{
	char name[8];
	struct failure back = { 0 };
	int home, r = scratch_enter(&home, f);
	for (unsigned i = 0; i < m->n_binds && r == 0; i++) {
		name_of(i, name);
		if (scratch_attach(m->binds[i], name) < 0)
			r = fail(f, "move_mount", "mounts");
	}
	if (r == 0)
		r = run_helper(m, userns_fd, f);
	if (scratch_leave(home, &back) < 0 && r == 0) {
		*f = back;
		r = -1;
	}
	return r;
}

/* nosuid and nodev for all: what is in there is not of the image's making. */
static int map_ids(int mnt, int userns_fd, const struct blob_mount *b)
{
	struct mount_attr a = {
		.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | b->attrs,
		.propagation = MS_PRIVATE,
		.userns_fd = (uint64_t)userns_fd,
	};
	return mount_setattr(mnt, "", AT_EMPTY_PATH, &a, sizeof(a));
}

bool binds_wanted(const struct mon *m)
{
	const struct blob_mount *b = mon_at(m, m->blob->mounts);
	for (uint32_t i = 0; i < m->blob->mounts.n; i++)
		if (b[i].kind == BM_BIND)
			return true;
	return false;
}

int binds_open(struct mon *m, int userns_fd, struct failure *f)
{
	const struct blob_mount *b = mon_at(m, m->blob->mounts);
	for (uint32_t i = 0; i < m->blob->mounts.n; i++) {
		if (b[i].kind != BM_BIND)
			continue;
		if (m->n_binds == BLOB_MAX_BINDS || (unsigned)b[i].fd >= m->n_fds) {
			errno = EBADMSG;
			return fail(f, "mounts", mon_str(m, b[i].target));
		}
		/* Ours from here on: a descriptor that stayed open would keep a file system of the host's in use. */
		int mnt = m->fds[b[i].fd];
		m->fds[b[i].fd] = -1;
		m->binds[m->n_binds++] = mnt;
		if (map_ids(mnt, userns_fd, &b[i]) < 0)
			return fail(f, "mount_setattr", mon_str(m, b[i].source));
	}
	return lock_flags(m, userns_fd, f);
}

void binds_close(struct mon *m)
{
	while (m->n_binds > 0)
		close(m->binds[--m->n_binds]);
}
