/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a copy failed, for whichever end of it did. */
#ifndef RUN_COPY_H
#define RUN_COPY_H

#include "base/error.h"

/* ERRNUM of base/treestream.h, at the entry AT ("": the top). */
int copy_failure(int errnum, const char *at, ve_error **ret_error);

#endif
