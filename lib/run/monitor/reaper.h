/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Process 1 of a jail: the part of the child that stays. */
#ifndef MONITOR_REAPER_H
#define MONITOR_REAPER_H

#include "mon.h"

/* Has COMMAND(M) go on in a process of its own, up to its exec or its end, and becomes process 1: returns on failure only. */
int reaper_become(struct mon *m, int (*command)(void *m), struct failure *f);

#endif
