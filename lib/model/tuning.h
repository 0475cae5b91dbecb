/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of the host's settings many VEs need larger, and how large for how many: data only. They are the ones that the kernel has
 * once for the whole host, so that one VE's use is another's lack. What it counts for each VE (through the owner of the
 * user namespace, a namespace or a group) is no setting of the host's to size, but for its inotify limit, which is too small for
 * a whole system.
 */
#ifndef MODEL_TUNING_H
#define MODEL_TUNING_H

#include <stdint.h>

struct tuning {
	const char *name;   /* as sysctl(8) has it */
	int64_t base, each; /* for the host itself, and for each VE */
	int64_t most;	    /* what the kernel takes */
	const char *reason;
};

extern const struct tuning tunings[]; /* ends with .name = NULL */

const struct tuning *tuning_find(const char *name); /* NULL: there is none */
/* At least so much for N_VES. */
int64_t tuning_wanted(const struct tuning *t, uint64_t n_ves);
/* Its file below /proc/sys: "fs/aio-max-nr". */
enum { TUNING_PATH_SIZE = 96 };
void tuning_path(const struct tuning *t, char ret_path[TUNING_PATH_SIZE]);

#endif
