/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/schema.h"

#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/address.h"
#include "model/checks.h"
#include "model/pool.h"

enum { LIST_MAX = 1024 };

/* ---- keys --------------------------------------------------------------------------------------- */

static bool in_words(const char *words, const char *word, size_t n)
{
	for (const char *p = words; p && n && (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

/* The words of a table's row as people list them: "vps, jail, none". */
static char *words_listed(const char *words)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (const char *p = words; *p; p++)
		strbuf_add_n(&b, *p == ' ' ? ", " : p, *p == ' ' ? 2 : 1);
	return strbuf_steal(&b);
}

/* A label of "network.N": 0 to 99, no leading zero. Returns its length, 0: none. */
static size_t label_length(const char *s)
{
	size_t n = strspn(s, "0123456789");
	return n == 0 || n > 2 || (n == 2 && s[0] == '0') ? 0 : n;
}

/* Not with a '-' at its end: "labels.a-=b" takes b from a list. */
static bool is_free_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	return n > 0 && n <= 63 && s[n] == '\0' && s[0] != '-' && s[0] != '_' && s[n - 1] != '-';
}

/* How far KEY follows the pattern of ROW's key: over "N" (capitals are nothing else in a pattern) and the letters.
 * *RET_P stays at the pattern's rest; returns KEY's rest. */
static const char *follow(const struct schema_key *row, const char *key, const char **ret_p)
{
	const char *p = row->key;
	while (*p && *p != '*') {
		size_t n = *p == 'N' ? label_length(key) : *p == *key;
		if (n == 0)
			break;
		p++;
		key += n;
	}
	*ret_p = p;
	return key;
}

static bool row_matches(const struct schema_key *row, const char *key)
{
	const char *p, *rest = follow(row, key, &p);
	if (*p == '*')
		return is_free_name(rest) && (!row->words || in_words(row->words, rest, strlen(rest)));
	return *p == '\0' && *rest == '\0';
}

const struct schema_key *schema_find_in(const struct schema_key *table, const char *key)
{
	/* A list of VEs looks for thousands of keys: most rows differ in the first letter, which no pattern leaves open. */
	for (const struct schema_key *row = table; row->key; row++)
		if (row->key[0] == key[0] && row_matches(row, key))
			return row;
	return NULL;
}

const struct schema_key *schema_find(const char *key)
{
	return schema_find_in(schema_keys, key);
}

bool schema_is_live(const struct schema_key *row, const char *key)
{
	const char *p, *name = follow(row, key, &p);
	return row->flags & SCHEMA_LIVE && !in_words(row->restart, name, strlen(name));
}

bool schema_change_is_live(const struct schema_key *row, const char *key, const json_t *old_value, const json_t *new_value)
{
	return schema_is_live(row, key) || (row->live && row->live(old_value, new_value));
}

bool schema_is_group_in(const struct schema_key *table, const char *prefix)
{
	for (const struct schema_key *row = table; row->key; row++) {
		const char *p, *rest = follow(row, prefix, &p);
		if (*rest == '\0' && *p == '.')
			return true;
	}
	return false;
}

bool schema_is_group(const char *prefix)
{
	return schema_is_group_in(schema_keys, prefix);
}

const char *schema_nearest_in(const struct schema_key *table, const char *key)
{
	char plain[64];
	int length = snprintf(plain, sizeof(plain), "%s", key);
	if (length < 0 || (size_t)length >= sizeof(plain))
		return NULL;
	char *label = str_starts(plain, "network.") ? plain + strlen("network.") : NULL;
	size_t n = label ? label_length(label) : 0;
	if (n > 0) {
		label[0] = 'N';
		memmove(label + 1, label + n, strlen(label + n) + 1);
	}
	const char *nearest = NULL;
	unsigned best = strlen(plain) > 7 ? 3 : 2;
	for (const struct schema_key *row = table; row->key; row++) {
		unsigned d = str_distance(plain, row->key, best);
		if (d > best || (nearest && d == best))
			continue;
		nearest = row->key;
		best = d;
	}
	return nearest;
}

/* The nearest group to a KEY that is a misspelt one ("memroy"): a row whose key begins with it, and its length. */
static const struct schema_key *nearest_group(const struct schema_key *table, const char *key, size_t *ret_length)
{
	const struct schema_key *nearest = NULL;
	unsigned best = 2;
	for (const struct schema_key *row = table; row->key && !strchr(key, '.'); row++) {
		char group[32];
		size_t n = strcspn(row->key, ".");
		if (row->key[n] == '\0' || n >= sizeof(group))
			continue;
		memcpy(group, row->key, n);
		group[n] = '\0';
		unsigned d = str_distance(key, group, best);
		if (d > best || (nearest && d == best))
			continue;
		nearest = row;
		best = d;
		*ret_length = n;
	}
	return nearest;
}

const char *schema_nearest(const char *key)
{
	return schema_nearest_in(schema_keys, key);
}

int schema_unknown(const char *key, ve_error **ret_error)
{
	return schema_unknown_in(schema_keys, key, ret_error);
}

int schema_unknown_in(const struct schema_key *table, const char *key, ve_error **ret_error)
{
	_cleanup_free_ char *head = strndup(key, 80);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	if (!quoted)
		return err_nomem(ret_error);
	const struct schema_key *rlimits =
		str_starts(key, "rlimits.") ? schema_find_in(table, "rlimits.nofile") : NULL;
	const char *nearest = schema_nearest_in(table, key);
	_cleanup_free_ char *limits = rlimits ? words_listed(rlimits->words) : NULL;
	if (limits)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "'%s': unknown limit (known are %s)",
				 quoted, limits);
	if (nearest)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
				 "'%s': unknown key (did you mean '%s'?)", quoted, nearest);
	size_t n;
	const struct schema_key *group = nearest_group(table, key, &n);
	if (group)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
				 "'%s': unknown key (did you mean '%.*s'?)", quoted, (int)n, group->key);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "'%s': unknown key", quoted);
}

