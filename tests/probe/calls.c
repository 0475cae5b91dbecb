/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What system calls answer: one row a call, each made in a child of its own, so that what succeeds is gone with
 * it. The arguments are chosen so that a call that is let through fails or does nothing, also for root on a
 * host: paths that do not exist, descriptors that are none, sizes out of range. What cannot be asked without
 * harm is left out (reboot, clock_settime).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "probe.h"

#define NOWHERE "/nonexistent/probe"
/* <linux/btrfs.h> and <sys/mount.h> exclude each other. */
#define BTRFS_REQUEST(n) _IOW(0x94, n, char[4096])
#define HIGH_HALF 0x100000000UL
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
enum { X32_BIT = 0x40000000, I386_GETPID = 20, I386_SOCKETCALL = 102, I386_SOCKET = 359,
       I386_IO_URING_SETUP = 425 };

/* One call, by number and arguments. */
struct plain {
	const char *name;
	long nr, args[6];
};

static const struct plain plains[] = {
	{ "getpid", SYS_getpid, { 0 } }, /* what works */
	{ "io_uring_setup", SYS_io_uring_setup, { 0, 0 } },
	{ "io_uring_enter", SYS_io_uring_enter, { -1 } },
	{ "io_uring_register", SYS_io_uring_register, { -1 } },
	{ "keyctl", SYS_keyctl, { 0, -3, 0 } },
	{ "add_key", SYS_add_key, { 0 } },
	{ "request_key", SYS_request_key, { 0 } },
	{ "bpf", SYS_bpf, { 0, 0, 0 } },
	{ "perf_event_open", SYS_perf_event_open, { 0, 0, -1, -1, 0 } },
	{ "init_module", SYS_init_module, { 0, 0, 0 } },
	{ "finit_module", SYS_finit_module, { -1, 0, 0 } },
	{ "delete_module", SYS_delete_module, { 0, O_NONBLOCK } },
	{ "kexec_load", SYS_kexec_load, { 0, 1L << 30, 0, 0 } },
	{ "kexec_file_load", SYS_kexec_file_load, { -1, -1, 0, 0, 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1, 0, 0 } },
	{ "swapon", SYS_swapon, { (long)NOWHERE, 0 } },
	{ "swapoff", SYS_swapoff, { (long)NOWHERE } },
	{ "acct", SYS_acct, { (long)NOWHERE } },
	{ "iopl", SYS_iopl, { 3 } },
	{ "ioperm", SYS_ioperm, { 0x80, 1, 1 } },
	{ "quotactl", SYS_quotactl, { 0x80000400, (long)NOWHERE, 0, 0 } },
	{ "quotactl_fd", SYS_quotactl_fd, { -1, 0x80000400, 0, 0 } },
	{ "syslog", SYS_syslog, { 10, 0, 0 } },
	{ "umount2_force", SYS_umount2, { (long)NOWHERE, MNT_FORCE } },
	{ "umount2", SYS_umount2, { (long)NOWHERE, 0 } },
	{ "userfaultfd", SYS_userfaultfd, { O_CLOEXEC } },
	{ "userfaultfd_user_mode", SYS_userfaultfd, { O_CLOEXEC | 1 } },
	{ "lookup_dcookie", SYS_lookup_dcookie, { 0, 0, 0 } },
	{ "ioctl_TIOCSTI", SYS_ioctl, { 0, TIOCSTI, 0 } },
	{ "ioctl_TIOCSTI_high", SYS_ioctl, { 0, (long)(HIGH_HALF | TIOCSTI), 0 } },
	{ "ioctl_TIOCLINUX", SYS_ioctl, { 0, TIOCLINUX, 0 } },
	{ "ioctl_TIOCLINUX_high", SYS_ioctl, { 0, (long)(HIGH_HALF | TIOCLINUX), 0 } },
	/* With fd 0 on btrfs: what is not refused looks at its argument first (EFAULT). */
	{ "ioctl_SNAP_CREATE", SYS_ioctl, { 0, BTRFS_REQUEST(1), 0 } },
	{ "ioctl_SUBVOL_CREATE", SYS_ioctl, { 0, BTRFS_REQUEST(14), 0 } },
	{ "ioctl_SNAP_CREATE_V2", SYS_ioctl, { 0, BTRFS_REQUEST(23), 0 } },
	{ "ioctl_SUBVOL_CREATE_V2", SYS_ioctl, { 0, BTRFS_REQUEST(24), 0 } },
	{ "clone3", SYS_clone3, { 0, 0 } },
	{ "setns", SYS_setns, { -1, 0 } },
	{ "unshare_user", SYS_unshare, { CLONE_NEWUSER } },
	{ "unshare_mnt", SYS_unshare, { CLONE_NEWNS } },
	{ "unshare_net", SYS_unshare, { CLONE_NEWNET } },
	{ "unshare_time", SYS_unshare, { CLONE_NEWTIME } },
	{ "chroot", SYS_chroot, { (long)"/" } },
	{ "ptrace", SYS_ptrace, { 16, -1, 0, 0 } },
	{ "socket_inet", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "socket_packet", SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "socket_alg", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "socket_vsock", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 } },
	{ "socket_key", SYS_socket, { AF_KEY, SOCK_RAW, 2 } },
	{ "socket_netlink_route", SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE } },
	{ "socket_netlink_audit", SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_AUDIT } },
	{ "socketpair_tipc", SYS_socketpair, { AF_TIPC, SOCK_STREAM, 0, 0 } },
	{ "x32_getpid", X32_BIT + SYS_getpid, { 0 } },
	{ "x32_bpf", X32_BIT + SYS_bpf, { 0, 0, 0 } },
};

