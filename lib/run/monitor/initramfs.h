/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes pivot_root(2) possible where the host runs from its initramfs: see initramfs.c. Elsewhere all of it does nothing. */
#ifndef MONITOR_INITRAMFS_H
#define MONITOR_INITRAMFS_H

#include "mon.h"

/* Around clone3. *RET_HOME: the host's mount namespace, -1: we are in it. In between, and in the child until it pivots, the
 * host's files are found by the working directory alone. */
int initramfs_cover(int *ret_home, struct failure *f);
int initramfs_uncover(int home, struct failure *f);

#endif
