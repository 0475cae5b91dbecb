/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/recipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/image.h"
#include "model/name.h"

static const char stage[] = "recipe";

/* ---- the keys --------------------------------------------------------------------------------------- */

enum kind {
	KIND_WORD,  /* no white space, quotes, brackets: it becomes a part of a command or of a line */
	KIND_TEXT,  /* one line */
	KIND_INT,
	KIND_WORDS, /* an array of words */
	KIND_LINES, /* an array of lines */
	KIND_UNIT,  /* "x.service" */
	KIND_PATH,  /* absolute, below the tree's root; no "..", no white space */
	KIND_MODE,  /* "0644" */
	KIND_TABLE, /* an array of objects, whose rows `columns` tells */
};

struct key {
	const char *name;
	enum kind kind;
	bool required;
	const struct key *columns;
};

static const struct key unit_columns[] = {
	{ "unit", KIND_UNIT, true },
	{ "why", KIND_TEXT, true },
	{},
};
static const struct key file_columns[] = {
	{ "path", KIND_PATH, true },
	{ "mode", KIND_MODE, false },
	{ "lines", KIND_LINES, true },
	{ "why", KIND_TEXT, true },
	{},
};
static const struct key link_columns[] = {
	{ "path", KIND_PATH, true },
	{ "target", KIND_WORD, true },
	{ "why", KIND_TEXT, true },
	{},
};
static const struct key directory_columns[] = {
	{ "path", KIND_PATH, true },
	{ "mode", KIND_MODE, true },
	{},
};
static const struct key path_columns[] = {
	{ "path", KIND_PATH, true }, /* the last component may be a glob */
	{ "why", KIND_TEXT, true },
	{},
};
static const struct key source_columns[] = {
	{ "mirror", KIND_WORD, true }, /* "main" or "security" */
	{ "suite", KIND_WORD, true },
	{},
};

static const struct key keys[] = {
	{ "schema", KIND_INT, true },
	{ "description", KIND_TEXT, true },
	{ "distribution", KIND_WORD, true },
	{ "version", KIND_WORD, false }, /* busybox: what the binary says */
	{ "architecture", KIND_WORD, true },
	{ "builder", KIND_WORD, true },
	{ "suite", KIND_WORD, false },
	{ "variant", KIND_WORD, false },
	{ "components", KIND_WORDS, false },
	{ "packages", KIND_WORDS, false },
	{ "sources", KIND_TABLE, false, source_columns },
	{ "keyring", KIND_PATH, false },
	{ "mirror", KIND_WORD, false },
	{ "security_mirror", KIND_WORD, false },
	{ "source_date_epoch", KIND_INT, false },
	{ "init", KIND_PATH, false },
	{ "init_system", KIND_WORD, true },
	{ "stop_signal", KIND_WORD, false },
	{ "mask", KIND_TABLE, false, unit_columns },
	{ "disable", KIND_TABLE, false, unit_columns },
	{ "directories", KIND_TABLE, false, directory_columns },
	{ "remove", KIND_TABLE, false, path_columns },
	{ "empty", KIND_TABLE, false, path_columns },
	{ "files", KIND_TABLE, false, file_columns },
	{ "links", KIND_TABLE, false, link_columns },
	{},
};

static const char *const builders[RECIPE_BUILDER_COUNT] = {
	[RECIPE_MMDEBSTRAP] = "mmdebstrap",
	[RECIPE_BUSYBOX] = "busybox",
};

/* ---- checks ----------------------------------------------------------------------------------------- */

static int wrong(const char *what, const char *key, const char *expected, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(key);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, stage, "recipe '%s': '%s' must be %s", what,
			 quoted ?: "?", expected);
}

static bool is_printable(const json_t *value, const char *forbidden)
{
	const char *s = json_string_value(value);
	if (!s || !*s || strlen(s) != json_string_length(value) || strlen(s) > 4096)
		return false;
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || strchr(forbidden, *p))
			return false;
	return true;
}

/* A word may not begin like an option of the program that gets it. */
static bool is_word(const json_t *value)
{
	return is_printable(value, " \"'`\\[](){}<>|;&$#!,") && json_string_value(value)[0] != '-';
}

static bool is_unit(const json_t *value)
{
	const char *s = json_string_value(value);
	return is_word(value) && !strchr(s, '/') && s[0] != '.' && strchr(s, '.');
}

static bool is_path(const json_t *value)
{
	if (!is_printable(value, " \"'`\\"))
		return false;
	const char *s = json_string_value(value);
	return s[0] == '/' && s[1] && !str_ends(s, "/") && !strstr(s, "/../") && !str_ends(s, "/..") &&
	       !strstr(s, "//");
}

static bool is_mode(const json_t *value)
{
	const char *s = json_string_value(value);
	return s && strlen(s) == 4 && s[0] >= '0' && s[0] <= '1' && strspn(s, "01234567") == 4;
}

