/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/pool_limits.h"

#include "base/lock.h"
#include "run/plan.h"

int pool_lock(struct ve_ctx *ctx, const char *pool, const char *verb, int *ret_lock, ve_error **ret_error)
{
	if (ctx->dry_run)
		return 0;
	return lock_take(ctx->store->lib_fd, "lock", ctx->lock_timeout_ms, ctx->cancel_fd, pool, verb, ret_lock, ret_error);
}

static void limits_of(struct ve_ctx *ctx, const struct config *c, bool disks, struct cg_limits *ret_limits)
{
	plan_limits(c, ret_limits);
	ret_limits->hugepages_bytes = CG_UNSET; /* its VEs' own */
	if (disks)
		plan_disks(ret_limits, (const int[]){ ctx->store->ve_fd, ctx->store->images_fd }, 2);
}

int pool_check_limits(struct ve_ctx *ctx, const char *pool, const struct config *limits, ve_error **ret_error)
{
	struct cg_limits l;
	limits_of(ctx, limits, plan_limits_disks(limits), &l);
	int r = ctx_cgroups(ctx, ret_error);
	return r < 0 ? r : cg_pool_check_limits(ctx->cg, pool, &l, ret_error);
}

int pool_apply(struct ve_ctx *ctx, struct cg *cg, const char *pool, const struct config *limits, ve_error **ret_error)
{
	struct cg_limits l;
	int r = pool_check_limits(ctx, pool, limits, ret_error);
	limits_of(ctx, limits, plan_limits_disks(limits), &l);
	return r < 0 ? r : cg_apply(cg, &l, ctx_warn_sentence, ctx, ret_error);
}

int pool_change(struct ve_ctx *ctx, struct cg *cg, const struct config *old, const struct config *limits, ve_error **ret_error)
{
	struct cg_limits a, b, change;
	bool disks = plan_limits_disks(old) || plan_limits_disks(limits);
	limits_of(ctx, old, disks, &a);
	limits_of(ctx, limits, disks, &b);
	return cg_limits_change(&a, &b, &change) ? cg_apply(cg, &change, ctx_warn_sentence, ctx, ret_error) : 0;
}
