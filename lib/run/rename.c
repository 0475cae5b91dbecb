/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Renaming a stopped VE. Everything else of it hangs on its uuid, ids and link, and stays. The new name is claimed first, and
 * the old one given back last: whoever is killed in between leaves a VE with one name in its file, and a claim too many, which
 * recover takes away.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/change.h"
#include "run/claims.h"
#include "run/fault.h"
#include "run/launch.h"
#include "run/verbs.h"

/* C's name becomes NAME; the old one an alias, where KEEP says so; what is a name now is no alias any more. */
static int rename_in(struct config *c, const char *name, bool keep, ve_error **ret_error)
{
	_cleanup_free_ char *take = str_printf("aliases-=%s", name), *add = str_printf("aliases+=%s", config_name(c));
	int r = take && add ? config_assign(c, take, ret_error) : err_nomem(ret_error);
	if (r == 0 && keep)
		r = config_assign(c, add, ret_error);
	if (r == 0 && json_object_set_new(c->root, "name", json_string(name)) < 0)
		r = err_nomem(ret_error);
	return r;
}

static int take_name(struct ve *v, struct config *fresh, ve_error **ret_error)
{
	_cleanup_free_ char *name = strdup(config_name(fresh));
	if (!name)
		return err_nomem(ret_error);
	int r = fault_point("claim", ret_error);
	if (r == 0)
		r = store_claim(v->ctx->store, CLAIM_NAME, name, v->uuid, ret_error);
	if (r == 0 && ctx_ends_dry(v->ctx, CTX_AS_IT_IS))
		return VE_CHANGED;
	if (r == 0)
		r = fault_point("config", ret_error);
	if (r == 0)
		r = config_save(fresh, v->dir_fd, "config.json", true, ret_error);
	if (r < 0)
		return r;
	free(v->name);
	v->name = steal_ptr(&name);
	return 0;
}

/* The names of C, to be given back where another configuration does not have them. */
static json_t *names_of(const struct config *c)
{
	json_t *names = json_array();
	json_array_append_new(names, json_string(config_name(c)));
	json_array_extend(names, config_list(c, "aliases"));
	return names;
}

static int rename_locked(struct change *c, const char *name, bool keep, ve_error **ret_error)
{
	struct ve *v = c->ve;
	_cleanup_config_ struct config *fresh = NULL;
	int r = handle_ask(v, VERB_RENAME, NULL, ret_error);
	if (r < 0 || str_eq(config_name(v->config), name))
		return r < 0 ? r : VE_UNCHANGED;
	/* What a crash of the host left is found by the old name. */
	r = launch_clean(v, v->config, ret_error);
	if (r == 0)
		r = config_copy(v->config, &fresh, ret_error);
	if (r == 0)
		r = rename_in(fresh, name, keep, ret_error);
	if (r < 0)
		return r;
	json_t *before = names_of(v->config), *after = names_of(fresh);
	change_note(c, "name", json_object_get(v->config->root, "name"), json_object_get(fresh->root, "name"));
	r = take_name(v, fresh, ret_error);
	if (r == 0) {
		config_free(v->config);
		v->config = steal_ptr(&fresh);
	}
	claims_drop_aliases(v, r >= 0 ? before : after, v->config);
	json_decref(before);
	json_decref(after);
	return r < 0 ? r : VE_CHANGED;
}

int verb_rename(struct ve *v, const char *name, bool keep_alias, ve_error **ret_error)
{
	struct change c = { 0 };
	_cleanup_free_ char *old = strdup(v->name);
	int r = old ? name_check("VE", name, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = change_begin(&c, v, "rename", CHANGE_ALTERS, ret_error);
	if (r == 0)
		r = rename_locked(&c, name, keep_alias, ret_error);
	if (r == VE_CHANGED)
		event_log(v->ctx, "renamed", v->name, v->uuid, old);
	if (r < 0)
		err_wrap(ret_error, "cannot rename '%s'", v->name);
	return change_end(&c, r, ret_error);
}
