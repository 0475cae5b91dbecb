/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fnmatch.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/ownkeys.h"
#include "model/schema.h"

int ve_spec_new(ve_ctx *ctx, ve_spec **ret_spec, ve_error **ret_error)
{
	struct ve_spec *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(ret_error);
	s->ctx = ctx;
	int r = config_new("spec", &s->config, ret_error);
	if (r < 0) {
		ve_spec_free(s);
		return r;
	}
	*ret_spec = s;
	return 0;
}

void ve_spec_free(ve_spec *s)
{
	if (!s)
		return;
	config_free(s->config);
	strv_free(s->assignments);
	free(s);
}

int ve_spec_assign(ve_spec *s, const char *assignment, ve_error **ret_error)
{
	int r = config_assign(s->config, assignment, ret_error);
	if (r < 0)
		return r;
	return strv_add(&s->assignments, assignment) < 0 ? err_nomem(ret_error) : 0;
}

int ve_spec_read(ve_spec *s, const char *text, const char *what, ve_error **ret_error)
{
	_cleanup_config_ struct config *c = NULL;
	int r = config_parse_keys(text, __builtin_strlen(text), what, &c, ret_error);
	if (r == 0 && ownkeys_strip(c) < 0)
		r = err_nomem(ret_error);
	return r < 0 ? r : config_merge(s->config, c, ret_error);
}

static const char *type_name(const struct schema_key *k)
{
	static const char *const names[SCHEMA_TYPE_COUNT] = {
		[SCHEMA_STRING] = "string", [SCHEMA_INT] = "integer", [SCHEMA_BOOL] = "on|off",
		[SCHEMA_ENUM] = "word",	    [SCHEMA_LIST] = "list",   [SCHEMA_ADDRESS_LIST] = "addresses",
	};
	return names[k->type];
}

/* The words of an enum as an array; null for every other type. */
static json_t *words_doc(const struct schema_key *k)
{
	if (k->type != SCHEMA_ENUM || !k->words)
		return json_null();
	_cleanup_strv_ char **words = strv_split(k->words, " ");
	json_t *array = json_array();
	for (char **w = words; array && w && *w; w++)
		json_array_append_new(array, json_string(*w));
	return array;
}

static json_t *key_doc(const struct schema_key *k)
{
	const char *unit = k->unit == UNIT_NONE ? NULL : units_name(k->unit);
	return json_pack("{s:s,s:s,s:s?,s:o,s:s?,s:b,s:b,s:b,s:b,s:s}", "key", k->key, "type", type_name(k), "unit", unit, "words",
			 words_doc(k), "default", k->def, "live", !!(k->flags & SCHEMA_LIVE), "fixed",
			 !!(k->flags & SCHEMA_IDENTITY), "built", !!(k->flags & SCHEMA_BUILT),
			 "privileged", !!(k->flags & SCHEMA_PRIVILEGED), "doc", k->doc);
}

int ve_keys(ve_ctx *ctx, const char *pattern, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *array = json_array();
	api_begin(ctx);
	for (const struct schema_key *k = schema_keys; array && k->key; k++) {
		if (pattern && fnmatch(pattern, k->key, 0) != 0)
			continue;
		json_array_append_new(array, key_doc(k));
	}
	if (!array)
		return err_nomem(ret_error);
	return api_doc(0, array, ret_doc);
}
