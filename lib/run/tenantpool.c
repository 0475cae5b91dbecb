/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Putting VEs into pools. What is done to a pool itself is in pool_verbs.c. */
#include "run/tenantpool.h"

#include <errno.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/tenantpool.h"
#include "run/plan.h"
#include "run/pool_limits.h"

#define MARK "pool"

static const char *pool_of(const struct config *c)
{
	return config_raw(c, "pool") ? config_string(c, "pool") : NULL;
}

void tenantpool_leave(struct ve *v)
{
	unlinkat(v->run_fd, MARK, 0);
}

/* A start that was killed before its record was written left groups that are found by the link alone. */
static int clean_elsewhere(struct ve *v, const char *pool, ve_error **ret_error)
{
	_cleanup_cg_ struct cg *cg = NULL;
	struct cg_place was = handle_place(v);
	if (str_eq(was.path, cg_place(pool, v->name).path))
		return 0;
	int r = cg_open(v->ctx->cg, was.path, &cg, ret_error);
	if (r == 0)
		r = cg_destroy(cg, ret_error);
	if (r == 0 || r == -ENOENT)
		tenantpool_leave(v);
	return r == -ENOENT ? 0 : r;
}

static int enter(struct ve *v, const char *pool, ve_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	_cleanup_config_ struct config *limits = NULL;
	_cleanup_cg_ struct cg *cg = NULL;
	int r = pool_lock(v->ctx, pool, "start", &lock, ret_error);
	if (r == 0)
		r = tenantpool_load(v->ctx->store->etc_fd, pool, &limits, ret_error);
	if (r == 0)
		r = cg_pool_create(v->ctx->cg, pool, &cg, ret_error);
	if (r == 0)
		r = pool_apply(v->ctx, cg, pool, limits, ret_error);
	if (r == 0 && symlinkat(pool, v->run_fd, MARK) < 0 && errno != EEXIST)
		r = err_sys(ret_error, errno, "pool", "cannot note the pool of '%s'", v->name);
	return r;
}

int tenantpool_enter(struct ve *v, const struct config *c, ve_error **ret_error)
{
	const char *pool = pool_of(c);
	int r = clean_elsewhere(v, pool, ret_error);
	if (r == 0 && pool)
		r = enter(v, pool, ret_error);
	return r;
}

int tenantpool_check(struct ve_ctx *ctx, const struct config *c, ve_error **ret_error)
{
	_cleanup_config_ struct config *limits = NULL;
	const char *pool = pool_of(c);
	return pool ? tenantpool_load(ctx->store->etc_fd, pool, &limits, ret_error) : 0;
}

int tenantpool_save_config(struct ve *v, struct config *c, ve_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	const char *pool = pool_of(c);
	int r = pool ? pool_lock(v->ctx, pool, "set", &lock, ret_error) : 0;
	if (r == 0)
		r = tenantpool_check(v->ctx, c, ret_error);
	return r < 0 ? r : config_save(c, v->dir_fd, "config.json", true, ret_error);
}

void tenantpool_sweep(struct ve_ctx *ctx)
{
	_cleanup_close_ int lock = -1;
	_cleanup_strv_ char **names = NULL;
	if (ctx_cgroups(ctx, NULL) < 0 || cg_pool_names(ctx->cg, &names) < 0 || !names ||
	    pool_lock(ctx, names[0], "recover", &lock, NULL) < 0)
		return;
	for (char **n = names; *n; n++)
		if (!tenantpool_exists(ctx->store->etc_fd, *n))
			cg_pool_remove(ctx->cg, *n, NULL);
}
