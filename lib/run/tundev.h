/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* features.tun: /dev/net/tun for a VE. */
#ifndef RUN_TUNDEV_H
#define RUN_TUNDEV_H

#include <stdint.h>

#include "base/error.h"
#include "cg/cgroup.h"

extern const struct cg_device tundev_rule; /* for the device filter */

/* A detached mount to be the VE's /dev/net, with the one node in it, owned by OWNER. VE_ERR_UNSUPPORTED: the kernel has no
 * such device. */
int tundev_mount(uint32_t owner, int *ret_mount, ve_error **ret_error);

#endif
