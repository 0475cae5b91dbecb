/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What network managers inside a VE are told: that its interfaces are configured already, from outside. */
#ifndef RUN_MANAGERS_H
#define RUN_MANAGERS_H

#include "run/plan.h"

enum { MANAGERS_MAX = 4 + PLAN_MAX_IFS };

struct manager_file {
	const char *only_with; /* written only where the VE has this one */
	char *path, *text;
};

/* The files for the interfaces of NET: how many, 0 where it has none, or -ENOMEM. managers_done() frees. All are below /run, and so
 * gone with the VE's run: its disk is not touched. */
int managers_files(const struct net_plan *net, struct manager_file ret_files[MANAGERS_MAX]);
void managers_done(struct manager_file *files, int n);

#endif
