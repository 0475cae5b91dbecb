/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Full disks. The monitor looks at gauges that libve opens for it (run/monitor/disks.c), and calls vectl-ended when one is full: that is
 * an event, and how often there was one is kept in ve/UUID/full.json, {"disk": 2, "volume.data": 1}.
 */
#ifndef RUN_DISKFULL_H
#define RUN_DISKFULL_H

#include "fs/storage.h"
#include "run/blobber.h"
#include "run/plan.h"

struct diskfull_gauges {
	struct storage_gauge of[BLOB_MAX_DISKS];
	unsigned n;
};

/* What the monitor of V, which runs with C, looks at. P: the plan that V is started by; NULL: it runs. What cannot be opened is not
 * looked at. KEPT is the caller's to close once the plan is sent. */
void diskfull_freeze(struct blobber *b, struct ve *v, const struct config *c, const struct plan *p, struct diskfull_gauges *kept);
void diskfull_close(struct diskfull_gauges *kept);

/* How often RESOURCE, as the event names it, was found full since V was made. COUNTS: diskfull_counts(). */
json_t *diskfull_counts(struct ve *v);
int64_t diskfull_count(const json_t *counts, const char *resource);

#endif
