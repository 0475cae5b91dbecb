/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/store.h"
#include "run/copy.h"

/* Longer than the monitor's own for a child that does not die. */
enum { CLOSE_DEADLINE_S = 30 };

static int send_plan(int socket, const struct blobber *plan)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * BLOB_MAX_FDS)];
	} control = { 0 };
	struct iovec iov = { plan->data, plan->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (plan->n_fds) {
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * plan->n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * plan->n_fds);
		memcpy(CMSG_DATA(c), plan->fds, sizeof(int) * plan->n_fds);
	}
	return sendmsg(socket, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The monitor is gone and has said nothing. */
static int silent_end(const struct spawn *s, ve_error **ret_error)
{
	int error = exec_monitor_error(s->exec);
	if (!error)
		return err_plain(ret_error, VE_ERR_KERNEL, ECHILD, "monitor", "the monitor died");
	int r = err_make(ret_error, VE_ERR_UNSUPPORTED, error, "spawn", "cannot run '%s/vectl-monitor'", store_libexec_dir());
	err_hint(ret_error, "is vectl installed whole? (make install)");
	return r;
}

int spawn_begin(int cancel_fd, struct spawn *ret_spawn, ve_error **ret_error)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2], size = BLOB_MAX_BYTES * 2;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(ret_error, errno, "spawn", "cannot make a socket for the monitor");
	ours = pair[0];
	theirs = pair[1];
	setsockopt(ours, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	_cleanup_free_ char *program = str_printf("%s/vectl-monitor", store_libexec_dir());
	if (!program)
		return err_nomem(ret_error);
	struct spawn s = { .control = -1, .cancel_fd = cancel_fd };
	int r = exec_monitor_begin(program, theirs, &s.pid, &s.exec);
	if (r < 0)
		return err_sys(ret_error, -r, "spawn", "cannot make a process for the monitor");
	s.control = steal_fd(&ours);
	*ret_spawn = s;
	return 0;
}

int spawn_send_plan(struct spawn *s, struct blobber *plan, ve_error **ret_error)
{
	int r = blobber_finish(plan, ret_error);
	if (r < 0)
		return r;
	r = send_plan(s->control, plan);
	if (r == -EPIPE || r == -ECONNRESET)
		return silent_end(s, ret_error);
	return r < 0 ? err_sys(ret_error, -r, "spawn", "cannot send the plan to the monitor") : 0;
}

int spawn_monitor(struct blobber *plan, int cancel_fd, struct spawn *ret_spawn, ve_error **ret_error)
{
	struct spawn s = { .control = -1 };
	int r = spawn_begin(cancel_fd, &s, ret_error);
	if (r == 0)
		r = spawn_send_plan(&s, plan, ret_error);
	if (r < 0)
		spawn_close(&s);
	else
		*ret_spawn = s;
	return r;
}

/* What the stages' short words mean for the one who reads the message. */
static const struct {
	const char *stage, *sentence;
	enum ve_category category;
} meanings[] = {
	{ "groups", "cannot put the monitor into its control group", VE_ERR_KERNEL },
	{ "links", "the VE's links were not made", VE_ERR_KERNEL },
	{ "commit", "the VE runs, but could not be handed over", VE_ERR_KERNEL },
	{ "identity", "cannot become the VE's root", VE_ERR_KERNEL },
	{ "cgroup", "cannot make the VE's cgroup namespace", VE_ERR_KERNEL },
	{ "shed", "cannot close what is the host's", VE_ERR_KERNEL },
	{ "clone", "cannot make the VE's namespaces", VE_ERR_KERNEL },
	{ "maps", "cannot write the VE's id maps", VE_ERR_KERNEL },
	{ "layers", "cannot open the VE's root tree through an idmapped mount", VE_ERR_KERNEL },
	{ "binds", "cannot give the VE the host's directories", VE_ERR_KERNEL },
	{ "timens", "cannot set the VE's clocks", VE_ERR_KERNEL },
	{ "clocks", "cannot enter the VE's time namespace", VE_ERR_KERNEL },
	{ "root", "cannot attach the VE's root tree", VE_ERR_KERNEL },
	{ "mounts", "cannot mount the VE's file systems", VE_ERR_KERNEL },
	{ "terminal", "cannot open the VE's console", VE_ERR_KERNEL },
	{ "nesting", "cannot bound the namespaces of the VE", VE_ERR_KERNEL },
	{ "pivot", "cannot change into the VE's root tree", VE_ERR_KERNEL },
	{ "settings", "cannot set up the VE from inside", VE_ERR_KERNEL },
	{ "files", "cannot write the VE's files", VE_ERR_KERNEL },
	{ "users", "cannot change the VE's accounts", VE_ERR_KERNEL },
	{ "copy", "the copy failed", VE_ERR_KERNEL },
	{ "seal", "cannot make the VE's root tree read-only", VE_ERR_KERNEL },
	{ "account", "cannot find the user", VE_ERR_KERNEL },
	{ "confine", "cannot limit the process", VE_ERR_KERNEL },
	{ "seccomp", "cannot load the system call filter", VE_ERR_KERNEL },
	{ "process", "cannot make a process for the command", VE_ERR_KERNEL },
	{ "user", "cannot become the user", VE_ERR_KERNEL },
	{ "exec", "cannot run", VE_ERR_KERNEL },
	{ "init", "cannot run the VE's first process", VE_ERR_KERNEL },
	{ "join", "cannot join the VE", VE_ERR_KERNEL },
};

