/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's configuration as a text that somebody edits: all keys that are set and can be changed, values as they are typed. What
 * comes back replaces them all; a key that is not there any more is unset. The revision in it says what was edited.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"
#include "run/set.h"
#include "run/verbs.h"

/* ---- the way out ------------------------------------------------------------------------------------------------ */

static int put_typed(const char *key, json_t *none, json_t *value, void *data)
{
	const struct schema_key *row = schema_find(key);
	(void)none;
	if (!row || row->flags & SCHEMA_IDENTITY)
		return 0;
	if (row->type != SCHEMA_INT || row->unit == UNIT_NONE)
		return config_put(data, key, json_incref(value));
	_cleanup_free_ char *text = schema_format(row, value);
	return text ? config_put(data, key, json_string(text)) : -ENOMEM;
}

int edit_text(struct ve *v, char **ret_text, ve_error **ret_error)
{
	_cleanup_config_ struct config *nothing = NULL, *out = NULL;
	int r = config_new(NULL, &nothing, ret_error);
	if (r == 0)
		r = config_new(NULL, &out, ret_error);
	if (r < 0)
		return r;
	json_object_set_new(out->root, "schema", json_integer(CONFIG_SCHEMA));
	json_object_set(out->root, "revision", json_object_get(v->config->root, "revision"));
	r = config_diff(nothing, v->config, put_typed, out, NULL);
	_cleanup_free_ char *text = r == 0 ? json_dumps(out->root, JSON_INDENT(2)) : NULL;
	char *line = text ? str_printf("%s\n", text) : NULL;
	if (!line)
		return err_nomem(ret_error);
	*ret_text = line;
	return 0;
}

/* ---- the way back ----------------------------------------------------------------------------------------------- */

struct replacing {
	struct config *into;
	ve_error **ret_error;
};

static int replace_key(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	struct replacing *p = data;
	const struct schema_key *row = schema_find(key);
	(void)old_value;
	if (!row || row->flags & SCHEMA_IDENTITY)
		return !new_value ? 0 :
				    err_plain(p->ret_error, VE_ERR_STATE, EPERM, "config", "%s: is fixed when a VE is created", key);
	return config_put(p->into, key, json_incref(new_value)) < 0 ? err_nomem(p->ret_error) : 0;
}

static int replace_all(struct ve *v, struct config *c, void *edited, ve_error **ret_error)
{
	const struct config *to = edited;
	struct replacing p = { c, ret_error };
	const json_t *revision = json_object_get(to->root, "revision");
	if (revision && !json_equal(revision, json_object_get(v->config->root, "revision"))) {
		int r = err_plain(ret_error, VE_ERR_BUSY, ESTALE, "config", "'%s' was changed by somebody else meanwhile", v->name);
		err_hint(ret_error, "look at what it is now, and edit that");
		return r;
	}
	return config_diff(v->config, to, replace_key, &p, ret_error);
}

int verb_edit(struct ve *v, const char *text, enum ve_set_mode mode, json_t **ret_doc, ve_error **ret_error)
{
	_cleanup_config_ struct config *edited = NULL;
	_cleanup_free_ char *what = str_printf("%s.json", v->name);
	int r = what ? config_parse_keys(text, strlen(text), what, &edited, ret_error) : err_nomem(ret_error);
	if (r < 0)
		return r;
	const struct set_edit edit = { .verb = "edit", .fn = replace_all, .data = edited };
	return set_edited(v, &edit, mode, ret_doc, ret_error);
}
