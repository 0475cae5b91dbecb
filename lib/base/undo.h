/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The undo stack: every acquired kernel object pushes its undo at the moment of success. undo_commit() on
 * the success line forgets them; otherwise undo_run() takes them back, newest first. An undo reports
 * nothing: it does what it can, and what it cannot is left to recover.
 */
#ifndef BASE_UNDO_H
#define BASE_UNDO_H

typedef void (*undo_fn)(void *data);

struct undo {
	struct undo_step {
		undo_fn fn;
		undo_fn forget; /* frees the data where the step is committed; NULL: it is not the stack's */
		void *data;
	} *steps;
	unsigned n, cap;
};

/* Makes sure that the next N pushes cannot fail. Returns 0 or -ENOMEM. */
int undo_reserve(struct undo *u, unsigned n);
/* DATA is somebody else's. Out of memory: FN is run at once and -ENOMEM returned. */
int undo_push(struct undo *u, undo_fn fn, void *data);
/* DATA belongs to the stack: FN undoes and frees it, FORGET only frees it (on commit). */
int undo_push_owned(struct undo *u, undo_fn fn, undo_fn forget, void *data);
/* Takes everything back, newest first. */
void undo_run(struct undo *u);
/* Success: nothing is taken back. */
void undo_commit(struct undo *u);
#define _cleanup_undo_ __attribute__((cleanup(undo_run)))

#endif
