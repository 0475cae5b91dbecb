/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way in: a configuration or a template from its text, every member checked against the schema. */
#include <errno.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/checks.h"
#include "model/config.h"
#include "model/config_read.h"
#include "model/jsontext.h"
#include "model/schema.h"

enum { KEY_LENGTH = 160, DEPTH_MAX = 6 };

struct reader {
	const struct schema_key *table;
	const char *text;
	size_t size;
	const char *what;
	const char *path[DEPTH_MAX]; /* members on the way to the one at hand, for its position */
	unsigned depth;
	ve_error **ret_error;
};

/* The error has been made: says where. */
static int located(struct reader *rd, bool at_key)
{
	return jsontext_wrap(rd->ret_error, rd->text, rd->size, rd->what, rd->path, rd->depth, at_key);
}

static int misplaced(struct reader *rd, bool at_key, const char *key, const char *why)
{
	err_plain(rd->ret_error, VE_ERR_CONFIG, EINVAL, "config", "%s: %s", key, why);
	return located(rd, at_key);
}

static int missing(struct reader *rd, const char *key)
{
	return err_plain(rd->ret_error, VE_ERR_CONFIG, EINVAL, "config", "%s: '%s' is missing", rd->what, key);
}

static int check_members(struct reader *rd, json_t *object, const char *prefix);

/* A member called KEY with all its groups; the normalised value takes its place. No key has an object as value, so
 * that an object is a group or a mistake. */
static int check_member(struct reader *rd, const char *key, json_t *object, void *iter)
{
	json_t *value = json_object_iter_value(iter), *normal;
	if (json_is_object(value) && schema_is_group_in(rd->table, key))
		return check_members(rd, value, key);
	const struct schema_key *row = schema_find_in(rd->table, key);
	if (row) {
		if (schema_check(row, key, value, &normal, rd->ret_error) < 0)
			return located(rd, !(row->flags & SCHEMA_BUILT));
		return json_object_iter_set_new(object, iter, normal) < 0 ? err_nomem(rd->ret_error) : 0;
	}
	if (schema_is_group_in(rd->table, key))
		return misplaced(rd, false, key, "expected an object with the keys below it");
	schema_unknown_in(rd->table, key, rd->ret_error);
	return located(rd, true);
}

/* What stands beside the keys in config.json is checked by check_frame(). */
static bool is_frame(const char *key)
{
	return str_eq(key, "schema") || str_eq(key, "revision") || str_eq(key, "identity");
}

/* PREFIX.NAME into KEY, or -E2BIG. Not by snprintf(3): this is done for every member of every VE that
 * list reads. */
static int join(char key[KEY_LENGTH], const char *prefix, const char *name)
{
	size_t n = strlen(prefix), m = strlen(name);
	if (n + 1 + m >= KEY_LENGTH)
		return -E2BIG;
	memcpy(key, prefix, n);
	if (n > 0)
		key[n++] = '.';
	memcpy(key + n, name, m + 1);
	return 0;
}

static int check_members(struct reader *rd, json_t *object, const char *prefix)
{
	if (rd->depth == DEPTH_MAX) /* the schema is not that deep: cannot happen */
		return misplaced(rd, true, prefix, "nested too deeply");
	rd->depth++;
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		const char *name = json_object_iter_key(i);
		char key[KEY_LENGTH];
		rd->path[rd->depth - 1] = name;
		bool dotted = strchr(name, '.') != NULL;
		if (join(key, prefix, name) < 0 || (dotted && !schema_find_in(rd->table, key))) {
			schema_unknown_in(rd->table, name, rd->ret_error);
			return located(rd, true);
		}
		if (dotted)
			return misplaced(rd, true, key, "keys nest at their dots: \"memory\": {\"limit\": ...}");
		if (rd->depth == 1 && is_frame(key))
			continue;
		int r = check_member(rd, key, object, i);
		if (r < 0)
			return r;
	}
	rd->depth--;
	return 0;
}

/* "schema" says which meaning the keys have; we know one. */
static int check_schema(struct reader *rd, const json_t *root)
{
	const json_t *schema = json_object_get(root, "schema");
	rd->path[0] = "schema";
	rd->depth = 1;
	if (!schema)
		return missing(rd, "schema");
	if (!json_is_integer(schema) || json_integer_value(schema) != CONFIG_SCHEMA)
		return misplaced(rd, false, "schema", "expected 1, the only one that this version knows");
	rd->depth = 0;
	return 0;
}

static int check_identity(struct reader *rd, json_t *identity)
{
	const char *field;
	json_t *value;
	rd->path[0] = "identity";
	rd->depth = 1;
	if (identity && !json_is_object(identity))
		return misplaced(rd, false, "identity", "expected an object");
	json_object_foreach(identity, field, value) {
		rd->path[1] = field;
		rd->depth = 2;
		if (!json_is_integer(value) && !json_is_string(value))
			return misplaced(rd, false, "identity", "expected strings and whole numbers");
	}
	rd->depth = 0;
	return 0;
}

/* Everything in config.json that is no key. */
static int check_frame(struct reader *rd, const json_t *root)
{
	int r = check_schema(rd, root);
	if (r < 0)
		return r;
	const json_t *revision = json_object_get(root, "revision");
	rd->path[0] = "revision";
	rd->depth = 1;
	if (revision && (!json_is_integer(revision) || json_integer_value(revision) < 0))
		return misplaced(rd, false, "revision", "expected a whole number");
	rd->depth = 0;
	r = check_identity(rd, json_object_get(root, "identity"));
	if (r < 0)
		return r;
	if (!json_object_get(root, "name"))
		return missing(rd, "name");
	const char *uuid = json_string_value(json_object_get(root, "uuid"));
	rd->path[0] = "uuid";
	rd->depth = 1;
	if (!json_object_get(root, "uuid"))
		return missing(rd, "uuid");
	if (!uuid || !uuid_is(uuid))
		return misplaced(rd, false, "uuid", "expected a uuid");
	rd->depth = 0;
	return 0;
}

