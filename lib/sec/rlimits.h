/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resource limits of a VE. The four that are counted per user (nproc, memlock, msgqueue, sigpending) freeze at
 * start from the creator's soft limit and are therefore always set (KERNEL.md M2). */
#ifndef SEC_RLIMITS_H
#define SEC_RLIMITS_H

#include <stdint.h>
#include <sys/resource.h>

#include "base/error.h"

struct rlimit_value {
	int resource; /* RLIMIT_* */
	struct rlimit limit;
};
enum { RLIMITS_MAX = 16 };

/* The whole list for a VE: defaults by PIDS_LIMIT (nproc is kept above it) and MEMORY_LIMIT, core (hard 1 where
 * core_pattern is a pipe, KERNEL.md X1), then OVERRIDES: "NAME", "SOFT[:HARD]" pairs from rlimits.*, NULL-terminated.
 * Returns how many are in RET_VALUES. */
int rlimits_plan(int64_t pids_limit, int64_t memory_limit, const char *const *overrides,
		 struct rlimit_value ret_values[RLIMITS_MAX], ve_error **ret_error);

#endif
