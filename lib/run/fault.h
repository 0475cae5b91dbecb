/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fault switch of test builds (make D=1): VE_FAULT=STAGE fails that stage with EIO, VE_FAULT=STAGE:ERRNO with that number,
 * VE_FAULT=STAGE:kill kills the verb's process there. Stages are those of fault_stages and of vectl-monitor
 * --stages. Other builds contain none of it.
 */
#ifndef RUN_FAULT_H
#define RUN_FAULT_H

#include "base/error.h"
#include "run/blobber.h"

extern const char *const fault_stages[]; /* libve's own, then those of vectl-monitor; NULL-terminated */

int fault_point(const char *stage, ve_error **ret_error);
/* Hands the switch on to the monitor. */
void fault_forward(struct blobber *b);

#endif
