/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of `vectl limits`, for others that show them. */
#ifndef RUN_LIMITS_H
#define RUN_LIMITS_H

#include <jansson.h>

#include "cg/cgroup.h"
#include "model/config.h"

/* An array of {resource,unit,limit_unit,used,peak,limit,refused}: what the kernel counts in the groups of a pool, and what LIMITS
 * says it may be. */
json_t *limits_of_pool(const struct cg_counters *now, const struct config *limits);

#endif
