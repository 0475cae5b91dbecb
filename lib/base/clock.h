/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The time, in the two forms that are needed: for deadlines, and for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of CLOCK_MONOTONIC. */
static inline int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum { CLOCK_TEXT_SIZE = 32 };
/* SECONDS since 1970 as RFC 3339 has it, in UTC; returns TEXT. */
const char *clock_text(int64_t seconds, char text[CLOCK_TEXT_SIZE]);

#endif