static int make_plain(const void *arg)
{
	const struct plain *p = arg;
	return syscall(p->nr, p->args[0], p->args[1], p->args[2], p->args[3], p->args[4], p->args[5]) < 0 ? errno : 0;
}

/* An i386 call of a 64-bit program. A kernel without i386 kills the caller: "SIGSEGV" is the answer then. */
static int make_i386(const void *arg)
{
	const struct plain *p = arg;
	long r;
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(p->nr), "b"(p->args[0]), "c"(p->args[1]), "d"(p->args[2])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)r < 0 ? -(int)r : 0;
}

static const struct plain i386s[] = {
	{ "i386_getpid", I386_GETPID, { 0 } },
	{ "i386_io_uring_setup", I386_IO_URING_SETUP, { 0 } },
	{ "i386_socket_alg", I386_SOCKET, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "i386_socket_unix", I386_SOCKET, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "i386_socketcall", I386_SOCKETCALL, { 0, 0, 0 } }, /* EINVAL: let through */
};

/* Mounts, in a mount namespace of the child's own, over directories that every VE has. */
static const struct try_mount {
	const char *name, *source, *target, *type;
	unsigned long flags;
	const char *data;
} mounts[] = {
	{ "mount_tmpfs", "probe", "/proc", "tmpfs", 0, NULL },
	{ "mount_proc", "probe", "/sys", "proc", 0, NULL },
	{ "mount_sysfs", "probe", "/sys", "sysfs", 0, NULL },
	{ "mount_sysfs_ro", "probe", "/sys", "sysfs", MS_RDONLY, NULL },
	{ "mount_devpts", "probe", "/sys", "devpts", 0, NULL },
	{ "mount_mqueue", "probe", "/sys", "mqueue", 0, NULL },
	{ "mount_cgroup2", "probe", "/sys", "cgroup2", 0, NULL },
	{ "mount_debugfs", "probe", "/sys", "debugfs", 0, NULL },
	{ "mount_tracefs", "probe", "/sys", "tracefs", 0, NULL },
	{ "mount_securityfs", "probe", "/sys", "securityfs", 0, NULL },
	{ "mount_bpf", "probe", "/sys", "bpf", 0, NULL },
	{ "mount_ext4", "/dev/null", "/sys", "ext4", 0, NULL },
	{ "mount_devtmpfs", "probe", "/sys", "devtmpfs", 0, NULL },
	{ "mount_bind", "/proc", "/sys", NULL, MS_BIND, NULL },
	{ "remount_sys_rw", NULL, "/sys", NULL, MS_REMOUNT, NULL },
	{ "remount_bind_sys_rw", NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL },
};

