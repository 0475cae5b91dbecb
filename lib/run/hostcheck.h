/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `vectl check`: the rows of every room that knows what it needs of the host, in one table. Reads only. */
#ifndef RUN_HOSTCHECK_H
#define RUN_HOSTCHECK_H

#include <jansson.h>

#include "run/ctx.h"

int hostcheck(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error);

#endif