/* ---- values that are typed ---------------------------------------------------------------------- */

static int make(json_t *value, json_t **ret_value, ve_error **ret_error)
{
	if (!value)
		return err_nomem(ret_error);
	*ret_value = value;
	return 0;
}

static int out_of_range(const struct schema_key *row, int64_t value, ve_error **ret_error)
{
	_cleanup_free_ char *text = units_format(row->unit, value);
	_cleanup_free_ char *min = units_format(row->unit, row->min), *max = units_format(row->unit, row->max);
	if (!text || !min || !max)
		return err_nomem(ret_error);
	return err_plain(ret_error, VE_ERR_CONFIG, ERANGE, "config", "'%s' is out of range: expected %s to %s%s",
			 text, min, max, row->flags & SCHEMA_UNLIMITED ? ", or unlimited" : "");
}

static int int_check(const struct schema_key *row, int64_t value, json_t **ret_value, ve_error **ret_error)
{
	if (value == UNITS_UNLIMITED && (row->flags & SCHEMA_UNLIMITED))
		return make(json_null(), ret_value, ret_error);
	if (value < row->min || value > row->max)
		return out_of_range(row, value, ret_error);
	return make(json_integer(value), ret_value, ret_error);
}

static int int_parse(const struct schema_key *row, const char *text, json_t **ret_value, ve_error **ret_error)
{
	int64_t value;
	int r = units_parse(row->unit, text, &value, ret_error);
	return r < 0 ? r : int_check(row, value, ret_value, ret_error);
}

static int bool_parse(const char *text, json_t **ret_value, ve_error **ret_error)
{
	static const char *const on[] = { "on", "yes", "true" }, *const off[] = { "off", "no", "false" };
	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		if (str_eq(text, on[i]))
			return make(json_true(), ret_value, ret_error);
		if (str_eq(text, off[i]))
			return make(json_false(), ret_value, ret_error);
	}
	return check_failed(text, "is neither on nor off", ret_error);
}

static int enum_parse(const struct schema_key *row, const char *text, json_t **ret_value, ve_error **ret_error)
{
	size_t n = strchr(text, ' ') ? 0 : strlen(text); /* 0: in no list of words */
	if (in_words(row->words, text, n))
		return make(json_string(text), ret_value, ret_error);
	_cleanup_free_ char *listed = words_listed(row->words);
	_cleanup_free_ char *why = listed ? str_printf("is not known: expected one of %s", listed) : NULL;
	if (!why)
		return err_nomem(ret_error);
	return check_failed(text, why, ret_error);
}

static int element_check(const struct schema_key *row, const char *text, ve_error **ret_error)
{
	return row->check ? row->check(text, ret_error) : check_text(text, ret_error);
}

/* ---- lists -------------------------------------------------------------------------------------- */

