/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is deleted in a file system of the VE's own, in a file of the host's, is given back to the host. */
#ifndef MONITOR_TRIM_H
#define MONITOR_TRIM_H

#include <stdint.h>
#include <sys/types.h>

struct trim {
	uint64_t least; /* what was free when it was least, since the last time: more than that may be the host's to have back */
	pid_t helper;	/* that trims, 0: none */
};

#define TRIM_BEGIN ((struct trim){ .least = UINT64_MAX })

/* FREE_BYTES of the file system of MOUNT_FD are free now. */
void trim_turn(struct trim *t, int mount_fd, uint64_t free_bytes);
/* The mount has to be let go of. */
void trim_end(struct trim *t);

#endif
