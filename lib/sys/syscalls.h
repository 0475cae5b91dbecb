/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that the C library of Debian 12 (glibc 2.36) has no wrapper for, in its style: -1 and errno.
 * The mount calls and pidfd calls come from <sys/mount.h> and <sys/pidfd.h> (not from <linux/mount.h>, which
 * defines the same words again). Header only, because the monitor, which links none of the library, uses it.
 */
#ifndef SYS_SYSCALLS_H
#define SYS_SYSCALLS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#ifdef __GLIBC__ /* run/monitor/musl.h has it else */
#include <sys/pidfd.h>
#endif
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's headers. */
#define SYS_FSCONFIG_SET_FD 5
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static inline int sys_clone3(struct clone_args *args)
{
	return (int)syscall(SYS_clone3, args, sizeof(*args));
}

/*
 * With ".." in the path (or in a link on the way) RESOLVE_IN_ROOT and RESOLVE_BENEATH give EAGAIN whenever anybody on the
 * machine renamed or mounted something in the meantime: no error, but "look again". Bounded, for a tenant who renames in a
 * loop.
 */
static inline int sys_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };
	int fd, tries = 10000;
	do
		fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && --tries > 0);
	return fd;
}

/* No signal has a handler or is ignored, before an exec. sigaction(3) would leave out the two signals that the C library has taken
 * for itself, which may be ignored all the same. */
static inline void sys_default_signals(void)
{
	const struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = { .handler = SIG_DFL };
	for (int s = 1; s < _NSIG; s++)
		syscall(SYS_rt_sigaction, s, &action, NULL, sizeof(action.mask));
}

/* struct pidfd_info of Linux 6.15, its first 64 bytes. */
struct sys_pidfd_info {
	uint64_t mask, cgroup_id;
	uint32_t ids[11];
	int32_t exit_code;
};
#define SYS_PIDFD_GET_INFO _IOWR(0xFF, 11, struct sys_pidfd_info)
#define SYS_PIDFD_INFO_EXIT UINT64_C(8)

/* How the process behind PIDFD ended, for whoever is not its parent: 1 with its wait(2) status in *RET_STATUS, 0 while
 * nobody has reaped it, -1 where the kernel does not tell (before 6.15). */
static inline int sys_pidfd_exit(int pidfd, int *ret_status)
{
	struct sys_pidfd_info info = { .mask = SYS_PIDFD_INFO_EXIT };
	if (ioctl(pidfd, SYS_PIDFD_GET_INFO, &info) < 0)
		return -1;
	if (!(info.mask & SYS_PIDFD_INFO_EXIT))
		return 0;
	*ret_status = info.exit_code;
	return 1;
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

#endif
