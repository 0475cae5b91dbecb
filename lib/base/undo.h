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
		void *data;
	} *steps;
	unsigned n, cap;
};

/* Makes sure that the next N pushes cannot fail. Returns 0 or -ENOMEM. */
int undo_reserve(struct undo *u, unsigned n);
/* FN(DATA) frees DATA itself where it owns it. Out of memory: FN is run at once and -ENOMEM returned. */
int undo_push(struct undo *u, undo_fn fn, void *data);
void undo_run(struct undo *u);
/* Success: the steps are forgotten; FREE_DATA (may be NULL) is called on each one's data. */
void undo_commit(struct undo *u, void (*free_data)(void *));
#define _cleanup_undo_ __attribute__((cleanup(undo_run)))

#endif
