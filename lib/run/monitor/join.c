/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Joining a running VE: `exec`, `enter`, `passwd`, and the new console that recover opens.
 *
 * The joiner is this program, freshly exec'd: static, without a page of the caller's in it, and non-dumpable until
 * its child's exec, so that the VE's root can neither read its memory nor write its binary (host root's, which no id of
 * the VE's maps to). It enters all eight namespaces with one setns(2) on init's pidfd and forks: only the child is in the
 * pid namespace, where the VE's root may stop or kill it; that is why every wait on it has a deadline. The joiner itself
 * stays out of reach. libve moves the finished child into the VE's groups (migration is not limited, so that a full VE can
 * be entered), and the joiner waits for its end.
 *
 *   process   ids                       namespaces            root      open of the host's
 *   joiner    0 of the host, unmapped   the VE's, but for pid the VE's  the plan's descriptors
 *   identity  the same, then 0:0 inside all the VE's          .         .
 *   mounts, terminal                    .                     .         .
 *   shed      .                         .                     .         the socket to the joiner
 *   files, users, copy                  .                     .         . (and the stream)
 *   account, confine                    .                     .         .
 *   user      as asked                  .                     .         .
 *   exec      .                         .                     .         nothing: it is CLOEXEC
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

#include "binds.h"
#include "command.h"
#include "confine.h"
#include "mon.h"
#include "mounts.h"
#include "sys/syscalls.h"
#include "userquota.h"
#include "users.h"

enum { ALL_NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			CLONE_NEWCGROUP | CLONE_NEWTIME };

static struct identity who;

/* The child: waits until it is in the VE's groups, then becomes the VE's root in a session of its own. */
static int stage_identity(struct mon *m, struct failure *f)
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
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the change of ids may have set it */
	return chdir("/") < 0 ? fail(f, "chdir", "/") : 0;
}

/* Laid over the old /dev/console, whose terminal went with the old monitor. */
static int replace_console(int root, int slave, struct failure *f)
{
	umount2("/dev/console", MNT_DETACH | UMOUNT_NOFOLLOW); /* else one more would lie there with each recover */
	return mounts_bind(root, slave, "dev/console", f);
}

/* set mounts+=..., mounts-=... */
static int stage_mounts(struct mon *m, struct failure *f)
{
	if (!m->blob->mounts.n)
		return 0;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(f, "open", "/");
	int r = mounts_make(m, root, f);
	close(root);
	return r;
}

static int stage_terminal(struct mon *m, struct failure *f)
{
	const struct blob *b = m->blob;
	if (b->flags & BLOB_STDIO)
		return confine_stdio(mon_fd(m, b->fd_stdio[0]), mon_fd(m, b->fd_stdio[1]), mon_fd(m, b->fd_stdio[2]),
				     false, f);
	if (!(b->flags & BLOB_TTY) && b->role != MON_ADOPT)
		return 0;
	int ends[2], root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(f, "open", "/");
	if (confine_open_pty(m, root, &ends[0], &ends[1], f) < 0)
		return -1;
	struct msg msg = { .kind = CHILD_CONSOLE };
	if (msg_send(m->sync, &msg, ends, 2) < 0)
		return fail(f, "sendmsg", "joiner");
	return b->role == MON_ADOPT ? replace_console(root, ends[1], f) : confine_stdio(ends[1], ends[1], ends[1], true, f);
}

static int stage_files(struct mon *m, struct failure *f)
{
	const char *host = mon_str(m, m->blob->hostname); /* set hostname=... */
	if (host && sethostname(host, strlen(host)) < 0)
		return fail(f, "sethostname", host);
	return files_apply(m, f);
}

static int stage_users(struct mon *m, struct failure *f)
{
	return users_run(m, f);
}

static int stage_copy(struct mon *m, struct failure *f)
{
	return copy_run(m, f);
}

static int stage_account(struct mon *m, struct failure *f)
{
	return identity_find(mon_str(m, m->blob->user), &who, f);
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
	return command_exec(m, &who, f);
}

static const struct {
	const char *name;
	int (*run)(struct mon *m, struct failure *f);
	bool command; /* only where something is to be run */
} stages[] = { /* by the names of a start's, in child.c */
	{ "identity", stage_identity, false }, { "mounts", stage_mounts, false },   { "terminal", stage_terminal, false },
	{ "shed", stage_shed, false },	       { "files", stage_files, false },	    { "users", stage_users, false },
	{ "copy", stage_copy, false },	       { "account", stage_account, true },  { "confine", stage_confine, true },
	{ "user", stage_user, true },	       { "exec", stage_exec, true },
};
enum { N_STAGES = sizeof(stages) / sizeof(stages[0]) };

