/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories and files of the host's in a VE: see binds.c. */
#ifndef MONITOR_BINDS_H
#define MONITOR_BINDS_H

#include "mon.h"

bool binds_wanted(const struct mon *m);
/* Fills M->binds, for the child, with the detached mounts of all BM_BIND, in their order. Nothing of the host's is changed. */
int binds_open(struct mon *m, int userns_fd, struct failure *f);
void binds_close(struct mon *m);

#endif
