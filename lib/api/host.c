/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls of ve.h about a whole store: runs, lists, recovery, images, templates, the host. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/lock.h"
#include "base/str.h"
#include "model/image.h"
#include "model/template.h"
#include "run/audit.h"
#include "run/hostcheck.h"
#include "run/image.h"
#include "run/verbs.h"

int ve_run(ve_ctx *ctx, const struct ve_run_opts *opts, int *ret_status, ve_error **ret_error)
{
	struct ve_run_opts o = API_OPTS(ve_run_opts, opts);
	api_begin(ctx);
	return verb_run(ctx, &o, o.spec ? o.spec->config : NULL, ret_status, ret_error);
}

int ve_run_detached(ve_ctx *ctx, const struct ve_run_opts *opts, ve **ret_ve, ve_error **ret_error)
{
	struct ve_run_opts o = API_OPTS(ve_run_opts, opts);
	api_begin(ctx);
	return verb_run_detached(ctx, &o, o.spec ? o.spec->config : NULL, ret_ve, ret_error);
}

int ve_recover(ve_ctx *ctx, ve *v, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = verb_recover(ctx, v, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_start_boot(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = verb_start_boot(ctx, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_stop_all(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = verb_stop_all(ctx, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_ended(ve_ctx *ctx, const char *uuid, int status, ve_error **ret_error)
{
	api_begin(ctx);
	return verb_ended(ctx, uuid, status, ret_error);
}

int ve_traffic(ve_ctx *ctx, ve *v, const struct ve_traffic_opts *opts, ve_doc **ret_doc, ve_error **ret_error)
{
	struct ve_traffic_opts o = API_OPTS(ve_traffic_opts, opts);
	json_t *doc = NULL;
	api_begin(ctx);
	int r = look_traffic(ctx, v, o.month, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_history(ve_ctx *ctx, const struct ve_history_opts *opts, ve_doc **ret_doc, ve_error **ret_error)
{
	struct ve_history_opts o = API_OPTS(ve_history_opts, opts);
	json_t *doc = NULL;
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = audit_history(ctx, o.name, o.since, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_capacity(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = look_capacity(ctx, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_limits(ve_ctx *ctx, ve *v, const struct ve_limits_opts *opts, ve_doc **ret_doc, ve_error **ret_error)
{
	struct ve_limits_opts o = API_OPTS(ve_limits_opts, opts);
	json_t *doc = NULL;
	api_begin(ctx);
	int r = look_limits(ctx, v, o.refused, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_quota(ve_ctx *ctx, const char *uuid, ve_error **ret_error)
{
	api_begin(ctx);
	return verb_quota(ctx, uuid, ret_error);
}

int ve_notice(ve_ctx *ctx, const char *uuid, ve_error **ret_error)
{
	api_begin(ctx);
	return verb_notice(ctx, uuid, ret_error);
}

int ve_disk_full(ve_ctx *ctx, const char *uuid, const char *disk, bool of_files, ve_error **ret_error)
{
	api_begin(ctx);
	return verb_disk_full(ctx, uuid, disk, of_files, ret_error);
}

int ve_events(ve_ctx *ctx, ve *v, const struct ve_events_opts *opts, ve_event_fn fn, void *data, ve_error **ret_error)
{
	struct ve_events_opts o = API_OPTS(ve_events_opts, opts);
	api_begin(ctx);
	return events_read(ctx, v, &o, fn, data, ret_error);
}

int ve_list(ve_ctx *ctx, const struct ve_list_opts *opts, ve_doc **ret_doc, ve_error **ret_error)
{
	struct ve_list_opts o = API_OPTS(ve_list_opts, opts);
	json_t *doc = NULL;
	api_begin(ctx);
	int r = list_all(ctx, &o, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_list_fields(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = list_fields(&doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

/* ---- templates ---- */

int ve_template_list(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = template_list((const char *const *)ctx->store->template_dirs, &doc, ret_error);
	_cleanup_free_ char *shipped = str_printf("%s/ve", store_data_dir());
	if (r == 0 && shipped && access(shipped, F_OK) < 0)
		ctx_warn(ctx, "the templates that vectl ships are not at '%s': is it installed whole?", shipped);
	return api_doc(r, doc, ret_doc);
}

int ve_template_show(ve_ctx *ctx, const char *name, ve_doc **ret_doc, ve_error **ret_error)
{
	_cleanup_template_ struct template *t = NULL;
	json_t *doc = NULL;
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = template_open((const char *const *)ctx->store->template_dirs, name, &t, ret_error);
	if (r < 0)
		return r;
	config_hide_secrets(t->keys);
	doc = json_pack("{s:s,s:s?,s:s?,s:s,s:s,s:O}", "name", t->name, "description", t->description, "extends", t->extends, "path", t->path, "digest",
			t->digest, "keys", t->keys->root);
	return doc ? api_doc(0, doc, ret_doc) : err_nomem(ret_error);
}

int ve_template_check(ve_ctx *ctx, const char *name, ve_error **ret_error)
{
	_cleanup_template_ struct template *t = NULL;
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	if (r < 0)
		return r;
	return __builtin_strchr(name, '/') ? template_open_file((const char *const *)ctx->store->template_dirs, name, &t, ret_error) :
					     template_open((const char *const *)ctx->store->template_dirs, name, &t, ret_error);
}

/* ---- images ---- */

/* A verb on an image or on the host has ended. */
static int audited(ve_ctx *ctx, const struct audit *a, int r, ve_error **error)
{
	audit_write(ctx, a, r < 0 ? r : VE_CHANGED, error ? *error : NULL);
	return r;
}

int ve_image_build(ve_ctx *ctx, const char *recipe, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	const struct audit a = { .verb = "image build", .name = recipe, .begun_ms = clock_ms() };
	int r = ctx_open(ctx, true, ret_error);
	if (r == 0)
		r = image_build(ctx, recipe, &doc, ret_error);
	return api_doc(audited(ctx, &a, r, ret_error), doc, ret_doc);
}

int ve_image_list(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = image_list(ctx->store->images_fd, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_image_show(ve_ctx *ctx, const char *name, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = image_show(ctx, name, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_image_remove(ve_ctx *ctx, const char *name, ve_error **ret_error)
{
	api_begin(ctx);
	const struct audit a = { .verb = "image remove", .name = name, .begun_ms = clock_ms() };
	int r = ctx_open_to_change(ctx, ret_error);
	if (r == 0)
		r = image_remove(ctx, name, ret_error);
	return audited(ctx, &a, r, ret_error);
}

int ve_image_verify(ve_ctx *ctx, const char *name, ve_error **ret_error)
{
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	return r < 0 ? r : image_verify(ctx, name, ret_error);
}

/* ---- host ---- */

int ve_host_check(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = hostcheck(ctx, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_host_show(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = ctx_host(ctx, ret_error);
	if (r == 0)
		r = host_show(ctx->host, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

/* The settings that ASSIGNMENTS name, as they are, and as they were told to be. */
static json_t *settings_noted(ve_ctx *ctx, const char *const *assignments)
{
	json_t *values = NULL;
	struct config old = { 0 };
	if (ctx_host(ctx, NULL) < 0 || host_show(ctx->host, &old.root, NULL) < 0)
		return NULL;
	for (const char *const *a = assignments; *a; a++) {
		const char *equals = strchr(*a, '=');
		_cleanup_free_ char *key = equals ? strndup(*a, (size_t)(equals - *a)) : NULL;
		json_t *text = key ? json_string(equals + 1) : NULL;
		if (text)
			audit_note(&values, key, config_raw(&old, key), text);
		json_decref(text);
	}
	json_decref(old.root);
	return values;
}

int ve_host_set(ve_ctx *ctx, const char *const *assignments, ve_error **ret_error)
{
	api_begin(ctx);
	_cleanup_close_ int lock = -1;
	struct audit a = { .verb = "host set", .begun_ms = clock_ms() };
	int r = ctx_open_to_change(ctx, ret_error);
	/* Read, changed and replaced: of two at once neither may lose what the other set. */
	if (r == 0 && !ctx->dry_run)
		r = lock_take(ctx->store->lib_fd, "lock", ctx->lock_timeout_ms, ctx->cancel_fd, "the host's configuration",
			      "host set", &lock, ret_error);
	json_t *values = r == 0 ? settings_noted(ctx, assignments) : NULL;
	if (r == 0)
		r = host_set(ctx->store->etc_fd, assignments, !ctx->dry_run, ret_error);
	a.values = values;
	r = audited(ctx, &a, r, ret_error);
	json_decref(values);
	return r;
}

int ve_tune(ve_ctx *ctx, const struct ve_tune_opts *opts, ve_doc **ret_doc, ve_error **ret_error)
{
	struct ve_tune_opts o = API_OPTS(ve_tune_opts, opts);
	json_t *doc = NULL;
	api_begin(ctx);
	int changed = verb_tune(ctx, &o, &doc, ret_error);
	int r = api_doc(changed, doc, ret_doc);
	return r < 0 ? r : changed;
}
