/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Joining a running VE: `exec`, `enter`, `passwd`, and the new console that recover opens.
 *
 * The joiner is this program, freshly exec'd: static, without a page of the caller's in it, and non-dumpable until
 * its child's exec, so that the VE's root can neither read its memory nor write its binary. It enters all
 * eight namespaces with one setns(2) on init's pidfd and forks: only the child is in the pid namespace, where
 * the VE's root may stop or kill it. The joiner itself stays out of reach. libve moves the finished child into the VE's
 * groups (migration is not limited, so that a full VE can be entered), and the joiner waits for its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "mon.h"
#include "mounts.h"
#include "sys/syscalls.h"

enum { ALL_NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			CLONE_NEWCGROUP | CLONE_NEWTIME };

static struct identity who;

/* The child: waits until it is in the VE's groups, then becomes the VE's root in a session of its own. */
static int stage_session(struct mon *m, struct failure *f)
{
	struct msg msg;
	if (msg_recv(m->sync, &msg, NULL, NULL) != 1)
		return fail(f, "recvmsg", "joiner");
	if (setsid() < 0)
		return fail(f, "setsid", NULL);
	if (setgroups(0, NULL) < 0)
		return fail(f, "setgroups", NULL);
	if (setresgid(0, 0, 0) < 0)
		return fail(f, "setresgid", NULL);
	if (setresuid(0, 0, 0) < 0)
		return fail(f, "setresuid", NULL);
	return chdir("/") < 0 ? fail(f, "chdir", "/") : 0;
}

static int stage_terminal(struct mon *m, struct failure *f)
{
	const struct blob *b = m->blob;
	if (b->flags & BLOB_STDIO)
		return confine_stdio(mon_fd(m, b->fd_stdio[0]), mon_fd(m, b->fd_stdio[1]), mon_fd(m, b->fd_stdio[2]),
				     false, f);
	if (!(b->flags & BLOB_TTY) && b->role != MON_ADOPT)
		return 0;
	int ends[2];
	if (confine_open_pty("/dev/pts/ptmx", &ends[0], &ends[1], f) < 0)
		return -1;
	struct msg msg = { .kind = CHILD_CONSOLE };
	if (msg_send(m->sync, &msg, ends, 2) < 0)
		return fail(f, "sendmsg", "joiner");
	if (b->role == MON_ADOPT) {
		/* Laid over the old /dev/console, whose terminal went with the old monitor. */
		int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return mounts_bind(root, ends[1], "dev/console", f);
	}
	return confine_stdio(ends[1], ends[1], ends[1], true, f);
}

static int stage_files(struct mon *m, struct failure *f)
{
	const char *host = mon_str(m, m->blob->hostname); /* set hostname=... */
	if (host && sethostname(host, strlen(host)) < 0)
		return fail(f, "sethostname", host);
	if (files_apply(m, f) < 0)
		return -1;
	return m->blob->argv.n || m->blob->flags & BLOB_LOGIN ? identity_find(mon_str(m, m->blob->user), &who, f) : 0;
}

static int stage_confine(struct mon *m, struct failure *f)
{
	if (confine_limits(m, f) < 0 || confine_keyring(f) < 0)
		return -1;
	return confine_capabilities(m, f);
}

static int stage_user(struct mon *m, struct failure *f)
{
	if (confine_seccomp(m, f) < 0 || confine_identity(&who, f) < 0)
		return -1;
	return confine_cwd(m, &who, f);
}

static int stage_exec(struct mon *m, struct failure *f)
{
	return confine_exec(m, &who, f);
}

static const struct {
	const char *name;
	int (*run)(struct mon *m, struct failure *f);
	bool command; /* only where something is to be run */
} stages[] = {
	{ "session", stage_session, false }, { "terminal", stage_terminal, false }, { "shed", stage_shed, false },
	{ "files", stage_files, false },     { "confine", stage_confine, true },    { "user", stage_user, true },
	{ "exec", stage_exec, true },
};

static int joined_child(struct mon *m)
{
	bool command = m->blob->argv.n || m->blob->flags & BLOB_LOGIN;
	for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		struct failure f = { 0 };
		if (stages[i].command && !command)
			continue;
		if (stages[i].run(m, &f) < 0) {
			msg_failed(m->sync, stages[i].name, &f);
			return 1;
		}
	}
	return 0;
}

static int enter_namespaces(struct mon *m, struct failure *f)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return setns(mon_fd(m, m->blob->fd_pidfd), ALL_NAMESPACES) < 0 ? fail(f, "setns", "the VE's namespaces") : 0;
}

static int fork_child(struct mon *m, struct failure *f)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(f, "socketpair", NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		m->sync = pair[1];
		_exit(joined_child(m));
	}
	close(pair[1]);
	m->sync = pair[0];
	m->child = pid;
	if (pid < 0)
		return fail(f, "fork", NULL);
	if ((m->pidfd = pidfd_open(pid, 0)) < 0)
		return fail(f, "pidfd_open", NULL);
	return 0;
}