static bool has_command(const struct mon *m)
{
	return m->blob->argv.n || m->blob->flags & BLOB_LOGIN;
}

static int joined_child(struct mon *m)
{
	for (unsigned i = 0; i < N_STAGES; i++) {
		struct failure f = { 0 };
		if (stages[i].command && !has_command(m))
			continue;
		if (fault_here(m, stages[i].name, &f) == 0 && stages[i].run(m, &f) == 0)
			continue;
		msg_failed(m->sync, stages[i].name, &f);
		return 1;
	}
	return 0;
}

static int enter_namespaces(struct mon *m, struct failure *f)
{
	if (caller_raise_limits(m, f) < 0)
		return -1;
	if (setns(mon_fd(m, m->blob->fd_pidfd), ALL_NAMESPACES) < 0)
		return fail(f, "setns", "the VE's namespaces");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* new capabilities set it to fs.suid_dumpable */
	return 0;
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
		m->is_child = true;
		_exit(joined_child(m));
	}
	close(pair[1]);
	copy_forget_stream(m);
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
	if (msg_send(m->sync, &go, NULL, 0) == 0)
		return 0;
	return errno == EPIPE ? reap_early(m, false, f) : fail(f, "sendmsg", "child");
}

/* Until the child's exec, or the end of its work: 0. Its record is handed on: -1. Whoever asked may go away meanwhile. */
static int await_exec(struct mon *m, struct failure *f)
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
			return m->exec_tried ? 0 : reap_early(m, !has_command(m), f);
		if (r < 0)
			return fail(f, "recvmsg", "child");
		if (msg.kind == CHILD_CONSOLE) {
			m->console = fds[0];
			m->console_slave = fds[1];
		} else if (msg.kind == CHILD_EXEC) {
			m->exec_tried = true;
		} else if (msg.kind == CHILD_LISTENER) {
			userquota_hand_on(m, fds[0]);
		} else if (msg.kind == CHILD_FAULT) {
			kill(m->verb, SIGKILL);
		} else if (msg.kind == MSG_FAILED) {
			m->relayed = true;
			msg_send(m->control, &msg, NULL, 0);
			return -1;
		}
	}
}

int join_child(struct mon *m)
{
	struct failure f = { 0 };
	int r = binds_wanted(m) ? binds_open(m, mon_fd(m, m->blob->fd_userns), &f) : 0;
	if (r == 0)
		r = enter_namespaces(m, &f);
	if (r == 0)
		r = fork_child(m, &f);
	binds_close(m); /* the child has them */
	if (r == 0)
		r = place_child(m, &f);
	if (r == 0)
		r = await_exec(m, &f);
	if (r == 0)
		return 0;
	reap_kill(m);
	reap_relay(m);
	if (!m->relayed)
		msg_failed(m->control, "join", &f);
	return -1;
}

enum { HANGUP_GRACE_MS = 2000 };

/* Until the command has ended. Whoever asked may go away, as when a terminal is closed: then the command is told so, and
 * left to itself if it does not mind; it is in the VE's groups and ends with the VE. */
static void attend(struct mon *m)
{
	struct pollfd p[2] = { { .fd = m->pidfd, .events = POLLIN }, { .fd = m->control, .events = POLLRDHUP } };
	while (!m->child_ended) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents & POLLIN) {
			reap_await(m, REAP_DEADLINE_MS);
		} else if (p[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			pidfd_send_signal(m->pidfd, SIGHUP, NULL, 0);
			pidfd_send_signal(m->pidfd, SIGCONT, NULL, 0);
			reap_await(m, HANGUP_GRACE_MS);
			return;
		}
	}
	struct msg ended = { .kind = MSG_ENDED, .status = m->status };
	msg_send(m->control, &ended, NULL, 0);
}

int join_main(struct mon *m)
{
	if (join_child(m) < 0)
		return 1;
	struct msg started = { .kind = MSG_STARTED };
	msg_send(m->control, &started, &m->console, m->console >= 0 ? 1 : 0);
	close(m->console);
	close(m->console_slave);
	attend(m);
	return 0;
}
