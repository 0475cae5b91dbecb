/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tenant can be refused something thousands of times a second. So a look is taken a moment after the first refusal, and
 * the next one not before a pause, which doubles as long as there is something each time. The counters are the kernel's:
 * however late a look is, it misses nothing.
 */
#include "notice.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "mon.h"

enum { SETTLE_MS = 200, PAUSE_LEAST_MS = 1000, PAUSE_MOST_MS = 60000, LOOK_MS = 10000 };

/* The number of the line KEY; reading also tells the kernel that we have seen this state of the file. */
static long long value_of(int fd, const char *key)
{
	char text[512];
	size_t len = strlen(key);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return atoll(line + len);
	return 0;
}

void notice_init(struct notice *n, const struct mon *m)
{
	const struct blob_watched *w = mon_at(m, m->blob->watched);
	*n = (struct notice){ .pause_ms = PAUSE_LEAST_MS };
	for (uint32_t i = 0; i < m->blob->watched.n && n->n < NOTICE_MAX; i++) {
		n->fds[n->n] = mon_fd(m, w[i].fd);
		n->keys[n->n] = mon_str(m, w[i].key);
		if (n->keys[n->n])
			n->seen[n->n] = value_of(n->fds[n->n], n->keys[n->n]);
		n->silent[n->n] = w[i].silent;
		if (w[i].silent)
			n->next_look_ms = clock_ms() + LOOK_MS;
		n->n++;
	}
}

int notice_left(const struct notice *n)
{
	int64_t now = clock_ms(), left = n->not_before_ms - now;
	if (left <= 0 && (n->due || n->next_look_ms))
		left = n->due || n->next_look_ms <= now ? 0 : n->next_look_ms - now;
	else if (left <= 0)
		left = -1;
	return (int)left;
}

void notice_fill(const struct notice *n, struct pollfd p[NOTICE_MAX])
{
	bool hears = !n->due && n->not_before_ms <= clock_ms();
	for (unsigned i = 0; i < NOTICE_MAX; i++)
		p[i] = (struct pollfd){ .fd = hears && i < n->n && !n->silent[i] ? n->fds[i] : -1,
					.events = i < n->n && n->keys[i] ? POLLPRI : POLLIN };
}

static bool is_news(struct notice *n, unsigned i)
{
	uint64_t times;
	if (!n->keys[i])
		return read(n->fds[i], &times, sizeof(times)) == sizeof(times);
	/* The file changes for other reasons, too: cached pages that made room. */
	long long value = value_of(n->fds[i], n->keys[i]);
	bool news = value > n->seen[i];
	n->seen[i] = value;
	return news;
}

static void note(struct notice *n)
{
	int64_t now = clock_ms();
	if (now - n->not_before_ms > PAUSE_MOST_MS)
		n->pause_ms = PAUSE_LEAST_MS; /* it was quiet for long */
	n->due = true;
	n->not_before_ms = now + SETTLE_MS;
}

void notice_heard(struct notice *n, const struct pollfd p[NOTICE_MAX])
{
	for (unsigned i = 0; i < n->n; i++)
		if (p[i].revents && is_news(n, i))
			note(n);
}

/* At those that tell nothing by themselves. */
static void look(struct notice *n)
{
	n->next_look_ms = clock_ms() + LOOK_MS;
	for (unsigned i = 0; i < n->n; i++)
		if (n->silent[i] && is_news(n, i))
			note(n);
}

void notice_turn(struct notice *n, const struct mon *m)
{
	if (!n->due) {
		look(n);
		return;
	}
	n->not_before_ms = clock_ms() + n->pause_ms;
	if (n->helper > 0 && waitpid(n->helper, NULL, WNOHANG) == 0)
		return; /* still due: after the pause */
	n->due = false;
	n->pause_ms = n->pause_ms * 2 < PAUSE_MOST_MS ? n->pause_ms * 2 : PAUSE_MOST_MS;
	n->helper = fork();
	if (n->helper == 0) {
		helper_become(m, "notice", NULL);
		_exit(127);
	}
}