int config_read_members(const struct schema_key *table, json_t *root, const char *text, size_t size,
			const char *what, ve_error **ret_error)
{
	struct reader rd = { .table = table, .text = text, .size = size, .what = what, .ret_error = ret_error };
	int r = check_schema(&rd, root);
	return r < 0 ? r : check_members(&rd, root, "");
}

static int wrap_root(json_t *stolen_root, struct config **ret_config, ve_error **ret_error)
{
	struct config *c = calloc(1, sizeof(*c));
	if (!c) {
		json_decref(stolen_root);
		return err_nomem(ret_error);
	}
	c->root = stolen_root;
	*ret_config = c;
	return 0;
}

int config_parse(const char *text, size_t size, const char *what, struct config **ret_config, ve_error **ret_error)
{
	struct reader rd = {
		.table = schema_keys, .text = text, .size = size, .what = what, .ret_error = ret_error
	};
	json_t *root;
	int r = jsontext_parse(text, size, what, &root, ret_error);
	if (r < 0)
		return r;
	r = check_frame(&rd, root);
	if (r == 0)
		r = check_members(&rd, root, "");
	if (r < 0) {
		json_decref(root);
		return r;
	}
	return wrap_root(root, ret_config, ret_error);
}

int config_parse_keys(const char *text, size_t size, const char *what, struct config **ret_config, ve_error **ret_error)
{
	static const char *const dropped[] = { "identity", "pending", "name", "uuid" };
	struct reader rd = {
		.table = schema_keys, .text = text, .size = size, .what = what, .ret_error = ret_error
	};
	json_t *root = NULL;
	int r = jsontext_parse(text, size, what, &root, ret_error);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dropped); i++)
		json_object_del(root, dropped[i]);
	if (r == 0)
		r = check_schema(&rd, root);
	if (r == 0)
		r = check_members(&rd, root, "");
	if (r == 0)
		return wrap_root(root, ret_config, ret_error);
	json_decref(root);
	return r;
}

int config_load(int dir_fd, const char *path, const char *what, struct config **ret_config, ve_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = jsontext_read(dir_fd, path, what, CONFIG_MAX_BYTES, &text, &size, ret_error);
	return r < 0 ? r : config_parse(text, size, what, ret_config, ret_error);
}

/* ---- templates ---------------------------------------------------------------------------------- */

/* A template is made into many VEs: what is one VE's own has no place in it. */
static int check_template_keys(struct reader *rd, json_t *keys)
{
	static const char *const own[] = { "name", "uuid", "template" };
	rd->path[0] = "keys";
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		rd->path[1] = own[i];
		rd->depth = 2;
		if (json_object_get(keys, own[i]))
			return misplaced(rd, true, own[i], "belongs to one VE and not into a template");
	}
	rd->depth = 1;
	return check_members(rd, keys, "");
}

static int check_template_frame(struct reader *rd, json_t *root)
{
	const char *field;
	json_t *value;
	int r = check_schema(rd, root);
	if (r < 0)
		return r;
	rd->depth = 1;
	json_object_foreach(root, field, value) {
		rd->path[0] = field;
		if (str_eq(field, "schema") || ((str_eq(field, "description") || str_eq(field, "extends")) && json_is_string(value)) ||
		    (str_eq(field, "keys") && json_is_object(value)))
			continue;
		if (str_eq(field, "description") || str_eq(field, "extends") || str_eq(field, "keys"))
			return misplaced(rd, false, field,
					 *field == 'k' ? "expected an object" : "expected a string");
		check_failed(field, "is unknown here: a template has schema, description, extends and keys", rd->ret_error);
		return located(rd, true);
	}
	json_t *extends = json_object_get(root, "extends");
	rd->path[0] = "extends";
	if (extends && name_check("template", json_string_value(extends), NULL) < 0)
		return misplaced(rd, false, "extends", "expected the name of a template");
	return json_object_get(root, "keys") ? 0 : missing(rd, "keys");
}

int config_parse_template(const char *text, size_t size, const char *what, char **ret_description, char **ret_extends,
			  struct config **ret_config, ve_error **ret_error)
{
	struct reader rd = {
		.table = schema_keys, .text = text, .size = size, .what = what, .ret_error = ret_error
	};
	json_t *root;
	int r = jsontext_parse(text, size, what, &root, ret_error);
	if (r < 0)
		return r;
	r = check_template_frame(&rd, root);
	if (r == 0)
		r = check_template_keys(&rd, json_object_get(root, "keys"));
	const char *said = json_string_value(json_object_get(root, "description"));
	const char *base = json_string_value(json_object_get(root, "extends"));
	char *description = r == 0 ? strdup(said ? said : "") : NULL;
	char *extends = r == 0 && base ? strdup(base) : NULL;
	if (r == 0 && (!description || (base && !extends)))
		r = err_nomem(ret_error);
	if (r == 0)
		r = wrap_root(json_incref(json_object_get(root, "keys")), ret_config, ret_error);
	if (r == 0) {
		*ret_description = description;
		*ret_extends = extends;
	} else {
		free(description);
		free(extends);
	}
	json_decref(root);
	return r;
}
