/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/undo.h"

#include <errno.h>
#include <stdlib.h>

int undo_reserve(struct undo *u, unsigned n)
{
	if (u->n + n <= u->cap)
		return 0;
	unsigned cap = (u->n + n) * 2;
	struct undo_step *steps = reallocarray(u->steps, cap, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	u->steps = steps;
	u->cap = cap;
	return 0;
}

int undo_push_owned(struct undo *u, undo_fn fn, undo_fn forget, void *data)
{
	if (undo_reserve(u, 1) < 0) {
		fn(data);
		return -ENOMEM;
	}
	u->steps[u->n++] = (struct undo_step){ fn, forget, data };
	return 0;
}

int undo_push(struct undo *u, undo_fn fn, void *data)
{
	return undo_push_owned(u, fn, NULL, data);
}

void undo_run(struct undo *u)
{
	while (u->n > 0) {
		u->n--;
		u->steps[u->n].fn(u->steps[u->n].data);
	}
	free(u->steps);
	*u = (struct undo){ 0 };
}

void undo_commit(struct undo *u)
{
	for (unsigned i = 0; i < u->n; i++)
		if (u->steps[i].forget)
			u->steps[i].forget(u->steps[i].data);
	free(u->steps);
	*u = (struct undo){ 0 };
}