/* A line may hold anything that a text file may (tabs too), or be empty. */
static bool is_line(const json_t *value)
{
	const char *s = json_string_value(value);
	return s && strlen(s) == json_string_length(value) && !strchr(s, '\n');
}

static bool is_array_of(const json_t *value, bool (*is_good)(const json_t *))
{
	size_t i;
	json_t *element;
	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, element)
		if (!is_good(element))
			return false;
	return true;
}

static int check_keys(const char *what, json_t *object, const struct key *known, const char *where,
		      ve_error **ret_error);

static int check_table(const char *what, json_t *value, const struct key *key, ve_error **ret_error)
{
	size_t i;
	json_t *row;
	if (!json_is_array(value))
		return wrong(what, key->name, "an array", ret_error);
	json_array_foreach(value, i, row) {
		char where[80];
		snprintf(where, sizeof(where), "%s.%zu.", key->name, i);
		int r = check_keys(what, row, key->columns, where, ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_value(const char *what, json_t *value, const struct key *key, const char *where,
		       ve_error **ret_error)
{
	static const struct {
		bool (*is_good)(const json_t *);
		bool is_array;
		const char *expected;
	} kinds[] = {
		[KIND_WORD] = { is_word, false, "a word without spaces, quotes and brackets" },
		[KIND_UNIT] = { is_unit, false, "a unit's name (x.service)" },
		[KIND_PATH] = { is_path, false, "an absolute path without '..'" },
		[KIND_MODE] = { is_mode, false, "four octal digits (\"0644\"), without setuid and setgid" },
		[KIND_WORDS] = { is_word, true, "an array of words" },
		[KIND_LINES] = { is_line, true, "an array of lines" },
	};
	_cleanup_free_ char *name = str_printf("%s%s", where, key->name);
	if (!name)
		return err_nomem(ret_error);
	if (key->kind == KIND_TABLE)
		return check_table(what, value, key, ret_error);
	if (key->kind == KIND_INT)
		return json_is_integer(value) && json_integer_value(value) >= 0 ? 0
			       : wrong(what, name, "a number, not negative", ret_error);
	if (key->kind == KIND_TEXT)
		return is_printable(value, "") ? 0 : wrong(what, name, "one line of text", ret_error);
	bool good = kinds[key->kind].is_array ? is_array_of(value, kinds[key->kind].is_good)
					      : kinds[key->kind].is_good(value);
	return good ? 0 : wrong(what, name, kinds[key->kind].expected, ret_error);
}

static const struct key *find_key(const struct key *known, const char *name)
{
	for (; known->name; known++)
		if (str_eq(known->name, name))
			return known;
	return NULL;
}

static int unknown_key(const char *what, const char *where, const char *name, const struct key *known,
		       ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(name);
	int r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, stage, "recipe '%s': unknown key '%s%s'", what, where,
			  quoted ?: "?");
	for (; known->name; known++)
		if (str_distance(name, known->name, 2) <= 2)
			err_hint(ret_error, "did you mean '%s%s'?", where, known->name);
	return r;
}

static int check_keys(const char *what, json_t *object, const struct key *known, const char *where,
		      ve_error **ret_error)
{
	const char *name;
	json_t *value;
	if (!json_is_object(object))
		return wrong(what, *where ? where : "the file", "an object", ret_error);
	json_object_foreach(object, name, value) {
		const struct key *key = find_key(known, name);
		int r = key ? check_value(what, value, key, where, ret_error)
			    : unknown_key(what, where, name, known, ret_error);
		if (r < 0)
			return r;
	}
	for (; known->name; known++)
		if (known->required && !json_object_get(object, known->name))
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, stage,
					 "recipe '%s': the key '%s%s' is missing", what, where, known->name);
	return 0;
}

static int check_builder(struct recipe *r, ve_error **ret_error)
{
	static const char *const needed[] = { "version", "suite", "sources", "keyring" };
	const char *name = recipe_string(r, "builder");
	int found = -1;
	for (int i = 0; i < RECIPE_BUILDER_COUNT; i++)
		if (str_eq(builders[i], name))
			found = i;
	if (found < 0)
		return wrong(r->name, "builder", "mmdebstrap or busybox", ret_error);
	r->builder = (enum recipe_builder)found;
	for (size_t i = 0; i < ARRAY_SIZE(needed) && r->builder == RECIPE_MMDEBSTRAP; i++)
		if (!json_object_get(r->doc, needed[i]))
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, stage,
					 "recipe '%s': the key '%s' is missing", r->name, needed[i]);
	size_t i;
	json_t *source;
	json_array_foreach(recipe_list(r, "sources"), i, source) {
		const char *mirror = json_string_value(json_object_get(source, "mirror"));
		if (!str_eq(mirror, "main") && !str_eq(mirror, "security"))
			return wrong(r->name, "sources.*.mirror", "main or security", ret_error);
	}
	return 0;
}

