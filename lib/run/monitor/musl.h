/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the monitor asks of Linux and musl has no name for, under the names that glibc gives it. The Makefile includes it into
 * whatever becomes a part of the monitor, before anything else, so that no file need know which C library it meets; it does
 * nothing with glibc.
 *
 * The macros stand in front of the functions, as a later musl may declare these itself.
 */
#ifndef MONITOR_MUSL_H
#define MONITOR_MUSL_H

#define _LARGEFILE64_SOURCE /* getdents64(), struct dirent64 */
#include <features.h>
#ifndef __GLIBC__

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/mount.h>
#ifndef STATX_TYPE
#include <linux/stat.h>
static inline int statx(int dir_fd, const char *path, int flags, unsigned mask, struct statx *buffer)
{
	return (int)syscall(SYS_statx, dir_fd, path, flags, mask, buffer);
}
#endif
#ifndef STATX_ATTR_MOUNT_ROOT /* 1.2.5 has statx() without it */
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1U
#define RENAME_EXCHANGE 2U
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef W_EXITCODE
#define W_EXITCODE(code, signal) ((code) << 8 | (signal))
#endif

/* musl keeps a thread's id, and does not learn of a child that it did not make itself. */
#define gettid musl_gettid
static inline pid_t musl_gettid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

#define renameat2 musl_renameat2
static inline int musl_renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags)
{
	return (int)syscall(SYS_renameat2, old_dir, old, new_dir, new, flags);
}

#define close_range musl_close_range
static inline int musl_close_range(unsigned first, unsigned last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

#define pidfd_open musl_pidfd_open
static inline int musl_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

#define pidfd_send_signal musl_pidfd_send_signal
static inline int musl_pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, info, flags);
}

#define open_tree musl_open_tree
static inline int musl_open_tree(int dir_fd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir_fd, path, flags);
}

#define move_mount musl_move_mount
static inline int musl_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, flags);
}

#define mount_setattr musl_mount_setattr
static inline int musl_mount_setattr(int dir_fd, const char *path, unsigned flags, struct mount_attr *attr, size_t size)
{
	return (int)syscall(SYS_mount_setattr, dir_fd, path, flags, attr, size);
}

#define fsopen musl_fsopen
static inline int musl_fsopen(const char *type, unsigned flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

#define fsconfig musl_fsconfig
static inline int musl_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

#define fsmount musl_fsmount
static inline int musl_fsmount(int fd, unsigned flags, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, fd, flags, attributes);
}

#endif
#endif
