/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader against damaged files, and the shipped policies: what they answer to a call is asked of an
 * interpreter of filters (so that calls can be asked that nobody wants made, and those of other architectures),
 * and some are made, in a child that has loaded the policy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "sec/seccomp.h"

enum { X64 = 0, I386, X32 };
#define OK SECCOMP_RET_ALLOW
#define NO(e) (SECCOMP_RET_ERRNO | (e))

/* ---- where the policies are: this program is O/tests/unit/NAME, they are in O/share/seccomp ---- */

static char *policy_dir(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	return str_printf("%s/share/seccomp", path);
}

static struct seccomp_policy load(const char *name)
{
	_cleanup_free_ char *dir = policy_dir();
	struct seccomp_policy p;
	_cleanup_err_ ve_error *e = NULL;
	if (seccomp_policy_load(dir, name, &p, &e) < 0)
		fail_msg("%s", ve_error_message(e));
	return p;
}

/* ---- the interpreter ---- */

static uint32_t run(const struct sock_fprog *prog, const struct seccomp_data *data)
{
	uint32_t a = 0, word, mem[BPF_MEMWORDS] = { 0 };
	for (unsigned pc = 0;; pc++) {
		assert_true(pc < prog->len);
		const struct sock_filter *f = &prog->filter[pc];
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&word, (const char *)data + f->k, sizeof(word));
			a = word;
			break;
		case BPF_LD | BPF_MEM:
			a = mem[f->k];
			break;
		case BPF_ST:
			mem[f->k] = a;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("opcode %#x", f->code);
		}
	}
}

/* The kernel runs all programs, newest first, and the most restrictive answer wins; of equal ones the newest. */
static uint32_t verdict(const struct seccomp_policy *p, int abi, int nr, const uint64_t *args)
{
	struct seccomp_data data = {
		.nr = abi == X32 ? (int)(0x40000000u + (unsigned)nr) : nr,
		.arch = abi == I386 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64,
	};
	memcpy(data.args, args, sizeof(data.args));
	uint32_t best = OK;
	for (unsigned i = p->n_programs; i-- > 0;) {
		uint32_t r = run(&p->programs[i], &data);
		if ((int32_t)(r & SECCOMP_RET_ACTION_FULL) < (int32_t)(best & SECCOMP_RET_ACTION_FULL))
			best = r;
	}
	return best;
}

struct expect {
	const char *what;
	int abi, nr;
	uint64_t args[6];
	uint32_t answer;
};

static void check_table(const struct seccomp_policy *p, const struct expect *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t got = verdict(p, e[i].abi, e[i].nr, e[i].args);
		if (got != e[i].answer)
			fail_msg("%s: %#x instead of %#x", e[i].what, got, e[i].answer);
	}
}

#define HIGH (UINT64_C(0xdead) << 32)