static int make_mount(const void *arg)
{
	const struct try_mount *m = arg;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	return mount(m->source, m->target, m->type, m->flags, m->data) < 0 ? errno : 0;
}

/* Device nodes: made on a tmpfs in a mount namespace of the child's own, else in /tmp, and opened. */
static const struct node {
	const char *name;
	mode_t type;
	unsigned major, minor;
	bool open;
} nodes[] = {
	{ "mknod_fifo", S_IFIFO, 0, 0, false },	   { "mknod_b_7_0", S_IFBLK, 7, 0, false },
	{ "mknod_b_7_0_open", S_IFBLK, 7, 0, true },  { "mknod_c_1_1", S_IFCHR, 1, 1, false },
	{ "mknod_c_1_1_open", S_IFCHR, 1, 1, true },  { "mknod_c_1_11_open", S_IFCHR, 1, 11, true },
	{ "mknod_c_1_3_open", S_IFCHR, 1, 3, true },
};

static int make_node(const void *arg)
{
	const struct node *n = arg;
	static const char path[] = "/tmp/.probe-node";
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		mount("probe", "/tmp", "tmpfs", 0, NULL);
	if (mknod(path, n->type | 0600, makedev(n->major, n->minor)) < 0)
		return errno;
	int fd = n->open ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : 0, r = fd < 0 ? errno : 0;
	unlink(path);
	return r;
}

/* ---- single ones ---- */

static int raise_priority(const void *arg)
{
	return setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 1) < 0 ? errno : 0;
}

static int real_time(const void *arg)
{
	struct sched_param param = { .sched_priority = 1 };
	return sched_setscheduler(0, SCHED_FIFO, &param) < 0 ? errno : 0;
}

/* 0: the soft limit of core files can be lowered to 0, at which a pipe in core_pattern starts its program;
 * EALREADY: it was 0; ENOTSUP: the call said yes and did nothing (policy "core"). */
static int lower_core_limit(const void *arg)
{
	struct rlimit limit, after;
	getrlimit(RLIMIT_CORE, &limit);
	if (limit.rlim_cur == 0)
		return EALREADY;
	limit.rlim_cur = 0;
	if (setrlimit(RLIMIT_CORE, &limit) < 0 || getrlimit(RLIMIT_CORE, &after) < 0)
		return errno;
	return after.rlim_cur == 0 ? 0 : ENOTSUP;
}

static int sleeper(void *arg)
{
	return 0;
}

static int clone_newuser(const void *arg)
{
	static char stack[16384] __attribute__((aligned(16)));
	pid_t pid = clone(sleeper, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, NULL);
	if (pid < 0)
		return errno;
	waitpid(pid, NULL, 0);
	return 0;
}

static const struct single {
	const char *name;
	int (*make)(const void *arg);
} singles[] = {
	{ "raise_priority", raise_priority },
	{ "real_time", real_time },
	{ "lower_core_limit", lower_core_limit },
	{ "clone_user", clone_newuser },
};

/* ---- the report ---- */

static void report(const char *name, int (*make)(const void *arg), const void *arg)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(make(arg));
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		json_string(name, "fork");
	else if (WIFSIGNALED(status))
		json_string(name, WTERMSIG(status) == SIGSEGV ? "SIGSEGV" : WTERMSIG(status) == SIGSYS ? "SIGSYS" : "signal");
	else
		json_errno(name, WEXITSTATUS(status));
}

#define REPORT_ALL(table, make)                                                   \
	for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
		report((table)[i].name, make, &(table)[i])

void report_calls(void)
{
	REPORT_ALL(plains, make_plain);
	REPORT_ALL(i386s, make_i386);
	REPORT_ALL(mounts, make_mount);
	REPORT_ALL(nodes, make_node);
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
		report(singles[i].name, singles[i].make, NULL);
}
