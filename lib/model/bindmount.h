/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bind mounts as they are typed: SOURCE:TARGET[:ro], "/srv/web1:/srv", "/usr/share/zoneinfo:/usr/share/zoneinfo:ro". */
#ifndef MODEL_BINDMOUNT_H
#define MODEL_BINDMOUNT_H

#include <stdbool.h>

#include "base/error.h"

enum { BINDMOUNT_PATH_SIZE = 256, BINDMOUNTS_MAX = 16 };

struct bindmount {
	char source[BINDMOUNT_PATH_SIZE]; /* the host's; absolute, in its shortest spelling */
	char target[BINDMOUNT_PATH_SIZE]; /* the VE's, likewise */
	bool readonly;
};

/* Is it an absolute path in its shortest spelling, and short enough? "/" is one. */
bool bindmount_is_path(const char *path);
/* VE_ERR_CONFIG: nothing is mounted on such a PATH of a VE's. */
int bindmount_check_target(const char *path, ve_error **ret_error);
/* VE_ERR_CONFIG. */
int bindmount_parse(const char *text, struct bindmount *ret, ve_error **ret_error);
/* Is PATH the directory ABOVE, or below it? Both in their shortest spelling. */
bool bindmount_is_below(const char *path, const char *above);

#endif
