/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor of a running VE: it holds the console, hears init's notifications, and learns of init's end. It
 * decides nothing: when init has ended it becomes the program that does (ended_program), with the wait status; unless a
 * verb is stopping the VE, which has left the file "stopping" in the run directory and cleans up itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console.h"
#include "mon.h"

enum { UNKNOWN_STATUS = -1 };

static void mark(const struct mon *m, const char *name)
{
	int fd = openat(mon_fd(m, m->blob->fd_run_dir), name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	close(fd);
}

static bool is_marked(const struct mon *m, const char *name)
{
	return faccessat(mon_fd(m, m->blob->fd_run_dir), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One datagram of sd_notify(3)'s protocol. Anybody inside may send them: they are believed only about the VE itself. */
static void hear(const struct mon *m, int sock)
{
	char text[4096], *save = NULL;
	ssize_t n = recv(sock, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strcmp(line, "READY=1") == 0)
			mark(m, "ready");
		else if (strcmp(line, "X_SYSTEMD_SHUTDOWN=reboot") == 0)
			mark(m, "reboot");
	}
}

static int wait_status(const struct mon *m)
{
	int status;
	if (m->child <= 0)
		return UNKNOWN_STATUS; /* adopted: its end is seen, its status is not ours to have */
	while (waitpid(m->child, &status, 0) < 0)
		if (errno != EINTR)
			return UNKNOWN_STATUS;
	return status;
}

static int end(const struct mon *m, bool attended, int status)
{
	if (m->blob->flags & BLOB_REPORT_END && attended) {
		struct msg msg = { .kind = MSG_ENDED, .status = status };
		if (msg_send(m->control, &msg, NULL, 0) == 0)
			return 0;
	}
	if (is_marked(m, "stopping"))
		return 0;
	char text[16];
	snprintf(text, sizeof(text), "%d", status);
	const char *program = mon_str(m, m->blob->ended_program);
	char *argv[] = { (char *)program, (char *)mon_str(m, m->blob->root_dir), (char *)mon_str(m, m->blob->uuid), text,
			 NULL };
	char *env[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			(char *)mon_str(m, m->blob->ended_env[0]), (char *)mon_str(m, m->blob->ended_env[1]), NULL };
	execve(program, argv, env);
	return 1;
}

enum { P_INIT, P_CONTROL, P_MASTER, P_LISTEN, P_NOTIFY, P_CLIENTS, P_COUNT = P_CLIENTS + CONSOLE_CLIENTS };

static void fill(const struct mon *m, const struct console *c, bool attended, struct pollfd p[P_COUNT])
{
	const int fds[P_CLIENTS] = {
		[P_INIT] = m->pidfd,
		[P_CONTROL] = attended ? m->control : -1,
		[P_MASTER] = m->blob->flags & BLOB_TTY ? -1 : c->master, /* a jail's terminal is with its caller */
		[P_LISTEN] = c->listen,
		[P_NOTIFY] = mon_fd(m, m->blob->fd_notify),
	};
	for (unsigned i = 0; i < P_COUNT; i++)
		p[i] = (struct pollfd){ .fd = i < P_CLIENTS ? fds[i] : c->clients[i - P_CLIENTS], .events = POLLIN };
	p[P_CONTROL].events = POLLRDHUP;
}

static int watch(struct mon *m)
{
	struct console c;
	struct pollfd p[P_COUNT];
	console_init(&c, m);
	/* Only `run` has somebody at the other end for the length of the VE's life. */
	bool attended = m->blob->flags & BLOB_REPORT_END;
	if (!attended)
		close(m->control);
	for (;;) {
		fill(m, &c, attended, p);
		if (poll(p, P_COUNT, -1) < 0)
			continue;
		if (p[P_MASTER].revents & POLLIN)
			console_output(&c);
		if (p[P_LISTEN].revents & POLLIN)
			console_accept(&c);
		if (p[P_NOTIFY].revents & POLLIN)
			hear(m, mon_fd(m, m->blob->fd_notify));
		for (unsigned i = 0; i < CONSOLE_CLIENTS; i++)
			if (p[P_CLIENTS + i].revents)
				console_input(&c, i);
		if (p[P_CONTROL].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			/* The caller of a jail is gone: the jail goes too. */
			attended = false;
			pidfd_send_signal(m->pidfd, SIGKILL, NULL, 0);
		}
		if (p[P_INIT].revents & POLLIN)
			break;
	}
	int status = wait_status(m);
	if (!(m->blob->flags & BLOB_TTY))
		console_drain(&c);
	return end(m, attended, status);
}

int supervise(struct mon *m)
{
	prctl(PR_SET_NAME, "vectl-monitor");
	return watch(m);
}
