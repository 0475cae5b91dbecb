/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which file systems, nodes and files a VE finds in its root: data, frozen into the blob. */
#ifndef RUN_ROOTPLAN_H
#define RUN_ROOTPLAN_H

#include "run/blobber.h"
#include "run/devnodes.h"
#include "run/hostmount.h"
#include "run/launch.h"

/* Detached mounts, or -1. */
struct rootplan_extra {
	int notify;	 /* /run/host/notify */
	int credentials; /* CREDENTIALS_PLACE */
};
/* The row of one of the host's directories or files. */
struct blob_mount rootplan_bind(struct blobber *b, const struct hostmount *h);
void rootplan_mounts(struct blobber *b, const struct plan *p, const struct rootplan_extra *extra, const struct devnodes *nodes,
		     const struct hostmounts *mounts);
/* For work in a stopped VE: what is of its own disks alone. */
void rootplan_work_mounts(struct blobber *b, const struct plan *p);
void rootplan_files(struct blobber *b, const struct plan *p, const struct file_change *changes, unsigned n);

#endif
