/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/exec_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/monitor/blob.h"

enum { STACK_BYTES = 16384 };

/* What the child reads, and what it stands on. Its own pages, as it may outlive the call that made it. */
struct exec_monitor {
	volatile int error;
	int socket;
	char program[PATH_MAX];
	char stack[STACK_BYTES] __attribute__((aligned(16)));
};

/* Until its exec the child shares our memory and our thread's variables, while we go on: no function of libc's but
 * syscall(2), which touches none of them unless a call fails (then errno, which the caller of a monitor that cannot be run
 * may find changed once). */
__attribute__((no_sanitize("address", "undefined"))) static int child(void *data)
{
	struct exec_monitor *e = data;
	char *const argv[] = { (char *)"vectl-monitor", NULL }, *const env[] = { NULL };
	/* The socket may be at 0, 1 or 2, in a program that closed those: it goes first. */
	long r = e->socket == CONTROL_FD ? syscall(SYS_fcntl, CONTROL_FD, F_SETFD, 0) :
					   syscall(SYS_dup2, e->socket, CONTROL_FD);
	long null = r < 0 ? r : syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd <= 2 && r >= 0; fd++)
		r = syscall(SYS_dup2, null, fd);
	if (null >= 0 && r >= 0 && syscall(SYS_close_range, CONTROL_FD + 1, ~0U, 0) == 0)
		syscall(SYS_execve, e->program, argv, env);
	e->error = errno;
	syscall(SYS_exit_group, 127);
	return 127;
}

int exec_monitor_begin(const char *program, int socket, pid_t *ret_pid, struct exec_monitor **ret_exec)
{
	sigset_t all, before;
	if (strlen(program) >= PATH_MAX)
		return -ENAMETOOLONG;
	struct exec_monitor *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (e == MAP_FAILED)
		return -errno;
	e->socket = socket;
	memcpy(e->program, program, strlen(program) + 1);
	/* No handler of the caller's may run in the child, whose memory is the caller's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pid_t pid = clone(child, e->stack + sizeof(e->stack), CLONE_VM | SIGCHLD, e);
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		exec_monitor_end(e);
		return -error;
	}
	*ret_pid = pid;
	*ret_exec = e;
	return 0;
}

int exec_monitor_error(const struct exec_monitor *e)
{
	return e ? e->error : 0;
}

void exec_monitor_end(struct exec_monitor *e)
{
	if (e)
		munmap(e, sizeof(*e));
}
