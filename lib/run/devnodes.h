/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices that a VE has beyond those of every VE: of features.tun, features.fuse and the key devices. Each is a rule of its
 * device filter, and a node. And the one that its root is mounted from, which is a node alone.
 *
 * The nodes are made anew, in a small file system of the VE's own, and not bound from the host's /dev: there they belong to the
 * host's root, often to that alone (mode 0600), who is nobody in the VE.
 */
#ifndef RUN_DEVNODES_H
#define RUN_DEVNODES_H

#include <stdint.h>

#include "base/error.h"
#include "cg/cgroup.h"
#include "model/config.h"
#include "model/devicespec.h"

enum { DEVNODES_FEATURES = 2, DEVNODES_MAX = DEVNODES_FEATURES + DEVICESPECS_MAX + 1 };

struct devnodes {
	unsigned n, n_rules; /* the last may have no rule */
	struct cg_device rules[DEVNODES_MAX];
	char paths[DEVNODES_MAX][DEVICESPEC_PATH_SIZE]; /* in the VE, and below the mount: "/dev/fuse" */
	int mount;				     /* detached, in the place of a /dev, with nothing but these; -1: there are none */
};

/* Those of C, as nodes of OWNER's. VE_ERR_UNSUPPORTED: the kernel has no such device; and as hostdevice_find(). */
int devnodes_open(const struct config *c, uint32_t owner, struct devnodes *ret, ve_error **ret_error);
/* The block device PATH of the host's, for programs that ask for its number: it cannot be opened, whatever the filter of devices is. */
int devnodes_show(struct devnodes *d, const char *path, ve_error **ret_error);
void devnodes_done(struct devnodes *d);

#endif
