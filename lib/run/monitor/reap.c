/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of the child: waiting for it, forcing it, and telling an early end from the one that was meant. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "mon.h"
#include "sys/syscalls.h"

bool reap_await(struct mon *m, int deadline_ms)
{
	if (m->child_ended || m->child <= 0)
		return m->child_ended;
	struct pollfd p = { .fd = m->pidfd, .events = POLLIN };
	int64_t until = clock_ms() + deadline_ms, left = deadline_ms;
	while (left > 0 && poll(&p, 1, (int)left) < 0 && errno == EINTR)
		left = until - clock_ms();
	pid_t r = waitpid(m->child, &m->status, WNOHANG);
	if (r < 0)
		m->status = W_EXITCODE(255, 0); /* somebody else had its status; it is gone all the same */
	m->child_ended = r != 0;
	return m->child_ended;
}

void reap_kill(struct mon *m)
{
	if (m->blob->copy.what == BC_RECEIVE || m->blob->user_change.what != BU_NONE)
		reap_await(m, TIDY_DEADLINE_MS); /* its stream is closed: it knows */
	if (m->child_ended || m->child <= 0)
		return;
	pidfd_send_signal(m->pidfd, SIGKILL, NULL, 0);
	reap_await(m, REAP_DEADLINE_MS);
}

int reap_early(struct mon *m, bool may_end, struct failure *f)
{
	/* Its end of file comes a moment before its end. */
	if (!reap_await(m, REAP_DEADLINE_MS))
		snprintf(f->text, sizeof(f->text), "it hangs");
	else if (WIFSIGNALED(m->status))
		snprintf(f->text, sizeof(f->text), "killed by signal %d", WTERMSIG(m->status));
	else if (WEXITSTATUS(m->status) == 0 && may_end)
		return 0;
	else
		snprintf(f->text, sizeof(f->text), "exit status %d", WEXITSTATUS(m->status));
	errno = ESRCH;
	return fail(f, "wait", "the process ended early");
}

void reap_relay(struct mon *m)
{
	struct msg msg;
	int fds[2] = { -1, -1 };
	for (unsigned n = 2; m->child_ended && !m->relayed && msg_recv(m->sync, &msg, fds, &n) == 1; n = 2) {
		if (msg.kind != MSG_FAILED)
			continue;
		m->relayed = true;
		msg_send(m->control, &msg, NULL, 0);
	}
}
