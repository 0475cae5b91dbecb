/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Process 1 of a jail. Of the kernel's process 1 is the only one that no signal ends whose default that would be, and the parent of
 * every process that has lost its own; programs expect neither. So the command is process 2, and this is all that process 1 does:
 * it reaps, hands on the signals that it gets, and ends as the command ends (which ends whatever else runs inside).
 *
 * It is the child of child.c without another exec, as that would cost a jail a tenth of its life. What must be so for that:
 *   - the memory is the monitor's and never becomes dumpable: its owner for the kernel is the host's root, so that no id or
 *     capability inside traces it, reads it, or opens its exe, fd or environ (ptrace_may_access() in the kernel). There is
 *     nothing in it but the plan of this jail, of which the tenant has seen or given all but some paths of the host's
 *   - nothing is open, neither the host's nor the command's: who waits for the end of a pipe gets it when the command closes it
 *   - of the capabilities there is CAP_KILL, in the jail's user namespace, for a command that has become somebody else
 *   - the system call filter is the command's
 */
#include "reaper.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"

/* The command's way to its exec, on the stack that it shares our memory with. */
enum { STACK_BYTES = 64 * 1024, BROKEN = 70 };

/* True: the command has ended, with STATUS. Whatever else has ended was left to us. */
static bool reap(pid_t command, int *status)
{
	pid_t pid;
	do
		pid = waitpid(-1, status, WNOHANG);
	while (pid > 0 && pid != command);
	return pid == command;
}

/* All signals are blocked, so that none is lost, and none ignored: a blocked signal waits even for process 1. */
static int serve(pid_t command, const sigset_t *all)
{
	int status;
	for (;;) {
		int signal = sigwaitinfo(all, NULL);
		if (signal == SIGCHLD && reap(command, &status))
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (signal > 0 && signal != SIGCHLD)
			kill(command, signal);
	}
}

int reaper_become(struct mon *m, int (*command)(void *m), struct failure *f)
{
	static char stack[STACK_BYTES] __attribute__((aligned(16)));
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* We stand still until its exec, and nothing is copied for it: vfork(2), but with a stack of its own. */
	pid_t pid = clone(command, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, m);
	if (pid < 0)
		return fail(f, "clone", "the command's process");
	if (close_range(0, ~0U, 0) < 0 || confine_to_kill() < 0)
		_exit(BROKEN);
	_exit(serve(pid, &all));
}
