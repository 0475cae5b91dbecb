/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was counted of a VE over all its lives. The kernel counts for as long as the control groups live; when they go,
 * what they had counted is added up in ve/UUID/counters.json.
 */
#ifndef RUN_TALLY_H
#define RUN_TALLY_H

#include "run/handle.h"

/* What the kernel has counted since V was started; nothing but -1 where it does not run. */
void tally_now(struct ve *v, struct cg_counters *ret_now);
/* NOW, and the lives before it: sums of what only grows, the highest of the peaks. */
void tally_total(struct ve *v, const struct cg_counters *now, struct cg_counters *ret_total);
/* Before the groups go, or at any time before: what they have counted is kept. Called twice it counts once. No error:
 * a VE that cannot be counted can still be stopped. */
void tally_save(struct ve *v);

#endif