static const char *separators(const struct schema_key *row)
{
	return row->flags & SCHEMA_WORDS ? " \t\n" : row->flags & SCHEMA_RULES ? ";" : ",";
}

/* A JSON array of strings and nothing else. */
static int array_parse(const char *text, json_t **ret_array, ve_error **ret_error)
{
	json_error_t why;
	json_t *array = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	bool good = json_is_array(array);
	for (size_t i = 0; good && i < json_array_size(array); i++)
		good = json_is_string(json_array_get(array, i));
	if (!good) {
		json_decref(array);
		return check_failed(text, "is no JSON array of strings", ret_error);
	}
	*ret_array = array;
	return 0;
}

static int words_parse(const char *text, const char *at, json_t **ret_array, ve_error **ret_error)
{
	_cleanup_strv_ char **words = strv_split(text, at);
	json_t *array = words ? json_array() : NULL;
	for (char **w = words; array && *w; w++) {
		const char *word = *w + (*at == ';' ? strspn(*w, " \t\n") : 0);
		if (!*word)
			continue; /* behind the last rule */
		if (json_array_append_new(array, json_string(word)) == 0)
			continue;
		json_decref(array);
		return check_failed(*w, "is not UTF-8", ret_error);
	}
	return make(array, ret_array, ret_error);
}

int schema_list_split(const struct schema_key *row, const char *key, const char *text, json_t **ret_array,
		      ve_error **ret_error)
{
	int r = text[0] == '[' ? array_parse(text, ret_array, ret_error) :
				 words_parse(text, separators(row), ret_array, ret_error);
	if (r < 0)
		err_wrap(ret_error, "%s", key);
	return r;
}

/* Of a KEYED element. */
static size_t name_length(const char *element)
{
	return strcspn(element, "= :");
}

/* Whether two elements stand for the same thing. */
static bool element_same(const struct schema_key *row, const char *a, const char *b)
{
	struct address x, y;
	if (row->type == SCHEMA_ADDRESS_LIST)
		return address_parse(a, ADDRESS_PREFIX, &x, NULL) == 0 &&
		       address_parse(b, ADDRESS_PREFIX, &y, NULL) == 0 && address_same(&x, &y);
	if (row->flags & SCHEMA_KEYED) {
		size_t n = name_length(a);
		return n == name_length(b) && strncmp(a, b, n) == 0;
	}
	return strcmp(a, b) == 0;
}

/* A command's words may repeat; elsewhere a list is a set. */
static ssize_t element_find(const struct schema_key *row, const json_t *array, const char *element)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (element_same(row, json_string_value(json_array_get(array, i)), element))
			return (ssize_t)i;
	return -1;
}

static int element_canonical(const struct schema_key *row, const char *element, json_t **ret_value,
			     ve_error **ret_error)
{
	if (row->canonical) {
		_cleanup_free_ char *text = NULL;
		int r = row->canonical(element, &text, ret_error);
		return r < 0 ? r : make(json_string(text), ret_value, ret_error);
	}
	if (row->type != SCHEMA_ADDRESS_LIST) {
		int r = element_check(row, element, ret_error);
		return r < 0 ? r : make(json_string(element), ret_value, ret_error);
	}
	struct address a;
	if (pool_is_auto(element, NULL)) /* until a verb has put an address in its place */
		return make(json_string(element), ret_value, ret_error);
	int r = address_parse(element, ADDRESS_PREFIX, &a, ret_error);
	if (r < 0)
		return r;
	_cleanup_free_ char *text = address_format(&a, true);
	return text ? make(json_string(text), ret_value, ret_error) : err_nomem(ret_error);
}

static int list_add(const struct schema_key *row, json_t *array, const char *element, ve_error **ret_error)
{
	json_t *value = NULL;
	int r = element_canonical(row, element, &value, ret_error);
	if (r < 0)
		return r;
	bool repeats = row->flags & SCHEMA_WORDS || pool_is_auto(json_string_value(value), NULL);
	ssize_t at = repeats ? -1 : element_find(row, array, json_string_value(value));
	if (at >= 0 && json_equal(json_array_get(array, (size_t)at), value)) {
		json_decref(value);
		return 0;
	}
	if (at < 0 && json_array_size(array) >= LIST_MAX) {
		json_decref(value);
		return err_plain(ret_error, VE_ERR_CONFIG, E2BIG, "config", "the list has more than %d elements",
				 LIST_MAX);
	}
	if ((at >= 0 ? json_array_set_new(array, (size_t)at, value) : json_array_append_new(array, value)) < 0)
		return err_nomem(ret_error);
	return 1;
}

