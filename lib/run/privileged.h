/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that hand power over the host (SCHEMA_PRIVILEGED), and callers who may not (ve_ctx_set_unprivileged_keys_only()). */
#ifndef RUN_PRIVILEGED_H
#define RUN_PRIVILEGED_H

#include "model/config.h"
#include "run/ctx.h"

/* VE_ERR_PERMISSION, where such a caller would make one of these keys another than it is in OLD. OLD NULL: than its default. */
int privileged_check(const struct ve_ctx *ctx, const struct config *old, const struct config *fresh, ve_error **ret_error);
/* A warning that names those of them that C sets: for who takes over a configuration that he may not have read. */
void privileged_tell(struct ve_ctx *ctx, const char *name, const struct config *c);

#endif
