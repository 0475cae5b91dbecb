/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing configuration: every key to the file and to the running VE, or none. The order makes it so: checks first, then
 * the kernel's side with its undo, then the file in one replace; if that fails the kernel's side is taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"
#include "run/apply.h"
#include "run/autoip.h"
#include "run/change.h"
#include "run/claims.h"
#include "run/disk.h"
#include "run/fault.h"
#include "run/firstusers.h"
#include "run/plan.h"
#include "run/set.h"
#include "run/tenantpool.h"
#include "run/verbs.h"
#include "run/volumes.h"

struct difference {
	json_t *doc;
	char *restart_keys; /* comma-separated, NULL: none */
	bool oom;
};

static json_t *shown(const struct schema_key *row, json_t *value)
{
	if (!value)
		return json_null();
	json_t *visible = schema_shown(row, value);
	_cleanup_free_ char *text = row && visible ? schema_format(row, visible) : NULL;
	if (!text)
		return visible;
	json_decref(visible);
	return json_string(text);
}

static int note_difference(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	struct difference *d = data;
	const struct schema_key *row = schema_find(key);
	/* Which template it is like is written down, and nothing that runs asks for it. */
	bool live = row && (schema_change_is_live(row, key, old_value, new_value) || str_eq(key, "template"));
	json_array_append_new(d->doc, json_pack("{s:s,s:o,s:o,s:b}", "key", key, "old", shown(row, old_value), "new",
						shown(row, new_value), "live", live));
	if (!live) {
		char *more = str_printf("%s%s%s", d->restart_keys ? d->restart_keys : "", d->restart_keys ? ", " : "", key);
		free(d->restart_keys);
		d->restart_keys = more;
		d->oom = d->oom || !more;
	}
	return 0;
}

/* Everything of C that is not live, as the VE was started with: what may be done to it now. */
static int refuse_restart_keys(const struct ve *v, const struct difference *d, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_STATE, EBUSY, "set", "cannot change %s while '%s' runs", d->restart_keys, v->name);
	err_hint(ret_error, "--pending writes it for the next start, --restart restarts '%s' now", v->name);
	return r;
}

/* What was done for FRESH is taken back: the VE's disks as far as they can be made smaller (what cannot now is at the next
 * start), then what APPLIED did. */
static void take_back(struct ve *v, const struct config *fresh, struct applied *applied, bool resized, bool running)
{
	if (resized) {
		disk_resize(v, fresh, v->config, running, NULL);
		volumes_resize(v, fresh, v->config, running, NULL);
	}
	volumes_sweep(v, v->config);
	apply_revert(applied);
}

/* The file's new configuration, FRESH, which is taken over, reaches the disk; what it has no longer goes after that. */
static int commit(struct ve *v, struct config *fresh, struct applied *applied, bool resized, bool running,
		  ve_error **ret_error)
{
	_cleanup_config_ struct config *mine = fresh;
	int r = fault_point("config", ret_error);
	if (r == 0)
		r = tenantpool_save_config(v, fresh, ret_error);
	if (r < 0) {
		take_back(v, fresh, applied, resized, running);
		return r;
	}
	apply_keep(applied);
	claims_drop_addresses(v, fresh);
	claims_drop_aliases(v, config_list(v->config, "aliases"), fresh);
	config_free(v->config);
	v->config = steal_ptr(&mine);
	volumes_sweep(v, fresh);
	return 0;
}

/* The last change before the file's: it is what is hardest to take back. What is new is made also where sizes wait for the next
 * start. */
static int change_disks(struct ve *v, const struct config *fresh, bool resize, bool running, struct applied *applied, ve_error **ret_error)
{
	volumes_sweep(v, v->config); /* what a verb that was killed has left is no volume to be found again */
	int r = volumes_make(v, v->config, fresh, ret_error);
	if (r == 0)
		r = volumes_let_go(v, v->config, fresh, ret_error);
	if (r == 0 && resize)
		r = volumes_resize(v, v->config, fresh, running, ret_error);
	if (r == 0 && resize)
		r = disk_resize(v, v->config, fresh, running, ret_error);
	/* Not the group: of disk.* the sizes alone change while it runs. */
	if (r == 0 && resize)
		r = apply_take(applied, "disk.size", fresh, ret_error);
	if (r == 0 && resize)
		r = apply_take(applied, "disk.inodes", fresh, ret_error);
	if (r < 0)
		take_back(v, fresh, applied, resize, running);
	return r;
}

static int take_claims(struct ve *v, const struct config *fresh, ve_error **ret_error)
{
	int r = claims_take_aliases(v, fresh, ret_error);
	if (r == 0)
		r = claims_take_addresses(v, fresh, ret_error);
	return r < 0 ? r : claims_probe(v, v->config, fresh, ret_error);
}

static int change_locked(struct ve *v, struct config *fresh, struct difference *d, enum ve_set_mode mode, bool running,
			 ve_error **ret_error)
{
	_cleanup_config_ struct config *mine = fresh;
	struct applied applied = { 0 };
	bool now = running && mode != VE_SET_PENDING && !(mode == VE_SET_RESTART && d->restart_keys);
	json_t *aliases = json_incref(config_list(fresh, "aliases"));
	int r = take_claims(v, fresh, ret_error);
	if (r == 0 && running && !now)
		r = handle_mark(v, "pending", ret_error);
	if (r == 0 && now)
		r = apply_live(v, fresh, &applied, ret_error);
	bool resize = now || !running;
	if (r == 0)
		r = change_disks(v, fresh, resize, running, &applied, ret_error);
	if (r == 0)
		r = commit(v, steal_ptr(&mine), &applied, resize, running, ret_error);
	if (r < 0) {
		claims_drop_addresses(v, v->config);
		claims_drop_aliases(v, aliases, v->config);
	}
	json_decref(aliases);
	return r;
}

