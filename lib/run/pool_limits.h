/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What putting a VE into a pool and changing a pool share: its lock, and its limits in the kernel. */
#ifndef RUN_POOL_LIMITS_H
#define RUN_POOL_LIMITS_H

#include "model/config.h"
#include "run/ctx.h"

/* The store's lock, for VERB on POOL; RET_LOCK holds it until it is closed. */
int pool_lock(struct ve_ctx *ctx, const char *pool, const char *verb, int *ret_lock, ve_error **ret_error);
/* Can this host hold LIMITS over several VEs? VE_ERR_UNSUPPORTED. */
int pool_check_limits(struct ve_ctx *ctx, const char *pool, const struct config *limits, ve_error **ret_error);
/* The pool's groups CG get all of LIMITS. */
int pool_apply(struct ve_ctx *ctx, struct cg *cg, const char *pool, const struct config *limits, ve_error **ret_error);
/* They go from OLD to LIMITS: all or none. */
int pool_change(struct ve_ctx *ctx, struct cg *cg, const struct config *old, const struct config *limits, ve_error **ret_error);

#endif