static enum ve_category category_of(const struct msg *m, enum ve_category def)
{
	if (strcmp(m->stage, "exec") == 0 || strcmp(m->op, "user") == 0)
		return m->err == ENOENT || m->err == ENOTDIR ? VE_ERR_NOT_FOUND : VE_ERR_KERNEL;
	if (m->err == ENOSPC || m->err == EDQUOT || m->err == ENOMEM)
		return VE_ERR_NO_ROOM;
	if (m->err == ENOSYS)
		return VE_ERR_UNSUPPORTED;
	if (m->err == EBUSY && strcmp(m->stage, "users") == 0)
		return VE_ERR_BUSY;
	return def;
}

static int unmount_failure(int errnum, const char *target, ve_error **ret_error)
{
	if (errnum != EBUSY && errnum != EEXIST && errnum != ELOOP)
		return err_make(ret_error, VE_ERR_KERNEL, errnum, "mounts", "cannot unmount '/%s' in the VE", target);
	int r = err_plain(ret_error, VE_ERR_BUSY, errnum, "mounts", "cannot unmount '/%s' in the VE: %s", target,
			  errnum == EBUSY  ? "it is in use" :
			  errnum == EEXIST ? "something else is mounted there by now" :
					     "it is a symbolic link by now");
	err_hint(ret_error, "end what uses it inside; or --pending, and vectl restart");
	return r;
}

int spawn_failure(const struct msg *m, ve_error **ret_error)
{
	const char *sentence = "the monitor failed", *stage = "monitor";
	enum ve_category cat = VE_ERR_KERNEL;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (strncmp(meanings[i].stage, m->stage, sizeof(m->stage)) != 0)
			continue;
		sentence = meanings[i].sentence;
		stage = meanings[i].stage;
		cat = meanings[i].category;
	}
	if (strcmp(stage, "copy") == 0 && strcmp(m->op, "copy") == 0)
		return copy_failure(m->err, m->object, ret_error);
	_cleanup_free_ char *object = str_quote(m->object), *words = str_quote(m->text);
	bool is_exec = strcmp(stage, "exec") == 0;
	if (strcmp(stage, "users") == 0 && m->err == EEXIST)
		return err_plain(ret_error, VE_ERR_EXISTS, m->err, "users", "the VE has a %.23s '%s' already", m->op, object ?: "");
	if (strcmp(stage, "binds") == 0 && strcmp(m->op, "mount_setattr") == 0 && m->err == EINVAL)
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, m->err, "mounts",
				 "cannot give '%s' to a VE: its file system takes no id map", object ?: "");
	if (strcmp(stage, "mounts") == 0 && strcmp(m->op, "umount") == 0)
		return unmount_failure(m->err, object ?: "", ret_error);
	if (strcmp(m->op, "group") == 0 && m->err == ENOENT)
		return err_plain(ret_error, VE_ERR_NOT_FOUND, m->err, "group", "there is no group '%s' in the VE", object ?: "");
	if (strcmp(m->op, "user") == 0)
		return err_plain(ret_error, VE_ERR_NOT_FOUND, m->err, "user", "there is no user '%s' in the VE", object ?: "");
	if (strcmp(m->op, "wait") == 0) /* the words say how it ended; there is no errno of the kernel's */
		return err_plain(ret_error, cat, m->err, stage, "%s: %s: %s", sentence, object ?: "", words ?: "");
	return err_make(ret_error, category_of(m, cat), m->err, stage, "%s%s%s%s%s%s%s%s", sentence,
			!is_exec && m->op[0] ? ": " : "", is_exec ? "" : m->op, object && *object ? " '" : "",
			object ? object : "", object && *object ? "'" : "", words && *words ? ": " : "", words ? words : "");
}

