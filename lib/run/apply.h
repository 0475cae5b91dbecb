/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live changes to a running VE, with the way back. */
#ifndef RUN_APPLY_H
#define RUN_APPLY_H

#include "run/handle.h"

struct applied {
	struct ve *ve;
	struct config *before, *after; /* what it ran with, and runs with now */
	unsigned n_done;	       /* of the table of appliers */
};

/* Brings the running V from what it runs with to C, as far as keys are live. On error all is as before. */
int apply_live(struct ve *v, const struct config *c, struct applied *ret_applied, ve_error **ret_error);
void apply_revert(struct applied *a);
/* What somebody else has brought from C to the running VE: KEY, or the keys of a group. */
int apply_take(struct applied *a, const char *key, const struct config *c, ve_error **ret_error);
/* Keeps it: running.json is written. */
void apply_keep(struct applied *a);

#endif
