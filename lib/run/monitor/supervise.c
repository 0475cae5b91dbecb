/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor of a running VE: it holds the console, hears init's notifications, and learns of init's end. It
 * decides nothing. Once a minute it books its VE's traffic (account.c) and looks how full its disks are (disks.c), and it has
 * written down what its VE is refused (notice.c). When init has ended it becomes the program that does (ended_program), with
 * the wait status; unless a verb is stopping the VE, which has left the file "stopping" in the run directory and cleans up itself.
 *
 * It is a process of the host's, outside the VE's limits, that works whenever the VE writes: so it takes only so many
 * turns in a while, and what is not read makes the VE's writers wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account.h"
#include "base/clock.h"
#include "console.h"
#include "disks.h"
#include "mon.h"
#include "notice.h"
#include "pace.h"
#include "sys/syscalls.h"

enum { UNKNOWN_STATUS = -1, FOREIGN_DEADLINE_MS = 2000 };
/* More than the queue of a datagram socket holds by default (net.unix.max_dgram_qlen). */
enum { LAST_WORDS = 1024 };

static void mark(const struct mon *m, const char *name)
{
	int fd = openat(mon_fd(m, m->blob->fd_run_dir), name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	close(fd);
}

void supervise_prepare(const struct mon *m)
{
	int on = 1;
	setsockopt(mon_fd(m, m->blob->fd_notify), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

static bool is_marked(const struct mon *m, const char *name)
{
	return faccessat(mon_fd(m, m->blob->fd_run_dir), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One datagram of TEXT, and the process that sent it (0: not known). */
static ssize_t receive_words(int sock, char *text, size_t size, pid_t *ret_sender)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { text, size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(sock, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct ucred who = { 0 };
	for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL; c; c = CMSG_NXTHDR(&h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof(who));
	*ret_sender = who.pid;
	return n;
}

/* One message of sd_notify(3)'s protocol; false where none waits. Anybody inside may send it, and only init is believed: with its pid, which no other than the
 * VE's root could forge. Descriptors that come along do not fit into the control buffer, and are closed by the kernel. */
static bool hear(const struct mon *m, int sock)
{
	static const struct {
		const char *line, *mark;
	} words[] = {
		{ "READY=1", "ready" },
		{ "X_SYSTEMD_SHUTDOWN=reboot", "reboot" },
		{ "X_SYSTEMD_SHUTDOWN=poweroff", "poweroff" },
		{ "X_SYSTEMD_SHUTDOWN=halt", "poweroff" },
	};
	char text[4096], *save = NULL;
	pid_t sender;
	ssize_t n = receive_words(sock, text, sizeof(text) - 1, &sender);
	if (n < 0)
		return false;
	if (sender != (m->child > 0 ? m->child : (pid_t)m->blob->init_pid))
		return true;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(line, words[i].line) == 0)
				mark(m, words[i].mark);
	return true;
}

/* What init said last may still wait to be read when its end is seen. */
static void hear_last_words(const struct mon *m)
{
	int sock = mon_fd(m, m->blob->fd_notify);
	for (unsigned i = 0; i < LAST_WORDS && sock >= 0 && hear(m, sock); i++)
		;
}

/* Of an adopted VE: the host's process 1 reaps its init, and then a new kernel tells us, too. But what it keeps is the task's
 * own exit code, and reboot(2) inside leaves SIGKILL, or 0 where init itself has called it (reboot_pid_ns() in the kernel). */
static int foreign_status(const struct mon *m)
{
	int status = UNKNOWN_STATUS;
	if (sys_pidfd_exit(m->pidfd, &status) < 0)
		return status;
	struct pollfd reaped = { .fd = m->pidfd };
	int64_t until = clock_ms() + FOREIGN_DEADLINE_MS, left = FOREIGN_DEADLINE_MS;
	while (left > 0 && poll(&reaped, 1, (int)left) < 0 && errno == EINTR)
		left = until - clock_ms();
	if (sys_pidfd_exit(m->pidfd, &status) != 1 || status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		return UNKNOWN_STATUS;
	return status;
}

static int wait_status(struct mon *m)
{
	if (m->child <= 0)
		return foreign_status(m);
	return reap_await(m, REAP_DEADLINE_MS) ? m->status : UNKNOWN_STATUS;
}

static int end(const struct mon *m, int status)
{
	/* A caller that hangs up but still reads (it was interrupted) cleans up itself; one that was killed does not hear. */
	if (m->blob->flags & BLOB_REPORT_END) {
		struct msg msg = { .kind = MSG_ENDED, .status = status };
		if (msg_send(m->control, &msg, NULL, 0) == 0)
			return 0;
	}
	if (is_marked(m, "stopping"))
		return 0;
	char text[16];
	snprintf(text, sizeof(text), "%d", status);
	helper_become(m, text, NULL);
	return 1;
}

void helper_become(const struct mon *m, const char *what, const char *of_which)
{
	const char *program = mon_str(m, m->blob->ended_program);
	char *argv[] = { (char *)program, (char *)mon_str(m, m->blob->root_dir), (char *)mon_str(m, m->blob->uuid),
			 (char *)what, (char *)of_which, NULL };
	char *env[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			(char *)mon_str(m, m->blob->ended_env[0]), (char *)mon_str(m, m->blob->ended_env[1]), NULL };
	execve(program, argv, env);
}

enum { P_INIT, P_CONTROL, P_LISTEN, P_MASTER, P_NOTIFY, P_NOTICE, P_CLIENTS = P_NOTICE + NOTICE_MAX, P_COUNT = P_CLIENTS + CONSOLE_CLIENTS };

static void fill(const struct mon *m, const struct console *c, const struct notice *n, bool attended, bool hearing,
		 struct pollfd p[P_COUNT])
{
	const int fds[P_CLIENTS] = {
		[P_INIT] = m->pidfd,
		[P_CONTROL] = attended ? m->control : -1,
		[P_LISTEN] = c->listen,
		[P_MASTER] = hearing ? c->master : -1,
		[P_NOTIFY] = hearing ? mon_fd(m, m->blob->fd_notify) : -1,
	};
	for (unsigned i = 0; i < P_COUNT; i++)
		p[i] = (struct pollfd){ .fd = i < P_CLIENTS ? fds[i] : c->clients[i - P_CLIENTS], .events = POLLIN };
	p[P_CONTROL].events = POLLRDHUP;
	notice_fill(n, p + P_NOTICE);
}

/* Of two waits the shorter one; -1 is for ever. */
static int shorter(int a_ms, int b_ms)
{
	return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* What came from the VE. */
static void serve_ve(const struct mon *m, struct console *c, const struct pollfd p[P_COUNT], struct pace *pace)
{
	if (p[P_MASTER].revents) {
		pace->turns++;
		if (!console_output(c)) {
			close(c->master);
			c->master = -1;
		}
	}
	if (p[P_NOTIFY].revents) {
		pace->turns++;
		hear(m, mon_fd(m, m->blob->fd_notify));
	}
}

static void serve_clients(struct console *c, const struct pollfd p[P_COUNT])
{
	if (p[P_LISTEN].revents & POLLIN)
		console_accept(c);
	for (unsigned i = 0; i < CONSOLE_CLIENTS; i++)
		if (p[P_CLIENTS + i].revents)
			console_input(c, i);
}

/* What is done when its time has come. */
struct chores {
	struct account account;
	struct notice notice;
	struct disks disks;
};

/* Does what is due. 0: it may have taken a while; else milliseconds until something is, or -1. */
static int do_chores(struct chores *c, const struct mon *m)
{
	int account_ms = account_left(&c->account), notice_ms = notice_left(&c->notice), disks_ms = disks_left(&c->disks);
	if (account_ms == 0)
		account_turn(&c->account, m);
	if (notice_ms == 0)
		notice_turn(&c->notice, m);
	if (disks_ms == 0)
		disks_turn(&c->disks, m);
	return shorter(disks_ms, shorter(account_ms, notice_ms));
}

/* Until init has ended. */
static void watch(struct mon *m, struct console *c)
{
	struct pollfd p[P_COUNT];
	struct pace pace = { 0 };
	struct chores chores;
	account_init(&chores.account, m);
	notice_init(&chores.notice, m);
	disks_init(&chores.disks, m);
	/* Only `run` has somebody at the other end for the length of the VE's life. */
	bool attended = m->blob->flags & BLOB_REPORT_END;
	for (;;) {
		int pause_ms = pace_left(&pace), chores_ms = do_chores(&chores, m);
		if (chores_ms == 0)
			continue;
		fill(m, c, &chores.notice, attended, pause_ms == 0, p);
		if (poll(p, P_COUNT, shorter(pause_ms == 0 ? -1 : pause_ms, chores_ms)) < 0)
			continue;
		notice_heard(&chores.notice, p + P_NOTICE);
		serve_ve(m, c, p, &pace);
		serve_clients(c, p);
		if (p[P_CONTROL].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			/* The caller of a jail is gone: the jail goes too. */
			attended = false;
			pidfd_send_signal(m->pidfd, SIGKILL, NULL, 0);
		}
		if (p[P_INIT].revents & POLLIN)
			break;
	}
	disks_close(&chores.disks);
}

static bool is_looked_at(const struct mon *m, int fd)
{
	const struct blob_watched *watched = mon_at(m, m->blob->watched);
	const struct blob_disk *disks = mon_at(m, m->blob->disks);
	for (uint32_t i = 0; i < m->blob->watched.n; i++)
		if (fd == mon_fd(m, watched[i].fd))
			return true;
	for (uint32_t i = 0; i < m->blob->disks.n; i++)
		if (fd == mon_fd(m, disks[i].fd) || fd == mon_fd(m, disks[i].limit_fd))
			return true;
	return false;
}

/* The plan's descriptors were for the start: image, storage, groups, the caller's own. */
static void keep_only_needed(struct mon *m)
{
	const int needed[] = { mon_fd(m, m->blob->fd_run_dir), mon_fd(m, m->blob->fd_log_dir),
			       mon_fd(m, m->blob->fd_console_listen), mon_fd(m, m->blob->fd_notify),
			       mon_fd(m, m->blob->fd_traffic), m->pidfd };
	for (unsigned i = 0; i < m->n_fds; i++) {
		bool keep = is_looked_at(m, m->fds[i]);
		for (unsigned k = 0; k < sizeof(needed) / sizeof(needed[0]); k++)
			keep = keep || m->fds[i] == needed[k];
		if (!keep)
			close(m->fds[i]);
	}
	close(m->sync);
	m->sync = -1;
	if (!(m->blob->flags & BLOB_REPORT_END) && m->control >= 0) {
		close(m->control);
		m->control = -1;
	}
}

int supervise(struct mon *m)
{
	struct console c;
	prctl(PR_SET_NAME, "vectl-monitor");
	keep_only_needed(m);
	console_init(&c, m);
	watch(m, &c);
	hear_last_words(m);
	int status = wait_status(m);
	console_drain(&c);
	return end(m, status);
}