static void test_vps(void **state)
{
	static const struct expect table[] = {
		{ "read", X64, SYS_read, { 0 }, OK },
		{ "a call of the future", X64, 999, { 0 }, OK },
		{ "clone3", X64, SYS_clone3, { 0 }, OK },
		{ "mount", X64, SYS_mount, { 0 }, OK },
		{ "fsopen", X64, SYS_fsopen, { 0 }, OK },
		{ "reboot", X64, SYS_reboot, { 0 }, OK },
		{ "adjtimex", X64, SYS_adjtimex, { 0 }, OK },
		{ "seccomp", X64, SYS_seccomp, { 0 }, OK },
		{ "name_to_handle_at", X64, SYS_name_to_handle_at, { 0 }, OK },
		{ "ptrace", X64, SYS_ptrace, { 0 }, OK },
		{ "io_uring_setup", X64, SYS_io_uring_setup, { 0 }, NO(ENOSYS) },
		{ "io_uring_enter", X64, SYS_io_uring_enter, { 0 }, NO(ENOSYS) },
		{ "io_uring_register", X64, SYS_io_uring_register, { 0 }, NO(ENOSYS) },
		{ "add_key", X64, SYS_add_key, { 0 }, NO(ENOSYS) },
		{ "request_key", X64, SYS_request_key, { 0 }, NO(ENOSYS) },
		{ "keyctl", X64, SYS_keyctl, { 0 }, NO(ENOSYS) },
		{ "kexec_load", X64, SYS_kexec_load, { 0 }, NO(ENOSYS) },
		{ "kexec_file_load", X64, SYS_kexec_file_load, { 0 }, NO(ENOSYS) },
		{ "init_module", X64, SYS_init_module, { 0 }, NO(EPERM) },
		{ "finit_module", X64, SYS_finit_module, { 0 }, NO(EPERM) },
		{ "delete_module", X64, SYS_delete_module, { 0 }, NO(EPERM) },
		{ "open_by_handle_at", X64, SYS_open_by_handle_at, { 0 }, NO(EPERM) },
		{ "swapon", X64, SYS_swapon, { 0 }, NO(EPERM) },
		{ "swapoff", X64, SYS_swapoff, { 0 }, NO(EPERM) },
		{ "acct", X64, SYS_acct, { 0 }, NO(EPERM) },
		{ "iopl", X64, SYS_iopl, { 0 }, NO(EPERM) },
		{ "ioperm", X64, SYS_ioperm, { 0 }, NO(EPERM) },
		{ "perf_event_open", X64, SYS_perf_event_open, { 0 }, NO(EPERM) },
		{ "bpf", X64, SYS_bpf, { 0 }, NO(EPERM) },
		{ "quotactl", X64, SYS_quotactl, { 0 }, NO(EPERM) },
		{ "quotactl_fd", X64, SYS_quotactl_fd, { 0 }, NO(EPERM) },
		{ "syslog", X64, SYS_syslog, { 3 }, NO(EPERM) },
		{ "umount2", X64, SYS_umount2, { 0, 0 }, OK },
		{ "umount2 detach", X64, SYS_umount2, { 0, MNT_DETACH }, OK },
		{ "umount2 force", X64, SYS_umount2, { 0, MNT_FORCE }, NO(EPERM) },
		{ "umount2 force among others", X64, SYS_umount2, { 0, MNT_FORCE | MNT_DETACH }, NO(EPERM) },
		{ "umount2 force, high half", X64, SYS_umount2, { 0, HIGH | MNT_FORCE }, NO(EPERM) },
		{ "userfaultfd", X64, SYS_userfaultfd, { O_CLOEXEC }, NO(EPERM) },
		{ "userfaultfd user mode only", X64, SYS_userfaultfd, { O_CLOEXEC | 1 }, OK },
		{ "TCGETS", X64, SYS_ioctl, { 0, 0x5401 }, OK },
		{ "TIOCSTI", X64, SYS_ioctl, { 0, TIOCSTI }, NO(EPERM) },
		{ "TIOCSTI, high half", X64, SYS_ioctl, { 0, HIGH | TIOCSTI }, NO(EPERM) },
		{ "TIOCLINUX, high half", X64, SYS_ioctl, { 0, HIGH | TIOCLINUX }, NO(EPERM) },
		{ "AF_UNIX", X64, SYS_socket, { AF_UNIX, SOCK_STREAM }, OK },
		{ "AF_INET", X64, SYS_socket, { AF_INET, SOCK_STREAM }, OK },
		{ "AF_INET6", X64, SYS_socket, { AF_INET6, SOCK_STREAM }, OK },
		{ "AF_PACKET", X64, SYS_socket, { AF_PACKET, SOCK_RAW }, OK },
		{ "NETLINK_ROUTE", X64, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, OK },
		{ "NETLINK_NETFILTER", X64, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER }, OK },
		{ "NETLINK_AUDIT", X64, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_AUDIT }, NO(EAFNOSUPPORT) },
		{ "NETLINK_AUDIT, high halves", X64, SYS_socket, { HIGH | AF_NETLINK, SOCK_RAW, HIGH | NETLINK_AUDIT },
		  NO(EAFNOSUPPORT) },
		{ "NETLINK_CRYPTO", X64, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_CRYPTO }, NO(EPROTONOSUPPORT) },
		{ "AF_INET with audit's number", X64, SYS_socket, { AF_INET, SOCK_RAW, NETLINK_AUDIT }, OK },
		{ "AF_ALG", X64, SYS_socket, { AF_ALG, SOCK_SEQPACKET }, NO(EAFNOSUPPORT) },
		{ "AF_ALG, high half", X64, SYS_socket, { HIGH | AF_ALG, SOCK_SEQPACKET }, NO(EAFNOSUPPORT) },
		{ "AF_VSOCK", X64, SYS_socket, { AF_VSOCK, SOCK_STREAM }, NO(EAFNOSUPPORT) },
		{ "a family of the future", X64, SYS_socket, { 77 }, NO(EAFNOSUPPORT) },
		{ "AF_TIPC pair", X64, SYS_socketpair, { AF_TIPC, SOCK_STREAM }, NO(EAFNOSUPPORT) },
		{ "AF_UNIX pair", X64, SYS_socketpair, { AF_UNIX, SOCK_STREAM }, OK },
		{ "i386 exit", I386, 1, { 0 }, OK },
		{ "i386 io_uring_setup", I386, 425, { 0 }, NO(ENOSYS) },
		{ "i386 keyctl", I386, 288, { 0 }, NO(ENOSYS) },
		{ "i386 init_module", I386, 128, { 0 }, NO(EPERM) },
		{ "i386 open_by_handle_at", I386, 342, { 0 }, NO(EPERM) },
		{ "i386 bpf", I386, 357, { 0 }, NO(EPERM) },
		{ "i386 umount2 force", I386, 52, { 0, MNT_FORCE }, NO(EPERM) },
		{ "i386 TIOCSTI", I386, 54, { 0, TIOCSTI }, NO(EPERM) },
		{ "i386 AF_INET", I386, 359, { AF_INET, SOCK_STREAM }, OK },
		{ "i386 AF_ALG", I386, 359, { AF_ALG, SOCK_SEQPACKET }, NO(EAFNOSUPPORT) },
		{ "i386 AF_TIPC pair", I386, 360, { AF_TIPC, SOCK_STREAM }, NO(EAFNOSUPPORT) },
		{ "i386 socketcall (named hole)", I386, 102, { 1 }, OK },
		{ "i386 socket's number is x86-64's nothing", X64, 359, { AF_ALG }, OK },
		{ "x32 read", X32, 0, { 0 }, NO(ENOSYS) },
		{ "x32 socket", X32, SYS_socket, { AF_INET }, NO(ENOSYS) },
		{ "x32 bpf", X32, SYS_bpf, { 0 }, NO(ENOSYS) },
	};
	struct seccomp_policy p = load("vps");
	assert_false(p.no_new_privs);
	check_table(&p, table, ARRAY_SIZE(table));
	seccomp_policy_done(&p);
}