static bool is_last_rule(const json_t *rule)
{
	const char *s = json_string_value(rule);
	return str_eq(s, "allow all") || str_eq(s, "deny all");
}

/* The rule just added, at the end, goes before the one that matches everything, or takes its place. */
static int settle_last_rule(json_t *array)
{
	size_t n = json_array_size(array);
	if (n < 2 || !is_last_rule(json_array_get(array, n - 2)))
		return 0;
	json_t *last = json_incref(json_array_get(array, n - 2));
	json_array_remove(array, n - 2);
	if (!is_last_rule(json_array_get(array, n - 2)))
		return json_array_append_new(array, last);
	json_decref(last);
	return 0;
}

int schema_list_add(const struct schema_key *row, const char *key, json_t *array, const char *element,
		    ve_error **ret_error)
{
	int r = list_add(row, array, element, ret_error);
	if (r > 0 && (row->flags & SCHEMA_RULES) && settle_last_rule(array) < 0)
		r = err_nomem(ret_error);
	if (r < 0)
		err_wrap(ret_error, "%s", key);
	return r;
}

int schema_list_remove(const struct schema_key *row, const char *key, json_t *array, const char *element,
		       ve_error **ret_error)
{
	struct address a;
	/* What could never be in there is a mistake, not an absence; a bare NAME takes NAME=VALUE out. */
	if (row->type == SCHEMA_ADDRESS_LIST && address_parse(element, ADDRESS_PREFIX, &a, ret_error) < 0)
		return err_wrap(ret_error, "%s", key);
	_cleanup_free_ char *canonical = NULL;
	bool bare = row->canonical && row->check && !element[name_length(element)];
	if (bare ? row->check(element, ret_error) < 0 : row->canonical && row->canonical(element, &canonical, ret_error) < 0)
		return err_wrap(ret_error, "%s", key);
	ssize_t at = element_find(row, array, canonical ? canonical : element);
	if (at < 0)
		return 0;
	json_array_remove(array, (size_t)at);
	return 1;
}

/* RAW: an array of anything, from a file or a command line. */
static int list_check(const struct schema_key *row, const json_t *raw, json_t **ret_value, ve_error **ret_error)
{
	json_t *array = json_array();
	int r = array ? 0 : err_nomem(ret_error);
	for (size_t i = 0; r >= 0 && i < json_array_size(raw); i++) {
		const char *element = json_string_value(json_array_get(raw, i));
		if (element)
			r = list_add(row, array, element, ret_error);
		else
			r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "element %zu is no string", i);
	}
	if (r < 0) {
		json_decref(array);
		return r;
	}
	*ret_value = array;
	return 0;
}

static int list_parse(const struct schema_key *row, const char *key, const char *text, json_t **ret_value,
		      ve_error **ret_error)
{
	json_t *raw;
	if ((row->flags & SCHEMA_INHERIT) && str_eq(text, "inherit"))
		return make(json_string(text), ret_value, ret_error);
	int r = schema_list_split(row, key, text, &raw, ret_error);
	if (r < 0)
		return r;
	r = list_check(row, raw, ret_value, ret_error);
	json_decref(raw);
	if (r < 0)
		err_wrap(ret_error, "%s", key);
	return r;
}

/* ---- one value ---------------------------------------------------------------------------------- */

static int require_built(const struct schema_key *row, const char *key, ve_error **ret_error)
{
	if (row->flags & SCHEMA_BUILT)
		return 0;
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "config",
			 "%s: this key is not built in this version", key);
}

static int scalar_parse(const struct schema_key *row, const char *text, json_t **ret_value, ve_error **ret_error)
{
	switch (row->type) {
	case SCHEMA_INT:
		return int_parse(row, text, ret_value, ret_error);
	case SCHEMA_BOOL:
		return bool_parse(text, ret_value, ret_error);
	case SCHEMA_ENUM:
		return enum_parse(row, text, ret_value, ret_error);
	default: {
		int r = element_check(row, text, ret_error);
		return r < 0 ? r : make(json_string(text), ret_value, ret_error);
	}
	}
}

static bool is_list(const struct schema_key *row)
{
	return row->type == SCHEMA_LIST || row->type == SCHEMA_ADDRESS_LIST;
}

