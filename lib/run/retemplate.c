/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE is brought to what a template says now, its own or another: the keys that the template names, and no others. Who the VE
 * is stays as it is, whatever the template says about it.
 */
#include <errno.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/ownkeys.h"
#include "model/schema.h"
#include "model/template.h"
#include "run/set.h"
#include "run/verbs.h"

/* Keys that create alone sets (SCHEMA_IDENTITY) are left alone besides. */
static bool is_own(const char *key)
{
	const struct schema_key *row = schema_find(key);
	return !row || row->flags & SCHEMA_IDENTITY || ownkeys_has(key);
}

struct take {
	struct config *into;
	bool users; /* they are yet to be made */
	int r;
};

/* One key that the template has and an empty configuration has not. */
static int take_key(const char *key, json_t *none, json_t *value, void *data)
{
	struct take *t = data;
	(void)none;
	if (!is_own(key) && (t->users || !str_eq(key, "users")) && t->r == 0)
		t->r = config_put(t->into, key, json_deep_copy(value));
	return 0;
}

static int no_template(const struct ve *v, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "template", "'%s' was made from no template", v->name);
	err_hint(ret_error, "vectl apply %s TEMPLATE", v->name);
	return r;
}

static int take_template(struct ve *v, struct config *c, void *template_name, ve_error **ret_error)
{
	_cleanup_template_ struct template *t = NULL;
	_cleanup_config_ struct config *nothing = NULL;
	struct take take = { .into = c, .users = !laststate_was_started(v) };
	const char *name = template_name ? template_name : config_string(v->config, "template");
	if (!name)
		return no_template(v, ret_error);
	int r = template_open((const char *const *)v->ctx->store->template_dirs, name, &t, ret_error);
	if (r == 0)
		r = config_new(NULL, &nothing, ret_error);
	if (r == 0)
		r = config_diff(nothing, t->keys, take_key, &take, ret_error);
	if (r == 0)
		r = take.r;
	if (r == 0)
		r = config_put(c, "template", json_string(t->name));
	if (r == 0)
		r = config_set_identity(c, "template_digest", json_string(t->digest));
	return r == -ENOMEM ? err_nomem(ret_error) : r;
}

int verb_apply(struct ve *v, const char *template_name, enum ve_set_mode mode, json_t **ret_doc, ve_error **ret_error)
{
	const struct set_edit edit = { .verb = "apply", .fn = take_template, .data = (void *)template_name };
	return set_edited(v, &edit, mode, ret_doc, ret_error);
}
