/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tail.h"

#include <string.h>

void tail_add(struct tail *t, const char *data, size_t n)
{
	size_t max = t->size - 1, keep = n < max ? n : max;
	size_t old = t->n < max - keep ? t->n : max - keep;
	memmove(t->text, t->text + t->n - old, old);
	memcpy(t->text + old, data + n - keep, keep);
	t->n = old + keep;
}

void tail_finish(struct tail *t)
{
	while (t->n > 0 && (unsigned char)t->text[t->n - 1] <= ' ')
		t->n--;
	t->text[t->n] = '\0';
	for (char *c = t->text; c < t->text + t->n; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = *c == '\n' ? ';' : ' ';
}
