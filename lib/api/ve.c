/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VE's calls of ve.h: argument checks, then one call into run/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"
#include "run/verbs.h"

int ve_open(ve_ctx *ctx, const char *name, ve **ret_ve, ve_error **ret_error)
{
	api_begin(ctx);
	int r = ctx_open(ctx, false, ret_error);
	return r < 0 ? r : handle_open(ctx, name, ret_ve, ret_error);
}

void ve_close(ve *v)
{
	handle_close(v);
}

const char *ve_name(const ve *v)
{
	return v->name;
}

const char *ve_uuid(const ve *v)
{
	return v->uuid;
}

/* A verb that changes V needs a whole store, not only one to look at. */
static int begin(ve *v, ve_error **ret_error)
{
	api_begin(v->ctx);
	return ctx_open_to_change(v->ctx, ret_error);
}

/* One that has no dry run: what it does is somebody else's doing. */
static int begin_real(ve *v, ve_error **ret_error)
{
	api_begin(v->ctx);
	return ctx_open(v->ctx, true, ret_error);
}

int ve_create(ve_ctx *ctx, const char *name, const struct ve_create_opts *opts, ve **ret_ve, ve_error **ret_error)
{
	struct ve_create_opts o = API_OPTS(ve_create_opts, opts);
	ve *v = NULL;
	api_begin(ctx);
	int r = verb_create(ctx, name, &o, o.spec ? o.spec->config : NULL, &v, ret_error);
	if (r >= 0 && ret_ve)
		*ret_ve = v;
	else
		handle_close(v);
	return r;
}

int ve_clone(ve *v, const char *name, const struct ve_clone_opts *opts, ve **ret_ve, ve_error **ret_error)
{
	struct ve_clone_opts o = API_OPTS(ve_clone_opts, opts);
	ve *made = NULL;
	int r = begin(v, ret_error);
	if (r == 0)
		r = verb_clone(v, name, &o, o.spec ? o.spec->config : NULL, &made, ret_error);
	if (r >= 0 && ret_ve)
		*ret_ve = made;
	else
		handle_close(made);
	return r;
}

int ve_register(ve_ctx *ctx, const char *dir, const struct ve_register_opts *opts, ve **ret_ve, ve_error **ret_error)
{
	struct ve_register_opts o = API_OPTS(ve_register_opts, opts);
	ve *v = NULL;
	api_begin(ctx);
	int r = verb_register(ctx, dir, &o, &v, ret_error);
	if (r >= 0 && ret_ve)
		*ret_ve = v;
	else
		handle_close(v);
	return r;
}