/* The same but for one call. */
static void test_vps_quota(void **state)
{
	const uint64_t none[6] = { 0 };
	struct seccomp_policy vps = load("vps"), quota = load("vps-quota");
	static const int quotactl[] = { [X64] = SYS_quotactl, [I386] = 131, [X32] = -1 };
	assert_int_equal(vps.n_programs, quota.n_programs);
	for (int abi = X64; abi <= X32; abi++)
		for (int nr = 0; nr < 600; nr++) {
			uint32_t expected = nr == quotactl[abi] ? SECCOMP_RET_USER_NOTIF : verdict(&vps, abi, nr, none);
			uint32_t got = verdict(&quota, abi, nr, none);
			if (got != expected)
				fail_msg("abi %d, call %d: %#x instead of %#x", abi, nr, got, expected);
		}
	/* Who listens does so to the first of the programs. */
	struct seccomp_data d = { .nr = SYS_quotactl, .arch = AUDIT_ARCH_X86_64 };
	assert_int_equal(run(&quota.programs[0], &d), SECCOMP_RET_USER_NOTIF);
	seccomp_policy_done(&vps);
	seccomp_policy_done(&quota);
}

static void test_jail(void **state)
{
	static const struct expect table[] = {
		{ "read", X64, SYS_read, { 0 }, OK },
		{ "execve", X64, SYS_execve, { 0 }, OK },
		{ "io_submit", X64, SYS_io_submit, { 0 }, OK },
		{ "a call of the future", X64, 999, { 0 }, NO(ENOSYS) },
		{ "clone3", X64, SYS_clone3, { 0 }, NO(ENOSYS) },
		{ "clone of a thread", X64, SYS_clone, { CLONE_VM | CLONE_FS | CLONE_THREAD | CLONE_SIGHAND }, OK },
		{ "clone of a process", X64, SYS_clone, { 17 }, OK },
		{ "clone NEWUSER", X64, SYS_clone, { CLONE_NEWUSER | 17 }, NO(ENOSYS) },
		{ "clone NEWNET", X64, SYS_clone, { CLONE_NEWNET }, NO(ENOSYS) },
		{ "clone NEWCGROUP, high half", X64, SYS_clone, { HIGH | CLONE_NEWCGROUP }, NO(ENOSYS) },
		{ "unshare", X64, SYS_unshare, { 0 }, NO(EPERM) },
		{ "setns", X64, SYS_setns, { 0 }, NO(EPERM) },
		{ "mount", X64, SYS_mount, { 0 }, NO(EPERM) },
		{ "move_mount", X64, SYS_move_mount, { 0 }, NO(EPERM) },
		{ "reboot", X64, SYS_reboot, { 0 }, NO(EPERM) },
		{ "bpf", X64, SYS_bpf, { 0 }, NO(EPERM) },
		{ "ptrace", X64, SYS_ptrace, { 0 }, NO(EPERM) },
		{ "io_uring_setup", X64, SYS_io_uring_setup, { 0 }, NO(ENOSYS) },
		{ "keyctl", X64, SYS_keyctl, { 0 }, NO(ENOSYS) },
		{ "userfaultfd", X64, SYS_userfaultfd, { 1 }, NO(ENOSYS) },
		{ "personality", X64, SYS_personality, { 0 }, OK },
		{ "personality: no randomisation", X64, SYS_personality, { 0x0040000 }, NO(ENOSYS) },
		{ "FIONREAD", X64, SYS_ioctl, { 0, FIONREAD }, OK },
		{ "TIOCSTI, high half", X64, SYS_ioctl, { 0, HIGH | TIOCSTI }, NO(EPERM) },
		{ "AF_INET", X64, SYS_socket, { AF_INET, SOCK_STREAM }, OK },
		{ "NETLINK_ROUTE", X64, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, OK },
		{ "NETLINK_NETFILTER", X64, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER },
		  NO(EPROTONOSUPPORT) },
		{ "AF_PACKET", X64, SYS_socket, { AF_PACKET, SOCK_RAW }, NO(EAFNOSUPPORT) },
		{ "AF_VSOCK", X64, SYS_socket, { AF_VSOCK, SOCK_STREAM }, NO(EAFNOSUPPORT) },
		{ "i386 read", I386, 3, { 0 }, OK },
		{ "i386 mount", I386, 21, { 0 }, NO(EPERM) },
		{ "i386 socketcall", I386, 102, { 1 }, NO(ENOSYS) },
		{ "i386 AF_INET", I386, 359, { AF_INET, SOCK_STREAM }, OK },
		{ "i386 AF_VSOCK", I386, 359, { AF_VSOCK, SOCK_STREAM }, NO(EAFNOSUPPORT) },
		{ "i386 clone NEWUSER", I386, 120, { CLONE_NEWUSER }, NO(ENOSYS) },
		{ "x32 read", X32, 0, { 0 }, NO(ENOSYS) },
	};
	struct seccomp_policy p = load("jail");
	assert_true(p.no_new_privs);
	check_table(&p, table, ARRAY_SIZE(table));
	seccomp_policy_done(&p);
}

