/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done to a pool: looked at, made and changed, removed. A change reaches the group of the VEs that run in it first,
 * with its way back, and then the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/tenantpool.h"
#include "run/audit.h"
#include "run/limits.h"
#include "run/plan.h"
#include "run/pool_limits.h"
#include "run/tenantpool.h"
#include "run/verbs.h"

/* ---- whose it is ---- */

/* Does V name POOL, or run in it? */
static bool is_member(struct ve *v, const char *pool)
{
	struct cg_place above;
	if (v->config && config_raw(v->config, "pool") && str_eq(config_string(v->config, "pool"), pool))
		return true;
	struct cg_place place = handle_place(v);
	return cg_place_above(place.path, &above) && str_eq(above.path, cg_place(pool, NULL).path);
}

static int compare_texts(const void *a, const void *b)
{
	return str_natural_cmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the VEs that are in POOL, in natural order. */
static int members(struct ve_ctx *ctx, const char *pool, char ***ret_names, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL, **names = calloc(1, sizeof(char *));
	int r = names ? store_uuids(ctx->store, &uuids, ret_error) : err_nomem(ret_error);
	for (char **u = uuids; r == 0 && u && *u; u++) {
		_cleanup_ve_ struct ve *v = NULL;
		if (handle_open_uuid(ctx, *u, &v, NULL) == 0 && is_member(v, pool) && strv_add(&names, v->name) < 0)
			r = err_nomem(ret_error);
	}
	if (r < 0)
		return r;
	qsort(names, strv_length((const char *const *)names), sizeof(*names), compare_texts);
	*ret_names = steal_ptr(&names);
	return 0;
}

static json_t *texts(char **names)
{
	json_t *list = json_array();
	for (char **n = names; n && *n; n++)
		json_array_append_new(list, json_string(*n));
	return list;
}

/* ---- looking ---- */

static json_t *pool_doc(const char *name, const struct config *limits, char **ves)
{
	json_t *set = json_deep_copy(limits->root);
	json_object_del(set, "schema");
	return json_pack("{s:s,s:o,s:o}", "name", name, "limits", set, "ves", texts(ves));
}

static int doc_of(struct ve_ctx *ctx, const char *name, json_t **ret_doc, struct config **ret_limits, ve_error **ret_error)
{
	_cleanup_config_ struct config *limits = NULL;
	_cleanup_strv_ char **ves = NULL;
	int r = tenantpool_load(ctx->store->etc_fd, name, &limits, ret_error);
	if (r == 0)
		r = members(ctx, name, &ves, ret_error);
	json_t *doc = r == 0 ? pool_doc(name, limits, ves) : NULL;
	if (r == 0 && !doc)
		r = err_nomem(ret_error);
	if (r < 0)
		return r;
	*ret_doc = doc;
	if (ret_limits)
		*ret_limits = steal_ptr(&limits);
	return 0;
}

int verb_pool_list(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = tenantpool_names(ctx->store->etc_fd, &names, ret_error);
	json_t *list = json_array();
	for (char **n = names; r == 0 && n && *n; n++) {
		_cleanup_err_ ve_error *e = NULL;
		json_t *doc;
		/* One whose file is wrong must not hide the others. */
		if (doc_of(ctx, *n, &doc, NULL, &e) == 0)
			json_array_append_new(list, doc);
		else
			ctx_warn(ctx, "%s", ve_error_message(e));
	}
	if (r == 0)
		*ret_doc = json_incref(list);
	json_decref(list);
	return r;
}

int verb_pool_show(struct ve_ctx *ctx, const char *name, json_t **ret_doc, ve_error **ret_error)
{
	_cleanup_config_ struct config *limits = NULL;
	struct cg_counters now;
	struct cg_limits disks = { 0 };
	json_t *doc;
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = doc_of(ctx, name, &doc, &limits, ret_error);
	if (r < 0)
		return r;
	cg_counters_init(&now);
	plan_disks(&disks, (const int[]){ ctx->store->ve_fd, ctx->store->images_fd }, 2);
	if (ctx_cgroups(ctx, NULL) == 0)
		cg_host_counters(ctx->cg, cg_place(name, NULL).path, disks.disks, disks.n_disks, &now);
	json_object_set_new(doc, "resources", limits_of_pool(&now, limits));
	*ret_doc = doc;
	return 0;
}

/* ---- changing ---- */

static int note(const char *key, json_t *old_value, json_t *new_value, void *values)
{
	audit_note(values, key, old_value, new_value);
	return 0;
}

/* The pool NAME as it is, or an empty one. */
static int load_or_new(struct ve_ctx *ctx, const char *name, struct config **ret_limits, bool *ret_made, ve_error **ret_error)
{
	*ret_made = !tenantpool_exists(ctx->store->etc_fd, name);
	return *ret_made ? config_new(NULL, ret_limits, ret_error) :
			   tenantpool_load(ctx->store->etc_fd, name, ret_limits, ret_error);
}

/* A pool without a group has no VE that runs: there is nothing to change yet. */
static int open_groups(struct ve_ctx *ctx, const char *name, struct cg **ret_cg, ve_error **ret_error)
{
	int r = cg_pool_open(ctx->cg, name, ret_cg, ret_error);
	return r == -ENOENT ? 0 : r;
}

static int put_in_place(struct ve_ctx *ctx, const char *name, const struct config *old, const struct config *fresh,
			ve_error **ret_error)
{
	_cleanup_cg_ struct cg *cg = NULL;
	int r = pool_check_limits(ctx, name, fresh, ret_error);
	if (r == 0 && ctx_ends_dry(ctx, CTX_AS_IT_IS))
		return VE_CHANGED;
	if (r == 0)
		r = open_groups(ctx, name, &cg, ret_error);
	if (r == 0 && cg)
		r = pool_change(ctx, cg, old, fresh, ret_error);
	if (r < 0)
		return r;
	r = tenantpool_save(ctx->store->etc_fd, name, fresh, ret_error);
	if (r < 0 && cg)
		pool_change(ctx, cg, fresh, old, NULL);
	return r;
}

static int set_locked(struct ve_ctx *ctx, const char *name, const char *const *assignments, json_t **values,
		      ve_error **ret_error)
{
	_cleanup_config_ struct config *old = NULL, *fresh = NULL;
	bool made = false;
	int r = load_or_new(ctx, name, &old, &made, ret_error);
	if (r == 0)
		r = config_copy(old, &fresh, ret_error);
	for (const char *const *a = assignments; r == 0 && *a; a++)
		r = tenantpool_assign(fresh, *a, ret_error);
	if (r == 0)
		r = config_diff(old, fresh, note, values, ret_error);
	if (r < 0)
		return r;
	if (!made && !*values)
		return VE_UNCHANGED;
	r = put_in_place(ctx, name, old, fresh, ret_error);
	return r < 0 ? r : VE_CHANGED;
}

int verb_pool_set(struct ve_ctx *ctx, const char *name, const char *const *assignments, ve_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	struct audit a = { .verb = "pool set", .name = name, .begun_ms = clock_ms() };
	int r = tenantpool_check_name(name, ret_error);
	if (r == 0)
		r = ctx_open_to_change(ctx, ret_error);
	if (r == 0)
		r = pool_lock(ctx, name, "pool set", &lock, ret_error);
	if (r == 0)
		r = set_locked(ctx, name, assignments, &a.values, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot change the pool '%s'", name);
	audit_write(ctx, &a, r, ret_error ? *ret_error : NULL);
	json_decref(a.values);
	return r;
}

static int in_use(const char *name, char **ves, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	enum { SHOWN = 5 };
	for (size_t i = 0; ves[i] && i < SHOWN; i++)
		strbuf_addf(&b, "%s'%s'", i ? ", " : "", ves[i]);
	size_t n = strv_length((const char *const *)ves);
	if (n > SHOWN)
		strbuf_addf(&b, " and %zu more", n - SHOWN);
	int r = err_plain(ret_error, VE_ERR_STATE, EBUSY, "pool", "cannot remove the pool '%s': %s in it", name,
			  n ? b.data : "a VE is");
	if (n)
		err_hint(ret_error, "take them out first: vectl set %s pool=default --restart", ves[0]);
	return r;
}

static int remove_locked(struct ve_ctx *ctx, const char *name, ve_error **ret_error)
{
	_cleanup_strv_ char **ves = NULL;
	_cleanup_config_ struct config *limits = NULL;
	int r = tenantpool_load(ctx->store->etc_fd, name, &limits, ret_error);
	if (r == -ENOENT || (r < 0 && !tenantpool_exists(ctx->store->etc_fd, name)))
		return r;
	if (r < 0 && ret_error) { /* a file that cannot be read can be removed */
		ve_error_free(*ret_error);
		*ret_error = NULL;
	}
	r = members(ctx, name, &ves, ret_error);
	if (r == 0 && *ves)
		r = in_use(name, ves, ret_error);
	if (r == 0 && ctx_ends_dry(ctx, CTX_AS_IT_IS))
		return VE_CHANGED;
	if (r == 0)
		r = ctx_cgroups(ctx, ret_error);
	if (r == 0)
		r = cg_pool_remove(ctx->cg, name, ret_error);
	if (r == -EBUSY && ret_error && !*ret_error)
		r = in_use(name, ves, ret_error);
	return r < 0 ? r : tenantpool_unlink(ctx->store->etc_fd, name, ret_error);
}

int verb_pool_remove(struct ve_ctx *ctx, const char *name, ve_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	const struct audit a = { .verb = "pool remove", .name = name, .begun_ms = clock_ms() };
	int r = ctx_open_to_change(ctx, ret_error);
	if (r == 0)
		r = pool_lock(ctx, name, "pool remove", &lock, ret_error);
	if (r == 0)
		r = remove_locked(ctx, name, ret_error);
	audit_write(ctx, &a, r < 0 ? r : VE_CHANGED, ret_error ? *ret_error : NULL);
	return r < 0 ? r : VE_CHANGED;
}