static int check_whole(struct recipe *r, ve_error **ret_error)
{
	if (json_integer_value(json_object_get(r->doc, "schema")) != RECIPE_SCHEMA)
		return wrong(r->name, "schema", "1", ret_error);
	if (!str_eq(recipe_string(r, "architecture"), "amd64"))
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, stage,
				 "recipe '%s': architecture '%s' is not supported: only amd64 is", r->name,
				 recipe_string(r, "architecture"));
	bool has_init = recipe_string(r, "init"), names_system = !str_eq(recipe_string(r, "init_system"), "none");
	if (has_init != names_system)
		return wrong(r->name, "init", "there exactly where init_system is not none", ret_error);
	const char *signal = recipe_string(r, "stop_signal");
	if (has_init && (!signal || image_parse_signal(signal) < 0))
		return wrong(r->name, "stop_signal", "a signal's name (SIGRTMIN+3)", ret_error);
	r->epoch = json_integer_value(json_object_get(r->doc, "source_date_epoch"));
	return check_builder(r, ret_error);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

void recipe_free(struct recipe *r)
{
	if (!r)
		return;
	free(r->name);
	free(r->digest);
	json_decref(r->doc);
	free(r);
}

void recipe_freep(struct recipe **r)
{
	recipe_free(*r);
	*r = NULL;
}

const char *recipe_string(const struct recipe *r, const char *key)
{
	return json_string_value(json_object_get(r->doc, key));
}

json_t *recipe_list(const struct recipe *r, const char *key)
{
	return json_object_get(r->doc, key);
}

char *recipe_join(const json_t *strings, const char *separator)
{
	struct strbuf b = {};
	size_t i;
	json_t *s;
	strbuf_add(&b, "");
	json_array_foreach(strings, i, s) {
		if (i > 0)
			strbuf_add(&b, separator);
		strbuf_add(&b, json_string_value(s));
	}
	return strbuf_steal(&b);
}

int recipe_parse(const char *name, const char *text, size_t size, struct recipe **ret_recipe, ve_error **ret_error)
{
	_cleanup_recipe_ struct recipe *r = calloc(1, sizeof(*r));
	char digest[SHA256_DIGEST_STRING_LENGTH];
	SHA256Data((const uint8_t *)text, size, digest);
	if (!r || !(r->name = strdup(name)) || !(r->digest = strdup(digest)))
		return err_nomem(ret_error);
	json_error_t error;
	r->doc = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!r->doc) {
		_cleanup_free_ char *why = str_quote(error.text);
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, stage, "recipe '%s': line %d, column %d: %s",
				 name, error.line, error.column, why ?: "not JSON");
	}
	int e = check_keys(name, r->doc, keys, "", ret_error);
	if (e == 0)
		e = check_whole(r, ret_error);
	if (e == 0)
		*ret_recipe = steal_ptr(&r);
	return e;
}

/* Hints at the nearest recipe, or tells all there are. */
static int no_such_recipe(const char *data_dir, const char *name, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, stage, "there is no image recipe '%s'", name);
	_cleanup_free_ char *path = str_printf("%s/recipes", data_dir);
	_cleanup_closedir_ DIR *dir = path ? opendir(path) : NULL;
	_cleanup_strbuf_ struct strbuf all = {};
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (!str_ends(e->d_name, ".json") || e->d_name[0] == '.')
			continue;
		e->d_name[strlen(e->d_name) - strlen(".json")] = '\0';
		if (str_distance(name, e->d_name, 2) <= 2)
			err_hint(ret_error, "did you mean '%s'?", e->d_name);
		strbuf_addf(&all, "%s%s", all.len ? ", " : "", e->d_name);
	}
	if (all.len > 0)
		err_hint(ret_error, "the recipes are: %s", all.data);
	else
		err_hint(ret_error, "there are no recipes in '%s': is the installation whole?", path ?: data_dir);
	return r;
}

int recipe_open(int etc_fd, const char *data_dir, const char *name, struct recipe **ret_recipe,
		ve_error **ret_error)
{
	int r = name_check("image recipe", name, ret_error);
	if (r < 0)
		return r;
	_cleanup_free_ char *own = str_printf("recipes/%s.json", name);
	_cleanup_free_ char *shipped = str_printf("%s/recipes/%s.json", data_dir, name);
	_cleanup_free_ char *text = NULL;
	size_t size;
	if (!own || !shipped)
		return err_nomem(ret_error);
	r = etc_fd < 0 ? -ENOENT : file_read(etc_fd, own, RECIPE_MAX_BYTES, &text, &size);
	if (r == -ENOENT)
		r = file_read(AT_FDCWD, shipped, RECIPE_MAX_BYTES, &text, &size);
	if (r == -ENOENT)
		return no_such_recipe(data_dir, name, ret_error);
	if (r < 0)
		return err_sys(ret_error, -r, stage, "cannot read the image recipe '%s'", name);
	return recipe_parse(name, text, size, ret_recipe, ret_error);
}
