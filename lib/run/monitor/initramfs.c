/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts that run from their initramfs. pivot_root(2) refuses a root that has no mount below it, and such a host's root is
 * the bottom of all mounts. So there the VE is born with an empty tmpfs laid over that root, and pivots away from the
 * tmpfs:
 *
 *   monitor   a mount namespace of its own: the host's mounts taken away but for what the child needs to see, the
 *             tmpfs on top, as its root (else it counts as chrooted and may make no user namespace); its working
 *             directory stays the host's root. clone3; back to the host's namespace
 *   child     the same in a copy, where the tmpfs is locked, as the user namespace is another: attaches the VE's tree to
 *             the tmpfs and pivots, as everywhere. The lock goes over to the VE's tree (pivot_root in fs/namespace.c), so
 *             that the VE's root cannot take it off and look at what is below.
 */
#include "initramfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "sys/syscalls.h"

enum { MAX_MOUNTS_BYTES = 1 << 18 };

/* By the type that only an initramfs' root has; a live system's own tmpfs comes to no harm by it. */
static bool is_initramfs(void)
{
	struct statfs s;
	return statfs("/", &s) == 0 && (s.f_type == TMPFS_MAGIC || s.f_type == RAMFS_MAGIC);
}

/* What the child looks at before it pivots: procfs and sysfs, that it may mount its own, and devices. */
static bool is_needed(const char *path)
{
	static const char *const needed[] = { "/", "/proc", "/sys", "/dev" };
	for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (strcmp(path, needed[i]) == 0)
			return true;
	return false;
}

/* Takes away the host's mounts, topmost first, in a mount namespace that is ours alone. What does not go (names with
 * blanks, which the kernel writes as octal) is out of the VE's sight all the same. */
static int drop_mounts(struct failure *f)
{
	static char table[MAX_MOUNTS_BYTES + 1];
	int fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(f, "open", "/proc/self/mounts");
	size_t len = 0;
	for (ssize_t n; len < MAX_MOUNTS_BYTES && (n = read(fd, table + len, MAX_MOUNTS_BYTES - len)) > 0;)
		len += (size_t)n;
	close(fd);
	while (len > 0) {
		table[len] = '\0';
		while (len > 0 && table[len - 1] != '\n')
			len--;
		char *path = strchr(table + len, ' '), *end = path ? strchr(path + 1, ' ') : NULL;
		if (end) {
			*end = '\0';
			if (!is_needed(path + 1))
				umount2(path + 1, MNT_DETACH | UMOUNT_NOFOLLOW);
		}
		len -= len > 0;
	}
	return 0;
}

int initramfs_cover(int *ret_home, struct failure *f)
{
	*ret_home = -1;
	if (!is_initramfs())
		return 0;
	int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return fail(f, "open", "mount namespace");
	*ret_home = home;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(f, "unshare", "mount namespace");
	if (drop_mounts(f) < 0)
		return -1;
	if (mount("vectl", "/", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=755") < 0)
		return fail(f, "mount", "tmpfs over the initramfs");
	/* "/" itself is where our root is, below the tmpfs; its ".." is the same place, but what lies on it. */
	return chroot("/..") < 0 ? fail(f, "chroot", "tmpfs over the initramfs") : 0;
}

int initramfs_uncover(int home, struct failure *f)
{
	if (home < 0)
		return 0;
	int r = setns(home, CLONE_NEWNS) < 0 ? fail(f, "setns", "the host's mount namespace") : 0;
	close(home);
	return r;
}
