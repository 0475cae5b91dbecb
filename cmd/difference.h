/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `set` and `apply` share: when a change takes effect, and what it was, key by key. */
#ifndef CMD_DIFFERENCE_H
#define CMD_DIFFERENCE_H

#include "command.h"

struct difference_options {
	bool pending, restart;
};

/* Rows for the options of a command whose struct TYPE has a member `struct difference_options how`. */
#define DIFFERENCE_OPTIONS(type) \
	FLAG("pending", 0, type, how.pending, "Write it now, and let it take effect at the next start."), \
	FLAG("restart", 0, type, how.restart, "Restart the VE if a key needs it."), \
	DRY_RUN_OPTION

/* Returns 0, or the exit code after it was told what is wrong. */
int difference_mode(struct call *call, const struct difference_options *o, enum ve_set_mode *ret_mode);
/* The verb on V succeeded with R (enum ve_changed) and CHANGES. Returns the exit code. */
int difference_report(struct call *call, ve *v, int r, const ve_doc *changes, enum ve_set_mode mode);

#endif