static void test_core(void **state)
{
	static const struct expect table[] = {
		{ "setrlimit core", X64, SYS_setrlimit, { RLIMIT_CORE, 1 }, NO(0) },
		{ "setrlimit core, high half", X64, SYS_setrlimit, { HIGH | RLIMIT_CORE, 1 }, NO(0) },
		{ "setrlimit nofile", X64, SYS_setrlimit, { RLIMIT_NOFILE, 1 }, OK },
		{ "prlimit reads core", X64, SYS_prlimit64, { 0, RLIMIT_CORE, 0, 1 }, OK },
		{ "prlimit sets core", X64, SYS_prlimit64, { 0, RLIMIT_CORE, 1, 0 }, NO(0) },
		{ "prlimit sets core, high address", X64, SYS_prlimit64, { 0, RLIMIT_CORE, HIGH, 0 }, NO(0) },
		{ "prlimit swaps core", X64, SYS_prlimit64, { 0, RLIMIT_CORE, 1, 1 }, NO(EPERM) },
		{ "prlimit sets nofile", X64, SYS_prlimit64, { 0, RLIMIT_NOFILE, 1, 0 }, OK },
		{ "i386 setrlimit core", I386, 75, { RLIMIT_CORE, 1 }, NO(0) },
		{ "i386 prlimit sets core", I386, 340, { 0, RLIMIT_CORE, 1, 0 }, NO(0) },
		{ "x32: the other policy's answer", X32, SYS_prlimit64, { 0, RLIMIT_CORE, 1, 0 }, NO(ENOSYS) },
		{ "the other policy's bpf", X64, SYS_bpf, { 0 }, NO(EPERM) },
	};
	_cleanup_free_ char *dir = policy_dir();
	struct seccomp_policy p = load("vps");
	unsigned n = p.n_programs;
	assert_int_equal(seccomp_policy_add(dir, "core", &p, NULL), 0);
	assert_int_equal(p.n_programs, n + 1);
	check_table(&p, table, ARRAY_SIZE(table));
	seccomp_policy_done(&p);
	p = load("jail");
	assert_int_equal(seccomp_policy_add(dir, "core", &p, NULL), 0);
	assert_true(p.no_new_privs);
	/* One too many changes nothing. */
	_cleanup_err_ ve_error *e = NULL;
	while (p.n_programs < SECCOMP_MAX_PROGRAMS)
		assert_int_equal(seccomp_policy_add(dir, "core", &p, NULL), 0);
	n = p.n_programs;
	assert_int_equal(seccomp_policy_add(dir, "jail", &p, &e), -E2BIG);
	assert_int_equal(p.n_programs, n);
	seccomp_policy_done(&p);
}