/* Reads one message. 1, 0 at end of file, or -errno. */
static int receive(int socket, struct msg *msg, int *fds, unsigned *n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 4)];
	} control;
	struct iovec iov = { msg, sizeof(*msg) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(socket, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	/* A peer that ended with our words unread: said once, and before what it had sent. */
	if (n < 0 && errno == ECONNRESET) {
		h.msg_controllen = sizeof(control.bytes);
		n = recvmsg(socket, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	}
	if (n == 0)
		return 0;
	if (n < 0)
		return -errno;
	unsigned got = 0, wanted = n_fds ? *n_fds : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		const int *sent = (const int *)(void *)CMSG_DATA(c);
		for (unsigned i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			if (got < wanted)
				fds[got++] = sent[i];
			else
				close(sent[i]);
		}
	}
	if (n_fds)
		*n_fds = got;
	return n == sizeof(*msg) ? 1 : -EBADMSG;
}

static int no_answer(int deadline_ms, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_BUSY, ETIMEDOUT, "monitor", "no answer came within %d seconds", deadline_ms / 1000);
	err_hint(ret_error, "inside a running VE its root can keep others waiting, and so can a file system there that does not answer; "
			    "vectl kill ends both");
	return r;
}

int spawn_expect(struct spawn *s, enum msg_kind kind, int deadline_ms, struct msg *ret_msg, int *ret_fds,
		 unsigned *n_fds, ve_error **ret_error)
{
	int64_t until = deadline_ms < 0 ? INT64_MAX : clock_ms() + deadline_ms;
	for (;;) {
		struct pollfd p[2] = { { .fd = s->control, .events = POLLIN }, { .fd = s->cancel_fd, .events = POLLIN } };
		int64_t left = until - clock_ms();
		int r = poll(p, 2, deadline_ms < 0 ? -1 : left > 0 ? (int)left : 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (p[0].revents == 0 && p[1].revents)
			return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted");
		if (r == 0)
			return no_answer(deadline_ms, ret_error);
		struct msg msg;
		r = receive(s->control, &msg, ret_fds, n_fds);
		if (r == -EAGAIN)
			continue;
		if (r == 0)
			return silent_end(s, ret_error);
		if (r < 0)
			return err_sys(ret_error, -r, "monitor", "cannot hear the monitor");
		if (msg.kind == MSG_FAILED)
			return spawn_failure(&msg, ret_error);
		if (msg.kind != (uint32_t)kind)
			return err_plain(ret_error, VE_ERR_BUG, EBADMSG, "monitor", "the monitor said %u instead of %u",
					 msg.kind, (unsigned)kind);
		if (ret_msg)
			*ret_msg = msg;
		return 0;
	}
}

int spawn_tell(struct spawn *s, enum msg_kind kind, ve_error **ret_error)
{
	struct msg msg = { .kind = kind };
	if (send(s->control, &msg, sizeof(msg), MSG_NOSIGNAL) >= 0)
		return 0;
	int e = errno;
	/* It may have failed while we were about something else: its record says why. */
	if (receive(s->control, &msg, NULL, NULL) == 1 && msg.kind == MSG_FAILED)
		return spawn_failure(&msg, ret_error);
	return err_sys(ret_error, e, "monitor", "the monitor does not listen");
}

void spawn_close(struct spawn *s)
{
	if (s->control >= 0) {
		/* Its end of file says that everything that holds it is gone. A monitor that hangs must not hold us, too. */
		char byte[sizeof(struct msg)];
		const struct timeval deadline = { .tv_sec = CLOSE_DEADLINE_S };
		setsockopt(s->control, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
		shutdown(s->control, SHUT_WR);
		ssize_t n;
		while ((n = recv(s->control, byte, sizeof(byte), 0)) > 0 || (n < 0 && errno == EINTR))
			;
		if (n < 0 && errno == EAGAIN && s->pid > 0)
			kill(s->pid, SIGKILL);
		close_fd(&s->control);
	}
	while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
	exec_monitor_end(s->exec);
	s->exec = NULL;
}
