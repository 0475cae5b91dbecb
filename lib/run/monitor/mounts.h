/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts of a VE below its root: see mounts.c. Child-safe: nothing allocates. */
#ifndef MONITOR_MOUNTS_H
#define MONITOR_MOUNTS_H

#include "mon.h"

/* Makes the plan's mounts below the tree ROOT (a descriptor), in order. M->proc_mount is set. */
int mounts_make(struct mon *m, int root, struct failure *f);
/* Opens a device below ROOT without waiting for it and without its becoming anybody's terminal; links lead no further
 * than ROOT, which may stand beside the host's tree. */
int mounts_open_device(int root, const char *path);
/* Binds the file behind SOURCE_FD onto TARGET (made where it is missing). */
int mounts_bind(int root, int source_fd, const char *target, struct failure *f);

#endif