/* ---- the kernel ---- */

/* In a child with POLICY loaded: FN's return is the exit status. */
static int under(const struct seccomp_policy *p, int (*fn)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(100);
		for (unsigned i = 0; i < p->n_programs; i++)
			if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p->programs[i]) < 0)
				_exit(101);
		_exit(fn());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool fails(long r, int errnum)
{
	return r == -1 && errno == errnum;
}

/* i386's call from a 64-bit program. */
static long int80(long nr, long a, long b, long c)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

static int call_vps(void)
{
	if (!fails(syscall(SYS_io_uring_setup, 0, NULL), ENOSYS) || !fails(syscall(SYS_keyctl, 0, 0), ENOSYS))
		return 1;
	if (!fails(syscall(SYS_bpf, 0, NULL, 0), EPERM) || !fails(umount2("/nonexistent", MNT_FORCE), EPERM) ||
	    !fails(umount2("/nonexistent", 0), geteuid() == 0 ? ENOENT : EPERM))
		return 2;
	if (!fails(socket(AF_ALG, SOCK_SEQPACKET, 0), EAFNOSUPPORT) ||
	    !fails(socket(AF_VSOCK, SOCK_STREAM, 0), EAFNOSUPPORT) ||
	    !fails(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT), EAFNOSUPPORT))
		return 3;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0 || socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) < 0)
		return 4;
	if (!fails(syscall(SYS_ioctl, 0, HIGH | TIOCSTI, NULL), EPERM))
		return 5;
	if (int80(20, 0, 0, 0) == -ENOSYS)
		return 0; /* getpid: a kernel without i386 */
	return int80(359, AF_ALG, SOCK_SEQPACKET, 0) == -EAFNOSUPPORT && int80(425, 0, 0, 0) == -ENOSYS &&
			       int80(359, AF_UNIX, SOCK_STREAM, 0) >= 0 ?
		       0 :
		       6;
}

