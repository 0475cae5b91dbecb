/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mount namespace for a while: see scratch.c. */
#ifndef MONITOR_SCRATCH_H
#define MONITOR_SCRATCH_H

#include "mon.h"

/* Whatever it returns, scratch_leave() follows. */
int scratch_enter(int *ret_home, struct failure *f);
int scratch_leave(int home, struct failure *f);
/* The detached mount MNT, of a directory or a file, under NAME. -1 with errno. */
int scratch_attach(int mnt, const char *name);

#endif