int ve_result(ve *v, int changed, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	int r = look_result(v, changed, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_start(ve *v, const struct ve_start_opts *opts, ve_error **ret_error)
{
	struct ve_start_opts o = API_OPTS(ve_start_opts, opts);
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_start(v, &o, ret_error);
}

static struct ve_stop_opts stop_opts(const struct ve_stop_opts *opts)
{
	struct ve_stop_opts o = { .size = sizeof(o), .timeout_s = -1 };
	if (opts && opts->size >= sizeof(o))
		o = *opts;
	return o;
}

int ve_stop(ve *v, const struct ve_stop_opts *opts, ve_error **ret_error)
{
	struct ve_stop_opts o = stop_opts(opts);
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_stop(v, &o, ret_error);
}

int ve_restart(ve *v, const struct ve_stop_opts *stop, const struct ve_start_opts *start, ve_error **ret_error)
{
	struct ve_stop_opts so = stop_opts(stop);
	struct ve_start_opts o = API_OPTS(ve_start_opts, start);
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_restart(v, &so, &o, ret_error);
}

int ve_kill(ve *v, ve_error **ret_error)
{
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_kill(v, ret_error);
}

int ve_freeze(ve *v, ve_error **ret_error)
{
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_freeze(v, true, ret_error);
}

int ve_thaw(ve *v, ve_error **ret_error)
{
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_freeze(v, false, ret_error);
}

int ve_block(ve *v, const struct ve_block_opts *opts, ve_error **ret_error)
{
	struct ve_block_opts o = API_OPTS(ve_block_opts, opts);
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_block(v, &o, ret_error);
}

int ve_unblock(ve *v, ve_error **ret_error)
{
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_unblock(v, ret_error);
}

int ve_lock(ve *v, const struct ve_lock_opts *opts, ve_error **ret_error)
{
	struct ve_lock_opts o = API_OPTS(ve_lock_opts, opts);
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_lock(v, &o, ret_error);
}

int ve_unlock(ve *v, bool force, ve_error **ret_error)
{
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_unlock(v, force, ret_error);
}

int ve_destroy(ve *v, const struct ve_destroy_opts *opts, ve_error **ret_error)
{
	struct ve_destroy_opts o = API_OPTS(ve_destroy_opts, opts);
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_destroy(v, o.force, ret_error);
}

int ve_wait(ve *v, const char *state, int timeout_ms, ve_error **ret_error)
{
	api_begin(v->ctx);
	return verb_wait(v, state, timeout_ms, ret_error);
}

int ve_exec(ve *v, const struct ve_exec_opts *opts, int *ret_status, ve_error **ret_error)
{
	struct ve_exec_opts o = API_OPTS(ve_exec_opts, opts);
	int r = begin_real(v, ret_error);
	return r < 0 ? r : verb_exec(v, &o, ret_status, ret_error);
}

int ve_console(ve *v, ve_error **ret_error)
{
	api_begin(v->ctx);
	return verb_console(v, ret_error);
}

int ve_logs(ve *v, int fd, unsigned lines, bool follow, ve_error **ret_error)
{
	api_begin(v->ctx);
	return verb_logs(v, fd, lines, follow, ret_error);
}

int ve_passwd(ve *v, const char *user, const char *password, ve_error **ret_error)
{
	api_begin(v->ctx);
	return verb_passwd(v, user, password, ret_error);
}

int ve_user_add(ve *v, const char *user, const struct ve_user_opts *opts, ve_error **ret_error)
{
	struct ve_user_opts o = API_OPTS(ve_user_opts, opts);
	api_begin(v->ctx);
	return verb_user_add(v, user, &o, ret_error);
}

int ve_user_remove(ve *v, const char *user, ve_error **ret_error)
{
	api_begin(v->ctx);
	return verb_user_remove(v, user, ret_error);
}

int ve_user_lock(ve *v, const char *user, bool locked, ve_error **ret_error)
{
	api_begin(v->ctx);
	return verb_user_lock(v, user, locked, ret_error);
}

int ve_user_list(ve *v, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(v->ctx);
	int r = verb_user_list(v, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_push(ve *v, const char *src, const char *dst, const struct ve_copy_opts *opts, ve_error **ret_error)
{
	struct ve_copy_opts o = API_OPTS(ve_copy_opts, opts);
	int r = begin_real(v, ret_error);
	return r < 0 ? r : verb_push(v, src, dst, &o, ret_error);
}

int ve_pull(ve *v, const char *src, const char *dst, const struct ve_copy_opts *opts, ve_error **ret_error)
{
	struct ve_copy_opts o = API_OPTS(ve_copy_opts, opts);
	int r = begin_real(v, ret_error);
	return r < 0 ? r : verb_pull(v, src, dst, &o, ret_error);
}

int ve_status(ve *v, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	int r = look_status(v, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

static int need_config(const ve *v, ve_error **ret_error)
{
	if (v->config)
		return 0;
	int r = err_plain(ret_error, VE_ERR_STATE, ENOENT, "config", "'%s' is being created, or its creation was interrupted",
			  v->name);
	err_hint(ret_error, "if nobody creates it now: vectl recover");
	return r;
}

int ve_show(ve *v, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	int r = need_config(v, ret_error);
	if (r == 0)
		r = look_show(v, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_get(ve *v, const char *key, char **ret_value, ve_error **ret_error)
{
	int r = need_config(v, ret_error);
	if (r < 0)
		return r;
	const struct schema_key *row = schema_find(key);
	if (!row) {
		const char *near = schema_nearest(key);
		r = err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "get", "there is no key '%s'", key);
		if (near)
			err_hint(ret_error, "did you mean '%s'?", near);
		return r;
	}
	json_t *set = config_raw(v->config, key);
	json_t *shown = set ? schema_shown(row, set) : NULL;
	char *text = shown ? schema_format(row, shown) : set ? NULL : strdup(row->def ? row->def : "");
	json_decref(shown);
	if (!text)
		return err_nomem(ret_error);
	*ret_value = text;
	return 0;
}

int ve_apply(ve *v, const char *template_name, enum ve_set_mode mode, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(v->ctx);
	int r = verb_apply(v, template_name, mode, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_edit_text(ve *v, char **ret_text, ve_error **ret_error)
{
	api_begin(v->ctx);
	int r = need_config(v, ret_error);
	return r < 0 ? r : edit_text(v, ret_text, ret_error);
}

int ve_edit(ve *v, const char *text, enum ve_set_mode mode, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(v->ctx);
	int r = verb_edit(v, text, mode, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_rename(ve *v, const char *name, const struct ve_rename_opts *opts, ve_error **ret_error)
{
	struct ve_rename_opts o = API_OPTS(ve_rename_opts, opts);
	int r = begin(v, ret_error);
	return r < 0 ? r : verb_rename(v, name, o.keep_alias, ret_error);
}

int ve_set(ve *v, const ve_spec *spec, enum ve_set_mode mode, ve_doc **ret_doc, ve_error **ret_error)
{
	static const char *const none[] = { NULL };
	json_t *doc = NULL;
	api_begin(v->ctx);
	int r = verb_set(v, spec->assignments ? (const char *const *)spec->assignments : none, mode, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}
