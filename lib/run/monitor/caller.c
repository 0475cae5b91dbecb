/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process inherits from whoever typed the command, and what a VE or a command in it must not: nice value, policy
 * and affinity of the scheduler, the OOM killer's preference, personality (setarch), memory policy (numactl), timer
 * slack. (Session, signals, environment, umask and descriptors are dealt with where they belong; seccomp filters and
 * no_new_privs of the caller's cannot be shed by anyone.) None of these calls is worth a failure: a caller that lacks the
 * privilege keeps what it has.
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mon.h"

enum { DEFAULT_TIMER_SLACK_NS = 50000 };

static void reset_scheduling(void)
{
	const struct sched_param none = { 0 };
	cpu_set_t all; /* the kernel takes what there is of it, and the groups narrow it */
	memset(&all, 0xff, sizeof(all));
	sched_setscheduler(0, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, 0, 0);
	sched_setaffinity(0, sizeof(all), &all);
	syscall(SYS_ioprio_set, 1, 0, 0); /* IOPRIO_WHO_PROCESS, ourselves, as the nice value says */
}

void caller_forget(void)
{
	reset_scheduling();
	personality(PER_LINUX);
	syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
	prctl(PR_SET_TIMERSLACK, DEFAULT_TIMER_SLACK_NS, 0, 0, 0);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "0", 1);
		close(fd);
	}
}

int caller_raise_limits(const struct mon *m, struct failure *f)
{
	const struct blob_rlimit *l = mon_at(m, m->blob->rlimits);
	for (uint32_t i = 0; i < m->blob->rlimits.n; i++) {
		struct rlimit now;
		if (getrlimit((int)l[i].resource, &now) < 0)
			return fail(f, "getrlimit", NULL);
		if (now.rlim_max >= l[i].hard)
			continue;
		now.rlim_max = l[i].hard;
		if (setrlimit((int)l[i].resource, &now) < 0)
			return fail(f, "setrlimit", NULL);
	}
	return 0;
}
