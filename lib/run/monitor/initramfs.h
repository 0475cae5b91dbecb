/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes pivot_root(2) possible where the host runs from its initramfs: see initramfs.c. Elsewhere all of it does nothing. */
#ifndef MONITOR_INITRAMFS_H
#define MONITOR_INITRAMFS_H

#include "mon.h"

/* The monitor, around clone3. *RET_HOME: the host's mount namespace, -1: we are in it. */
int initramfs_cover(int *ret_home, struct failure *f);
int initramfs_uncover(int home, struct failure *f);
/* The child: before the VE's tree is attached, and before it pivots. */
int initramfs_open_cover(int *ret_fd, struct failure *f);
int initramfs_enter_cover(int fd, struct failure *f);

#endif
