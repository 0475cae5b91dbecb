/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fault switch of test builds: the plan may name one stage that is to fail with an errno, or at which the verb's own
 * process is to be killed. Compiled out of everything that is installed.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "mon.h"

int fault_here(struct mon *m, const char *stage, struct failure *f)
{
#ifdef VE_FAULTS
	const char *wanted = mon_str(m, m->blob->fault);
	if (!wanted || strcmp(wanted, stage) != 0)
		return 0;
	if (m->blob->fault_errno > 0) {
		errno = m->blob->fault_errno;
		return fail(f, "fault", stage);
	}
	/* The child cannot name a process of the host's: it asks the monitor. */
	struct msg msg = { .kind = CHILD_FAULT };
	if (m->is_child)
		return msg_send(m->sync, &msg, NULL, 0) < 0 ? fail(f, "sendmsg", "monitor") : 0;
	kill(m->verb, SIGKILL);
#else
	(void)m;
	(void)stage;
	(void)f;
#endif
	return 0;
}
