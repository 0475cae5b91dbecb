/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A monitor for a VE that lost its own. The pty of the old one went with it: a process apart joins the VE and opens a
 * new one, so that this one never is in the VE's namespaces.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mon.h"

enum { CONSOLE_DEADLINE_MS = 10000 };

/* The process that opens the new console: a joiner whose verb is the monitor. */
static int console_helper(struct mon *m, int monitor)
{
	m->control = monitor;
	if (join_child(m) < 0)
		return 1;
	struct msg got = { .kind = MSG_STARTED };
	const int ends[2] = { m->console, m->console_slave };
	return msg_send(m->control, &got, ends, 2) < 0;
}

/* Without a console, or where the VE's root stops the helper, the VE is still better watched than not. */
static void renew_console(struct mon *m)
{
	int pair[2], ends[2] = { -1, -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	pid_t helper = fork();
	if (helper == 0) {
		close(pair[0]);
		_exit(console_helper(m, pair[1]));
	}
	close(pair[1]);
	struct pollfd p = { .fd = pair[0], .events = POLLIN };
	struct msg msg = { 0 };
	unsigned n = 2;
	if (helper > 0 && poll(&p, 1, CONSOLE_DEADLINE_MS) > 0 && msg_recv(pair[0], &msg, ends, &n) == 1 &&
	    msg.kind == MSG_STARTED) {
		m->console = ends[0];
		m->console_slave = ends[1];
	}
	close(pair[0]); /* tells it to kill its own child and to end, which it does within a deadline */
	while (helper > 0 && waitpid(helper, NULL, 0) < 0 && errno == EINTR)
		;
}

/* libve is let go before the VE is touched: it holds the VE's lock. */
int adopt(struct mon *m)
{
	struct failure f = { 0 };
	m->pidfd = mon_fd(m, m->blob->fd_pidfd);
	if (groups_enter(m, m->blob->monitor_tasks, &f) < 0) {
		msg_failed(m->control, "groups", &f);
		return 1;
	}
	supervise_prepare(m);
	struct msg started = { .kind = MSG_STARTED, .status = getpid() };
	msg_send(m->control, &started, NULL, 0);
	close(m->control);
	m->control = -1;
	renew_console(m);
	return supervise(m);
}
