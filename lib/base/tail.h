/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of what a program says, in a buffer of a fixed size: that is where it says why it gave up. */
#ifndef BASE_TAIL_H
#define BASE_TAIL_H

#include <stddef.h>

struct tail {
	char *text;
	size_t size, n; /* of TEXT, and used of it */
};

void tail_add(struct tail *t, const char *data, size_t n);
/* Makes the text one line, fit for a message, and ends it with a NUL. */
void tail_finish(struct tail *t);

#endif