/* FRESH becomes what the edit makes of V's configuration, D what differs. */
static int make_fresh(struct ve *v, const struct set_edit *edit, struct config *fresh, struct difference *d, ve_error **ret_error)
{
	int r = edit->fn(v, fresh, edit->data, ret_error);
	if (r == 0 && !edit->says_what_goes)
		r = volumes_check_kept(config_list(v->config, "volumes"), config_list(fresh, "volumes"), ret_error);
	if (r == 0)
		r = change_check_config(v->ctx, v->config, fresh, ret_error);
	if (r == 0)
		r = firstusers_check(v, fresh, ret_error);
	if (r == 0 && autoip_wanted(fresh)) {
		r = autoip_resolve(v, fresh, ret_error);
		if (r < 0)
			claims_drop_addresses(v, v->config);
	}
	if (r == 0)
		r = plan_check(v, fresh, ret_error);
	if (r == 0)
		r = config_diff(v->config, fresh, note_difference, d, ret_error);
	return r == 0 && d->oom ? err_nomem(ret_error) : r;
}

static int set_locked(struct ve *v, const struct set_edit *edit, enum ve_set_mode mode, struct difference *d,
		      ve_error **ret_error)
{
	_cleanup_config_ struct config *fresh = NULL;
	int r = handle_ask(v, VERB_SET, NULL, ret_error);
	if (r < 0)
		return r;
	enum ve_state state = handle_state(v, NULL);
	bool running = state == STATE_RUNNING || state == STATE_FROZEN;
	r = ctx_host(v->ctx, ret_error);
	if (r == 0)
		r = config_copy(v->config, &fresh, ret_error);
	if (r == 0)
		r = make_fresh(v, edit, fresh, d, ret_error);
	if (r < 0)
		return r;
	if (json_array_size(d->doc) == 0)
		return VE_UNCHANGED;
	/* Taking the protection away is no change that it is against, nor is what comes along with that. */
	if (config_bool(fresh, "protect") && (r = change_check_protected(v, "change", ret_error)) < 0) {
		claims_drop_addresses(v, v->config);
		return r;
	}
	if (ctx_ends_dry(v->ctx, CTX_AS_IT_IS)) {
		volumes_warn_gone(v, v->config, fresh);
		r = take_claims(v, fresh, ret_error);
		return r < 0 ? r : VE_CHANGED;
	}
	if (running && d->restart_keys && mode == VE_SET_NOW) {
		claims_drop_addresses(v, v->config);
		return refuse_restart_keys(v, d, ret_error);
	}
	volumes_warn_gone(v, v->config, fresh);
	r = change_locked(v, steal_ptr(&fresh), d, mode, running, ret_error);
	if (r == 0 && running && d->restart_keys && mode == VE_SET_RESTART) {
		r = stop_locked(v, -1, ret_error);
		if (r >= 0)
			r = start_locked(v, ret_error);
	}
	return r < 0 ? r : VE_CHANGED;
}

static void note_values(const struct difference *d, struct change *c)
{
	size_t i;
	json_t *row;
	json_array_foreach(d->doc, i, row)
		change_note(c, json_string_value(json_object_get(row, "key")), json_object_get(row, "old"),
			    json_object_get(row, "new"));
}

int set_edited(struct ve *v, const struct set_edit *edit, enum ve_set_mode mode, json_t **ret_doc, ve_error **ret_error)
{
	struct difference d = { .doc = json_array() };
	struct change c = { 0 };
	bool dry = v->ctx->dry_run;
	ctx_set_dry_run(v->ctx, dry || mode == VE_SET_DRY_RUN);
	int r = d.doc ? ctx_open_to_change(v->ctx, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = change_begin(&c, v, edit->verb, 0, ret_error);
	if (r == 0)
		r = set_locked(v, edit, mode, &d, ret_error);
	note_values(&d, &c);
	r = change_end(&c, r, ret_error);
	ctx_set_dry_run(v->ctx, dry);
	free(d.restart_keys);
	if (r >= 0 && ret_doc)
		*ret_doc = json_incref(d.doc);
	json_decref(d.doc);
	return r;
}

static int assign_all(struct ve *v, struct config *fresh, void *assignments, ve_error **ret_error)
{
	int r = 0;
	(void)v;
	for (const char *const *a = assignments; r == 0 && *a; a++) {
		json_t *volumes = json_incref(config_list(fresh, "volumes"));
		r = config_assign(fresh, *a, ret_error);
		if (r == 0 && !str_starts(*a, "volumes-="))
			r = volumes_check_kept(volumes, config_list(fresh, "volumes"), ret_error);
		json_decref(volumes);
	}
	return r;
}

int verb_set(struct ve *v, const char *const *assignments, enum ve_set_mode mode,
	     json_t **ret_doc, ve_error **ret_error)
{
	const struct set_edit edit = { .verb = "set", .fn = assign_all, .data = (void *)assignments, .says_what_goes = true };
	return set_edited(v, &edit, mode, ret_doc, ret_error);
}
