/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices of the host's as they are typed: PATH[:r|:rw], "/dev/ttyUSB0", "/dev/dri/renderD128:rw", "/dev/hwrng:r". */
#ifndef MODEL_DEVICESPEC_H
#define MODEL_DEVICESPEC_H

#include <stdbool.h>

#include "base/error.h"

enum { DEVICESPEC_PATH_SIZE = 128, DEVICESPECS_MAX = 16 };

struct devicespec {
	char path[DEVICESPEC_PATH_SIZE]; /* below /dev, in its shortest spelling; the same on the host and in the VE */
	bool readonly;
};

/* VE_ERR_CONFIG. */
int devicespec_parse(const char *text, struct devicespec *ret, ve_error **ret_error);

#endif
