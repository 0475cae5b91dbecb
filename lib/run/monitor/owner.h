/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wearing the first id of the VE's range: see owner.c. */
#ifndef MONITOR_OWNER_H
#define MONITOR_OWNER_H

#include "mon.h"

/* Makes every permitted capability effective again after a change of ids. */
int owner_raise(void);
/* Real, effective and fs id are the owner's until owner_return(); saved id stays 0. */
int owner_wear(const struct mon *m, struct failure *f);
int owner_return(struct failure *f);
/* Only the file system ids: who creates an overlay (KERNEL rule: a creator outside the map of its layers gets
 * a read-only overlay and no error). */
int owner_wear_fs(const struct mon *m, struct failure *f);
void owner_return_fs(void);
/* clone3 as the owner. The child runs CHILD and never returns. M->child and M->pidfd are set. */
int owner_clone(struct mon *m, int (*child)(struct mon *), struct failure *f);

#endif
