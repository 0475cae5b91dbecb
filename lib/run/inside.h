/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work on a VE's own files, whether it runs or not: by a process that has joined it, or, in a stopped one, by one that is born
 * into its namespaces. What is to be done is frozen into the plan between the two calls.
 *
 *	_cleanup_inside_ struct inside in = { 0 };
 *	int r = inside_open(&in, v, ret_error);
 *	if (r == 0) {
 *		inside_files(&in, changes, n);
 *		r = inside_begin(&in, ret_error);
 *	}
 *	if (r == 0)
 *		r = inside_end(&in, deadline_ms, ret_error);
 */
#ifndef RUN_INSIDE_H
#define RUN_INSIDE_H

#include "run/launch.h"

struct inside {
	struct ve *ve;
	bool running;
	struct plan plan; /* of a stopped one */
	struct blobber blob;
	struct spawn spawn;
};

/* V's lock is held, and until inside_end() where it does not run: nobody may start it meanwhile. */
int inside_open(struct inside *in, struct ve *v, ve_error **ret_error);
void inside_files(struct inside *in, const struct file_change *changes, unsigned n);
/* Up to where the VE's root begins with it. Of a VE that runs the lock is not needed from here on. */
int inside_begin(struct inside *in, ve_error **ret_error);
/* Waits until it is done. What was said of a failure is the error. */
int inside_end(struct inside *in, int deadline_ms, ve_error **ret_error);
/* Breaks off what is not done. */
void inside_done(struct inside *in);
#define _cleanup_inside_ __attribute__((cleanup(inside_done)))

#endif
