/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resource limits of a VE. All sixteen are set, so that nothing of the session that typed `start` leaks in. The
 * four that are counted per user (nproc, memlock, msgqueue, sigpending) freeze at start from the creator's soft
 * limit and bound the VE as a whole.
 */
#ifndef SEC_RLIMITS_H
#define SEC_RLIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/error.h"

struct rlimit_value {
	int resource; /* RLIMIT_* */
	struct rlimit limit;
};
enum { RLIMITS_MAX = 16 };

/* The whole list for a VE: defaults by PIDS_LIMIT (nproc is kept above it) and MEMORY_LIMIT (UNITS_UNLIMITED for
 * either), core (1 where a core dump would reach the host), then OVERRIDES: "NAME", "SOFT[:HARD]" pairs from
 * rlimits.*, NULL-terminated, or NULL. Sizes take K M G T; "unlimited" is a word. A process without
 * CAP_SYS_RESOURCE cannot raise its hard limits: a default is then lowered to what it has, an override is
 * refused (-EPERM, VE_ERR_PERMISSION). Bad names and values: VE_ERR_CONFIG.
 * Returns how many are in RET_VALUES. */
int rlimits_plan(int64_t pids_limit, int64_t memory_limit, const char *const *overrides,
		 struct rlimit_value ret_values[RLIMITS_MAX], ve_error **ret_error);

/* Whether the plan forbids core files because they would reach the host. The limit alone is no fence against a
 * pipe: the kernel tests for exactly 1, so a process that lowers its soft limit to 0 starts the host's program
 * after all. Where this is true, the seccomp policy "core" has to be added to the VE's own. */
bool rlimits_core_is_fenced(const struct rlimit_value *values, int n_values);

/* Whether RESOURCE cannot change while the VE runs: counted for the whole VE, or part of the fence above. */
bool rlimits_is_frozen(int resource);

/* Whether a core dump of a VE's process reaches the host, with kernel.core_pattern's text PATTERN and
 * fs.suid_dumpable: it starts a program (pipe), talks to one (socket; no limit stops that one), or writes
 * to the host's own tree. */
bool rlimits_core_leaves_ve(const char *pattern, int suid_dumpable);

#endif