static int thread(void *arg)
{
	return 0;
}

static int call_jail(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	if (!fails(syscall(SYS_clone3, NULL, 0), ENOSYS) || !fails(unshare(CLONE_NEWUTS), EPERM) ||
	    !fails(mount("a", "/", "tmpfs", 0, NULL), EPERM))
		return 1;
	if (!fails(clone(thread, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, NULL), ENOSYS))
		return 2;
	pid_t pid = clone(thread, stack + sizeof(stack), SIGCHLD, NULL);
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return 3;
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)"exit $(echo 0 | cat)", NULL };
	execv(argv[0], argv);
	return 4;
}

static int call_core(void)
{
	struct rlimit one = { 1, 1 }, zero = { 0, 1 }, now = { 7, 7 };
	if (setrlimit(RLIMIT_CORE, &zero) < 0 || getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_cur != one.rlim_cur)
		return 1;
	if (syscall(SYS_setrlimit, RLIMIT_CORE, &zero) < 0 || getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_cur != 1)
		return 2;
	return getrlimit(RLIMIT_NOFILE, &now) == 0 && setrlimit(RLIMIT_NOFILE, &now) == 0 ? 0 : 3;
}

static void test_kernel(void **state)
{
	struct seccomp_policy p = load("vps");
	assert_int_equal(under(&p, call_vps), 0);
	seccomp_policy_done(&p);
	p = load("jail");
	assert_int_equal(under(&p, call_jail), 0);
	seccomp_policy_done(&p);
	struct rlimit before, one = { 1, 0 };
	assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
	one.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_CORE, &one), 0);
	p = load("core");
	assert_int_equal(under(&p, call_core), 0);
	seccomp_policy_done(&p);
	assert_int_equal(setrlimit(RLIMIT_CORE, &before), 0);
}

/* ---- damaged files ---- */

#define INSN(code, jt, jf, k) { code, jt, jf, k }
static const struct sock_filter allow[] = { INSN(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW) };
static const struct sock_filter no_end[] = { INSN(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0) };
static const struct sock_filter far_jump[] = { INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
					       INSN(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW) };
static const struct sock_filter wide_jump[] = { INSN(BPF_JMP | BPF_JA, 0, 0, UINT32_MAX),
						INSN(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW) };
static const struct sock_filter past_data[] = { INSN(BPF_LD | BPF_W | BPF_ABS, 0, 0, 64),
						INSN(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW) };
static const struct sock_filter odd_load[] = { INSN(BPF_LD | BPF_W | BPF_ABS, 0, 0, 2),
					       INSN(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW) };
static const struct sock_filter unknown[] = { INSN(0xffff, 0, 0, 0),
					      INSN(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW) };

