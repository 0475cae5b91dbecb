/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor notices that its VE was refused memory or processes, and has that written down. */
#ifndef MONITOR_NOTICE_H
#define MONITOR_NOTICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mon;

enum { NOTICE_MAX = 4 };

struct notice {
	int fds[NOTICE_MAX];
	const char *keys[NOTICE_MAX]; /* of the counter in the file; NULL: it is an eventfd */
	long long seen[NOTICE_MAX];
	bool silent[NOTICE_MAX]; /* the kernel does not notify it: it is looked at now and then */
	unsigned n;
	bool due;
	int64_t not_before_ms;
	int64_t next_look_ms; /* 0: nothing is silent */
	int64_t pause_ms; /* after the next look */
	pid_t helper;
};

void notice_init(struct notice *n, const struct mon *m);
/* Milliseconds until notice_turn(); -1: not before something is heard. */
int notice_left(const struct notice *n);
/* What to wait for; nothing while the last look is a short time ago: the VE decides how often there is something. */
void notice_fill(const struct notice *n, struct pollfd p[NOTICE_MAX]);
void notice_heard(struct notice *n, const struct pollfd p[NOTICE_MAX]);
void notice_turn(struct notice *n, const struct mon *m);

#endif