int schema_parse(const struct schema_key *row, const char *key, const char *text, json_t **ret_value,
		 ve_error **ret_error)
{
	int r = require_built(row, key, ret_error);
	if (r < 0)
		return r;
	if (is_list(row))
		return list_parse(row, key, text, ret_value, ret_error);
	r = scalar_parse(row, text, ret_value, ret_error);
	if (r < 0)
		err_wrap(ret_error, "%s", key);
	return r;
}

static int wrong_type(const struct schema_key *row, const json_t *value, ve_error **ret_error)
{
	static const char *const expected[SCHEMA_TYPE_COUNT] = {
		[SCHEMA_STRING] = "a string", [SCHEMA_INT] = "a whole number, or a string with a unit",
		[SCHEMA_BOOL] = "true or false", [SCHEMA_ENUM] = "a string",
		[SCHEMA_LIST] = "an array of strings", [SCHEMA_ADDRESS_LIST] = "an array of addresses",
	};
	static const char *const found[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a number with a point", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false", [JSON_NULL] = "null",
	};
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "expected %s, found %s", expected[row->type],
			 found[json_typeof(value)]);
}

static int value_check(const struct schema_key *row, json_t *value, json_t **ret_value, ve_error **ret_error)
{
	const char *text = json_string_value(value);
	if (is_list(row) && json_is_array(value))
		return list_check(row, value, ret_value, ret_error);
	if (is_list(row) && str_eq(text, "inherit") && (row->flags & SCHEMA_INHERIT))
		return make(json_incref(value), ret_value, ret_error);
	if (row->type == SCHEMA_INT && json_is_integer(value)) {
		int64_t n = json_integer_value(value); /* in JSON unlimited is null: this is a large number */
		return int_check(row, n == UNITS_UNLIMITED ? n - 1 : n, ret_value, ret_error);
	}
	if (row->type == SCHEMA_INT && json_is_null(value) && (row->flags & SCHEMA_UNLIMITED))
		return make(json_incref(value), ret_value, ret_error);
	if (row->type == SCHEMA_BOOL && json_is_boolean(value))
		return make(json_incref(value), ret_value, ret_error);
	if (text && !is_list(row))
		return scalar_parse(row, text, ret_value, ret_error);
	return wrong_type(row, value, ret_error);
}

int schema_check(const struct schema_key *row, const char *key, json_t *value, json_t **ret_value,
		 ve_error **ret_error)
{
	int r = require_built(row, key, ret_error);
	if (r < 0)
		return r;
	r = value_check(row, value, ret_value, ret_error);
	if (r < 0)
		err_wrap(ret_error, "%s", key);
	return r;
}

/* Elements that hold a separator, or look like JSON themselves, are written as a JSON array. */
static char *list_format(const struct schema_key *row, const json_t *array)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *element = json_string_value(json_array_get(array, i));
		if (!element || !*element || strpbrk(element, separators(row)) || (i == 0 && *element == '['))
			return json_dumps(array, JSON_COMPACT);
		if (i > 0)
			strbuf_add(&b, row->flags & SCHEMA_WORDS ? " " : row->flags & SCHEMA_RULES ? "; " : ",");
		strbuf_add(&b, element);
	}
	return strbuf_steal(&b);
}

json_t *schema_shown(const struct schema_key *row, json_t *value)
{
	if (!row || !row->masked || !json_is_array(value))
		return json_incref(value);
	json_t *shown = json_array();
	for (size_t i = 0; i < json_array_size(value); i++) {
		_cleanup_free_ char *text = NULL;
		/* What is there was read by the same rules: it cannot be wrong. */
		if (row->masked(json_string_value(json_array_get(value, i)), &text, NULL) < 0 ||
		    json_array_append_new(shown, json_string(text)) < 0) {
			json_decref(shown);
			return NULL;
		}
	}
	return shown;
}

char *schema_format(const struct schema_key *row, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_NULL:
		return strdup("unlimited");
	case JSON_TRUE:
		return strdup("on");
	case JSON_FALSE:
		return strdup("off");
	case JSON_INTEGER:
		return units_format(row->unit, json_integer_value(value));
	case JSON_STRING:
		return strdup(json_string_value(value));
	case JSON_ARRAY:
		return list_format(row, value);
	default:
		return json_dumps(value, JSON_COMPACT);
	}
}