/* libve moves the finished child into the VE's groups (migration is not limited), then lets it go on. The new
 * console of an adopted VE is opened by a child that is gone at once: it is not moved. */
static int place_child(struct mon *m, struct failure *f)
{
	struct msg msg = { .kind = MSG_CLONED, .pid = m->child }, go = { .kind = CHILD_GO };
	if (m->blob->role == MON_JOIN) {
		if (msg_send(m->control, &msg, NULL, 0) < 0)
			return fail(f, "sendmsg", "libve");
		int r = msg_recv(m->control, &msg, NULL, NULL);
		if (r == 0)
			errno = EPIPE;
		if (r <= 0 || msg.kind != MSG_GO)
			return fail(f, "recvmsg", "libve");
	}
	return msg_send(m->sync, &go, NULL, 0) < 0 ? fail(f, "sendmsg", "child") : 0;
}

/* Until the child's exec: 0; or its record, which is handed on: -1. Whoever asked may go away meanwhile. */
static int await_exec(struct mon *m, bool *ret_relayed, struct failure *f)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = m->sync, .events = POLLIN }, { .fd = m->control, .events = POLLRDHUP } };
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			errno = EPIPE;
			return fail(f, "poll", "the verb went away");
		}
		struct msg msg;
		int fds[2] = { -1, -1 };
		unsigned n = 2;
		int r = msg_recv(m->sync, &msg, fds, &n);
		if (r == 0)
			return 0;
		if (r < 0)
			return fail(f, "recvmsg", "child");
		if (msg.kind == CHILD_CONSOLE) {
			m->console = fds[0];
			m->console_slave = fds[1];
		} else if (msg.kind == MSG_FAILED) {
			*ret_relayed = true;
			msg_send(m->control, &msg, NULL, 0);
			return -1;
		}
	}
}

static int wait_child(const struct mon *m)
{
	int status = 0;
	while (waitpid(m->child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int join(struct mon *m)
{
	struct failure f = { 0 };
	bool relayed = false;
	int r = enter_namespaces(m, &f);
	if (r == 0)
		r = fork_child(m, &f);
	if (r == 0)
		r = place_child(m, &f);
	if (r == 0)
		r = await_exec(m, &relayed, &f);
	if (r == 0)
		return 0;
	if (m->child > 0) {
		kill(m->child, SIGKILL);
		wait_child(m);
	}
	if (!relayed)
		msg_failed(m->control, "join", &f);
	return -1;
}

int join_main(struct mon *m)
{
	if (join(m) < 0)
		return 1;
	struct msg started = { .kind = MSG_STARTED };
	msg_send(m->control, &started, &m->console, m->console >= 0 ? 1 : 0);
	close(m->console);
	close(m->console_slave);
	struct pollfd p[2] = { { .fd = m->pidfd, .events = POLLIN }, { .fd = m->control, .events = POLLRDHUP } };
	while (!(p[0].revents & POLLIN)) {
		if (poll(p, 2, -1) > 0 && p[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			/* The caller is gone, as when a terminal is closed. */
			pidfd_send_signal(m->pidfd, SIGHUP, NULL, 0);
			p[1].fd = -1;
		}
	}
	struct msg ended = { .kind = MSG_ENDED, .status = wait_child(m) };
	msg_send(m->control, &ended, NULL, 0);
	return 0;
}

/* A monitor for a VE that lost its own: a process apart opens the new console, so that this one never is in
 * the VE's namespaces. */
int adopt(struct mon *m)
{
	int pair[2];
	m->pidfd = mon_fd(m, m->blob->fd_pidfd);
	struct failure f = { 0 };
	if (groups_enter(m, m->blob->monitor_procs, 0, &f) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		msg_failed(m->control, "adopt", &f);
		return 1;
	}
	int control = m->control, init = m->pidfd;
	pid_t helper = fork();
	if (helper == 0) {
		close(pair[0]);
		m->control = pair[1];
		if (join(m) < 0)
			_exit(1);
		struct msg got = { .kind = MSG_STARTED };
		const int ends[2] = { m->console, m->console_slave };
		_exit(msg_send(m->control, &got, ends, 2) < 0);
	}
	close(pair[1]);
	struct msg msg = { 0 };
	int ends[2] = { -1, -1 };
	unsigned n = 2;
	int r = msg_recv(pair[0], &msg, ends, &n);
	close(pair[0]);
	while (waitpid(helper, NULL, 0) < 0 && errno == EINTR)
		;
	m->control = control;
	m->pidfd = init;
	m->child = 0;
	if (r == 1 && msg.kind == MSG_STARTED) {
		m->console = ends[0];
		m->console_slave = ends[1];
	}
	/* Without a console the VE is still better watched than not. */
	struct msg started = { .kind = MSG_STARTED, .status = getpid() };
	msg_send(m->control, &started, NULL, 0);
	return supervise(m);
}