/* A file is magic, flags and PROGRAMS times one program with the count COUNT; CUT bytes are taken from its end. */
static const struct damage {
	const char *why; /* a part of the message; NULL: it is whole */
	const char *magic;
	uint32_t flags, count;
	unsigned programs;
	const struct sock_filter *code;
	size_t n, cut;
} damages[] = {
	{ NULL, SECCOMP_FILE_MAGIC, 0, 1, 1, allow, 1, 0 },
	{ NULL, SECCOMP_FILE_MAGIC, 1, 1, 4, allow, 1, 0 },
	{ "begin", "VBPF2\n", 0, 1, 1, allow, 1, 0 },
	{ "begin", "", 0, 1, 1, allow, 1, 0 },
	{ "flags", SECCOMP_FILE_MAGIC, 2, 1, 1, allow, 1, 0 },
	{ "flags", SECCOMP_FILE_MAGIC, 0, 1, 0, allow, 1, 2 },
	{ "no program", SECCOMP_FILE_MAGIC, 0, 1, 0, allow, 1, 0 },
	{ "length", SECCOMP_FILE_MAGIC, 0, 0, 1, allow, 1, 0 },
	{ "length", SECCOMP_FILE_MAGIC, 0, BPF_MAXINSNS + 1, 1, allow, 1, 0 },
	{ "length", SECCOMP_FILE_MAGIC, 0, UINT32_MAX, 1, allow, 1, 0 },
	{ "length", SECCOMP_FILE_MAGIC, 0, 1, 1, allow, 1, 9 },
	{ "cut short", SECCOMP_FILE_MAGIC, 0, 2, 1, allow, 1, 0 },
	{ "cut short", SECCOMP_FILE_MAGIC, 0, 1, 1, allow, 1, 1 },
	{ "too many", SECCOMP_FILE_MAGIC, 0, 1, 5, allow, 1, 0 },
	{ "return", SECCOMP_FILE_MAGIC, 0, 1, 1, no_end, 1, 0 },
	{ "instruction", SECCOMP_FILE_MAGIC, 0, 2, 1, far_jump, 2, 0 },
	{ "instruction", SECCOMP_FILE_MAGIC, 0, 2, 1, wide_jump, 2, 0 },
	{ "instruction", SECCOMP_FILE_MAGIC, 0, 2, 1, past_data, 2, 0 },
	{ "instruction", SECCOMP_FILE_MAGIC, 0, 2, 1, odd_load, 2, 0 },
	{ "instruction", SECCOMP_FILE_MAGIC, 0, 2, 1, unknown, 2, 0 },
};

static void write_damaged(const char *dir, const struct damage *d)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	_cleanup_free_ char *path = str_printf("%s/bad.bpf", dir);
	strbuf_add(&b, d->magic);
	strbuf_add_n(&b, &d->flags, sizeof(d->flags));
	for (unsigned i = 0; i < d->programs; i++) {
		strbuf_add_n(&b, &d->count, sizeof(d->count));
		strbuf_add_n(&b, d->code, d->n * sizeof(*d->code));
	}
	assert_false(b.oom);
	assert_int_equal(file_replace(AT_FDCWD, path, b.data, b.len - d->cut, 0600, false), 0);
}

static void test_damaged(void **state)
{
	char dir[] = "/tmp/vectl-test-XXXXXX";
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct seccomp_policy p = { .n_programs = 99 };
		_cleanup_err_ ve_error *e = NULL;
		write_damaged(dir, &damages[i]);
		int r = seccomp_policy_load(dir, "bad", &p, &e);
		if (!damages[i].why) {
			assert_int_equal(r, 0);
			assert_int_equal(p.n_programs, damages[i].programs);
			assert_int_equal(p.no_new_privs, damages[i].flags);
			seccomp_policy_done(&p);
			continue;
		}
		assert_int_equal(r, -EBADMSG);
		assert_int_equal(p.n_programs, 99);
		assert_int_equal(ve_error_category(e), VE_ERR_DATA);
		if (!strstr(ve_error_message(e), damages[i].why) || !strstr(ve_error_message(e), "bad.bpf"))
			fail_msg("case %zu: '%s'", i, ve_error_message(e));
	}
	assert_int_equal(file_remove_tree(AT_FDCWD, dir), 0);
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", "..", "a/b", "../jail", "-x", "A", "vps.bpf", "a\nb" };
	struct seccomp_policy p;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		assert_int_equal(seccomp_policy_load("/", bad[i], &p, &e), -EINVAL);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	}
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(seccomp_policy_load("/nonexistent", "vps", &p, &e), -ENOENT);
	assert_int_equal(ve_error_category(e), VE_ERR_NOT_FOUND);
	assert_non_null(strstr(ve_error_message(e), "/nonexistent/vps.bpf"));
	assert_int_equal(seccomp_policy_load("/nonexistent", "none", &p, NULL), 0);
	assert_int_equal(p.n_programs, 0);
	seccomp_policy_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vps),    cmocka_unit_test(test_vps_quota), cmocka_unit_test(test_jail),	cmocka_unit_test(test_core),
		cmocka_unit_test(test_kernel), cmocka_unit_test(test_damaged), cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
