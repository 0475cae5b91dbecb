/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/terminal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { ESCAPE = 0x1d, CHUNK = 4096, SIZE_CHECK_MS = 250, DRAIN_SILENCE_MS = 100, DRAIN_CHUNKS = 4096 };

struct joined {
	const struct terminal *t;
	struct winsize size;
	unsigned n_escapes;
	time_t first_escape;
	bool in_open;
};

/* The library may not take the caller's SIGWINCH, so the size is looked at now and then. */
static void follow_size(struct joined *j)
{
	struct winsize now;
	if (ioctl(j->t->in, TIOCGWINSZ, &now) < 0 || memcmp(&now, &j->size, sizeof(now)) == 0)
		return;
	j->size = now;
	if (j->t->packets) {
		char packet[1 + sizeof(now)] = "w";
		memcpy(packet + 1, &now, sizeof(now));
		send(j->t->far, packet, sizeof(packet), MSG_NOSIGNAL);
	} else {
		ioctl(j->t->far, TIOCSWINSZ, &now);
	}
}

static bool escaped(struct joined *j, const char *data, ssize_t n)
{
	for (ssize_t i = 0; j->t->escape && i < n; i++) {
		if (data[i] != ESCAPE) {
			j->n_escapes = 0;
			continue;
		}
		if (j->n_escapes == 0 || time(NULL) - j->first_escape > 1) {
			j->n_escapes = 0;
			j->first_escape = time(NULL);
		}
		if (++j->n_escapes == 3)
			return true;
	}
	return false;
}

static int to_far(struct joined *j)
{
	char buf[1 + CHUNK];
	ssize_t n = read(j->t->in, buf + 1, CHUNK);
	if (n <= 0) {
		j->in_open = false;
		/* A pty has no end of file to pass on but its own character. */
		char eof[] = "d\004";
		if (!j->t->packets)
			(void)!write(j->t->far, eof + 1, 1);
		return 0;
	}
	if (escaped(j, buf + 1, n))
		return 1;
	buf[0] = 'd';
	if (j->t->packets)
		return send(j->t->far, buf, (size_t)n + 1, MSG_NOSIGNAL) < 0 ? -1 : 0;
	return write_all(j->t->far, buf + 1, (size_t)n) < 0 ? -1 : 0;
}

static int from_far(const struct joined *j)
{
	char buf[CHUNK];
	ssize_t n = read(j->t->far, buf, sizeof(buf));
	return n <= 0 || write_all(j->t->out, buf, (size_t)n) < 0 ? -1 : 0;
}

/* The end has been told; what the command wrote may still be on its way through the pty. A hang-up says that all has
 * come; where something in the background keeps the terminal open, a short silence does. */
static int drain(struct joined *j)
{
	for (int i = 0; i < DRAIN_CHUNKS; i++) {
		struct pollfd p = { .fd = j->t->far, .events = POLLIN };
		if (poll(&p, 1, DRAIN_SILENCE_MS) <= 0 || from_far(j) < 0)
			break;
	}
	return 0;
}

static int copy(struct joined *j)
{
	for (;;) {
		struct pollfd p[4] = { { .fd = j->in_open ? j->t->in : -1, .events = POLLIN },
				       { .fd = j->t->far, .events = POLLIN },
				       { .fd = j->t->until_fd, .events = POLLIN },
				       { .fd = j->t->wake ? j->t->wake_fd : -1, .events = POLLIN } };
		follow_size(j);
		if (poll(p, 4, SIZE_CHECK_MS) < 0 && errno != EINTR)
			return 0;
		if (p[3].revents & POLLIN)
			j->t->wake(j->t->data);
		if (p[0].revents) {
			int r = to_far(j);
			if (r != 0)
				return r > 0 ? 1 : 0;
		}
		if (p[1].revents && from_far(j) < 0)
			return 0;
		if (p[2].revents)
			return drain(j);
	}
}

int terminal_join(const struct terminal *t, ve_error **ret_error)
{
	struct termios saved, raw;
	struct joined j = { .t = t, .in_open = true };
	bool is_terminal = tcgetattr(t->in, &saved) == 0;
	if (is_terminal) {
		raw = saved;
		cfmakeraw(&raw);
		if (tcsetattr(t->in, TCSADRAIN, &raw) < 0)
			return err_sys(ret_error, errno, "terminal", "cannot set the terminal to raw mode");
	}
	int r = copy(&j);
	if (is_terminal)
		tcsetattr(t->in, TCSADRAIN, &saved);
	return r;
}
