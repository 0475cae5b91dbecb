/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts of a VE below its root: see mounts.c. Child-safe: nothing allocates. */
#ifndef MONITOR_MOUNTS_H
#define MONITOR_MOUNTS_H

#include "mon.h"

/* Makes the plan's mounts below the tree ROOT (a descriptor), in order. */
int mounts_make(const struct mon *m, int root, struct failure *f);
/* Binds the file behind SOURCE_FD onto TARGET (made where it is missing). */
int mounts_bind(int root, int source_fd, const char *target, struct failure *f);

#endif
