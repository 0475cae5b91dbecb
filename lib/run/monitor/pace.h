/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often a VE may make a process of the host's turn for it, which is outside the VE's limits: so many times in a period. */
#ifndef MONITOR_PACE_H
#define MONITOR_PACE_H

#include <stdint.h>

#include "base/clock.h"

enum { PACE_TURNS = 64, PACE_PERIOD_MS = 100 };

struct pace {
	int64_t ends_ms;
	unsigned turns;
};

/* 0: the VE may be heard; else for how many milliseconds not. */
static inline int pace_left(struct pace *p)
{
	int64_t now = clock_ms();
	if (now >= p->ends_ms)
		*p = (struct pace){ .ends_ms = now + PACE_PERIOD_MS };
	return p->turns < PACE_TURNS ? 0 : (int)(p->ends_ms - now);
}

#endif
