/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key "devices": devices of the host's, judged for a VE. Whoever drives a device drives what it is made to drive: some are the
 * whole host, under another name, and are refused with the reason.
 */
#ifndef RUN_HOSTDEVICE_H
#define RUN_HOSTDEVICE_H

#include <sys/types.h>

#include "cg/cgroup.h"
#include "model/config.h"
#include "model/devicespec.h"

struct hostdevice {
	struct cg_device rule;
	mode_t mode; /* of a node for it: its type, and the permissions that the host's has */
};

/* VE_ERR_NOT_FOUND; VE_ERR_CONFIG: it is no device, or one that no VE gets; VE_ERR_BUSY: a disk that the host uses itself. */
int hostdevice_find(const struct devicespec *spec, struct hostdevice *ret, ve_error **ret_error);
/* The same for who writes C down in OLD's place (NULL: nothing's), of those that OLD has not. */
int hostdevices_check(const struct config *old, const struct config *c, ve_error **ret_error);

#endif
