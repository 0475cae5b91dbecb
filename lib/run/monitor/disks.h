/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor looks how full its VE's disks are, and the host's below them, and has it written down when one is. */
#ifndef MONITOR_DISKS_H
#define MONITOR_DISKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "blob.h"
#include "trim.h"

struct mon;

/* Of bytes, or of files. */
struct fullness {
	bool full; /* until there is room for some time */
	bool told;
	pid_t helper; /* that tells it, 0: none */
};

struct disks {
	struct disk {
		int fd, limit_fd; /* struct blob_disk */
		const char *name;
		struct fullness bytes, files;
		struct trim trim;
	} of[BLOB_MAX_DISKS];
	unsigned n;
	int64_t next_ms;
	uint32_t every_ms;
};

void disks_init(struct disks *d, const struct mon *m);
/* Milliseconds until disks_turn() is due; -1: never. */
int disks_left(const struct disks *d);
void disks_turn(struct disks *d, const struct mon *m);
/* What is open keeps mounts of the VE's busy: as soon as it has ended. */
void disks_close(struct disks *d);

#endif
