/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vectl-monitor: the small static program that libve execs for whatever must be done with the host's root next to a tenant.
 * One process a running VE is its monitor (supervise.c); joiners (join.c) and workers in stopped VEs live as long as
 * their task. The plan comes over descriptor 3; see blob.h.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "mon.h"
#include "sys/syscalls.h"
#include "userquota.h"

static char plan[BLOB_MAX_BYTES] __attribute__((aligned(16)));

static int usage(void)
{
	dprintf(2, "vectl-monitor is started by libve; there is nothing to run by hand.\n"
		   "vectl-monitor --stages lists the stages of a start.\n");
	return 64;
}

/* What the caller's terminal sends is for the caller, who tells us by going away. We come with everything blocked. */
static void own_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE };
	sys_default_signals();
	for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	unblock_signals();
}

static int work(struct mon *m)
{
	return birth(m) < 0 ? 1 : 0;
}

static int start_and_supervise(struct mon *m)
{
	if (birth(m) < 0)
		return 1;
	userquota_begin(m);
	return supervise(m);
}

/* The caller of libve is left without a child that it did not make. 0 in the process that goes on. */
static int leave_the_verb(struct mon *m)
{
	if (m->blob->role != MON_ADOPT && (m->blob->role != MON_SUPERVISE || m->blob->flags & BLOB_REPORT_END))
		return 0;
	/* Straight into the monitors' group: a migration would wait for a grace period of the kernel's. */
	int cgroup = mon_fd(m, m->blob->fd_monitor_cgroup);
	struct clone_args args = { .flags = cgroup >= 0 ? CLONE_INTO_CGROUP : 0, .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)cgroup };
	pid_t pid = sys_clone3(&args);
	if (pid > 0)
		_exit(0);
	if (pid == 0) {
		setsid(); /* the caller's terminal is not ours */
		return 0;
	}
	struct failure f = { 0 };
	fail(&f, "clone3", "the monitor");
	msg_failed(m->control, "groups", &f);
	return -1;
}

int main(int argc, char **argv)
{
	static struct mon m = { .control = CONTROL_FD, .sync = -1, .pidfd = -1, .console = -1, .console_slave = -1, .listener = -1,
				.root_mount = -1, .host_root = -1, .proc_mount = -1 };
	if (argc == 2 && strcmp(argv[1], "--stages") == 0) {
		steps_print();
		stages_print();
		return 0;
	}
	if (argc != 1)
		return usage();
	m.verb = getppid();
	own_signals();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	umask(022);
	(void)!chdir("/");
	caller_forget();
	/* Up to here while libve still makes the plan. */
	if (mon_receive(&m, plan, sizeof(plan)) < 0)
		return usage();
	if (leave_the_verb(&m) < 0)
		return 1;
	switch (m.blob->role) {
	case MON_SUPERVISE:
		return start_and_supervise(&m);
	case MON_WORK:
		return work(&m);
	case MON_JOIN:
		return join_main(&m);
	case MON_ADOPT:
		return adopt(&m);
	default:
		return usage();
	}
}
