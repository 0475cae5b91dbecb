/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The console: the master side of the pty that the VE has as /dev/console. What the VE writes goes into a
 * log of two files, bounded, and to whoever is connected; a new client is shown the log's tail first.
 *
 * A client (a SOCK_SEQPACKET connection) sends packets that begin with one letter: 'd' and data for the VE, or 'w' and a struct
 * winsize. What it gets is data only.
 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { SCROLLBACK_BYTES = 16384 };

static int log_open(struct console *c)
{
	c->log = openat(c->log_dir, c->log_name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	c->log_bytes = c->log >= 0 && fstat(c->log, &st) == 0 ? (uint64_t)st.st_size : 0;
	return c->log;
}

void console_init(struct console *c, const struct mon *m)
{
	*c = (struct console){
		.master = m->console,
		.slave = m->console_slave,
		.listen = mon_fd(m, m->blob->fd_console_listen),
		.log_dir = mon_fd(m, m->blob->fd_log_dir),
		.log_name = mon_str(m, m->blob->log_name),
		.log_max_bytes = m->blob->log_max_bytes,
		.log = -1,
	};
	for (unsigned i = 0; i < CONSOLE_CLIENTS; i++)
		c->clients[i] = -1;
	if (c->log_dir >= 0 && c->log_name)
		log_open(c);
	if (c->master >= 0)
		fcntl(c->master, F_SETFL, O_RDWR | O_NONBLOCK);
}

static void log_write(struct console *c, const char *data, size_t n)
{
	if (c->log < 0 || write(c->log, data, n) < 0)
		return; /* a full disk must not stop the console */
	c->log_bytes += n;
	if (c->log_bytes <= c->log_max_bytes / 2)
		return;
	char old[96];
	snprintf(old, sizeof(old), "%s.1", c->log_name);
	if (renameat(c->log_dir, c->log_name, c->log_dir, old) < 0 && ftruncate(c->log, 0) < 0) {
		close(c->log); /* a log that cannot be bounded is none */
		c->log = -1;
		return;
	}
	close(c->log);
	log_open(c);
}

static void drop(struct console *c, unsigned i)
{
	close(c->clients[i]);
	c->clients[i] = -1;
}

bool console_output(struct console *c)
{
	char buf[4096];
	ssize_t n = read(c->master, buf, sizeof(buf));
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	log_write(c, buf, (size_t)n);
	for (unsigned i = 0; i < CONSOLE_CLIENTS; i++)
		if (c->clients[i] >= 0 && send(c->clients[i], buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			drop(c, i);
	return true;
}

void console_input(struct console *c, unsigned i)
{
	char buf[4096];
	ssize_t n = recv(c->clients[i], buf, sizeof(buf), MSG_DONTWAIT);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			drop(c, i);
		return;
	}
	if (buf[0] == 'd')
		(void)!write(c->master, buf + 1, (size_t)n - 1); /* a VE that does not read loses what it is sent */
	if (buf[0] == 'w' && n == 1 + (ssize_t)sizeof(struct winsize))
		ioctl(c->master, TIOCSWINSZ, buf + 1);
}

/* The last bytes of the file FD to CLIENT, whom we do not wait for. */
static void show_tail(int fd, size_t bytes, int client)
{
	char buf[2048];
	struct stat st;
	ssize_t n;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	off_t at = st.st_size > (off_t)bytes ? st.st_size - (off_t)bytes : 0;
	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (send(client, buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return;
		at += n;
	}
}

static void show_scrollback(const struct console *c, int client)
{
	char old[96];
	if (c->log >= 0 && c->log_bytes < SCROLLBACK_BYTES) {
		snprintf(old, sizeof(old), "%s.1", c->log_name);
		int fd = openat(c->log_dir, old, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		show_tail(fd, (size_t)(SCROLLBACK_BYTES - c->log_bytes), client);
		close(fd);
	}
	show_tail(c->log, SCROLLBACK_BYTES, client);
}

void console_accept(struct console *c)
{
	int client = accept4(c->listen, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		return;
	for (unsigned i = 0; i < CONSOLE_CLIENTS; i++) {
		if (c->clients[i] >= 0)
			continue;
		show_scrollback(c, client);
		c->clients[i] = client;
		return;
	}
	close(client);
}

void console_drain(struct console *c)
{
	enum { PTY_BUFFER_TURNS = 64 };
	for (unsigned i = 0; i < PTY_BUFFER_TURNS && c->master >= 0; i++) {
		struct pollfd p = { .fd = c->master, .events = POLLIN };
		if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN) || !console_output(c))
			return;
	}
}
