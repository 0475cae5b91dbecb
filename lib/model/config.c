/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document in memory is the one in the file: {"schema", "revision", "name", "uuid", "identity": {...}, and the
 * keys nested at their dots}. Everything that comes from outside is checked on its way in and normalised, so that
 * readers find integers in base units and addresses in one spelling. config_read.c has the way in.
 */
#include "model/config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/address.h"
#include "model/bindmount.h"
#include "model/checks.h"
#include "model/devicespec.h"
#include "model/firewall.h"
#include "model/pool.h"
#include "model/schema.h"
#include "model/volume.h"

/* ---- making ------------------------------------------------------------------------------------- */

int config_new(const char *name, struct config **ret_config, ve_error **ret_error)
{
	_cleanup_config_ struct config *c = calloc(1, sizeof(*c));
	char uuid[UUID_LENGTH + 1];
	if (!c || !(c->root = json_object()))
		return err_nomem(ret_error);
	if (name) {
		int r = name_check("VE", name, ret_error);
		if (r == 0)
			r = uuid_make(uuid, ret_error);
		if (r < 0)
			return r;
		if (json_object_set_new(c->root, "schema", json_integer(CONFIG_SCHEMA)) < 0 ||
		    json_object_set_new(c->root, "revision", json_integer(0)) < 0 ||
		    json_object_set_new(c->root, "name", json_string(name)) < 0 ||
		    json_object_set_new(c->root, "uuid", json_string(uuid)) < 0)
			return err_nomem(ret_error);
	}
	*ret_config = steal_ptr(&c);
	return 0;
}

void config_free(struct config *c)
{
	if (c)
		json_decref(c->root);
	free(c);
}

void config_freep(struct config **c)
{
	config_free(*c);
}

int config_copy(const struct config *c, struct config **ret_config, ve_error **ret_error)
{
	struct config *copy = calloc(1, sizeof(*copy));
	if (copy)
		copy->root = json_deep_copy(c->root);
	if (!copy || !copy->root) {
		config_free(copy);
		return err_nomem(ret_error);
	}
	*ret_config = copy;
	return 0;
}

int config_save(struct config *c, int dir_fd, const char *path, bool durable, ve_error **ret_error)
{
	json_int_t revision = json_integer_value(json_object_get(c->root, "revision"));
	if (json_object_set_new(c->root, "revision", json_integer(revision + 1)) < 0)
		return err_nomem(ret_error);
	_cleanup_free_ char *json = json_dumps(c->root, JSON_INDENT(2) | JSON_SORT_KEYS);
	_cleanup_free_ char *text = json ? str_printf("%s\n", json) : NULL;
	int r = -ENOMEM;
	if (text && strlen(text) > CONFIG_MAX_BYTES)
		r = -EFBIG; /* it could not be read again */
	else if (text)
		r = file_replace(dir_fd, path, text, strlen(text), 0600, durable);
	if (r == 0)
		return 0;
	json_object_set_new(c->root, "revision", json_integer(revision));
	if (r == -EFBIG)
		return err_plain(ret_error, VE_ERR_CONFIG, EFBIG, "config",
				 "the configuration of '%s' is larger than %d bytes", config_name(c),
				 CONFIG_MAX_BYTES);
	return r == -ENOMEM ? err_nomem(ret_error)
			    : err_sys(ret_error, -r, "config", "cannot write the configuration of '%s'",
				      config_name(c));
}

/* ---- identity ----------------------------------------------------------------------------------- */

const char *config_name(const struct config *c)
{
	return json_string_value(json_object_get(c->root, "name"));
}

const char *config_uuid(const struct config *c)
{
	return json_string_value(json_object_get(c->root, "uuid"));
}

static json_t *identity(const struct config *c, const char *field)
{
	return json_object_get(json_object_get(c->root, "identity"), field);
}

int64_t config_identity_int(const struct config *c, const char *field)
{
	return json_integer_value(identity(c, field));
}

const char *config_identity_string(const struct config *c, const char *field)
{
	return json_string_value(identity(c, field));
}

int config_set_identity(struct config *c, const char *field, json_t *stolen_value)
{
	json_t *object = json_object_get(c->root, "identity");
	if (!object) {
		object = json_object();
		if (json_object_set_new(c->root, "identity", object) < 0) {
			json_decref(stolen_value);
			return -ENOMEM;
		}
	}
	return json_object_set_new(object, field, stolen_value) < 0 ? -ENOMEM : 0;
}

/* ---- values ------------------------------------------------------------------------------------- */

json_t *config_raw(const struct config *c, const char *key)
{
	json_t *at = c->root;
	while (at && *key) {
		size_t n = strcspn(key, ".");
		at = json_object_getn(at, key, n);
		key += n + (key[n] == '.');
	}
	return at;
}

static const char *default_of(const char *key)
{
	const struct schema_key *row = schema_find(key);
	return row ? row->def : NULL;
}

const char *config_string(const struct config *c, const char *key)
{
	json_t *raw = config_raw(c, key);
	return raw ? json_string_value(raw) : default_of(key);
}

int64_t config_int(const struct config *c, const char *key)
{
	json_t *raw = config_raw(c, key);
	if (json_is_null(raw))
		return UNITS_UNLIMITED;
	if (raw)
		return json_integer_value(raw);
	const struct schema_key *row = schema_find(key);
	int64_t value = 0;
	if (row && row->def)
		(void)units_parse(row->unit, row->def, &value, NULL);
	return value;
}

bool config_bool(const struct config *c, const char *key)
{
	json_t *raw = config_raw(c, key);
	return raw ? json_is_true(raw) : str_eq(default_of(key), "on");
}

json_t *config_list(const struct config *c, const char *key)
{
	json_t *raw = config_raw(c, key);
	return json_is_array(raw) ? raw : NULL;
}

bool config_list_has(const json_t *list, const char *element)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (str_eq(json_string_value(json_array_get(list, i)), element))
			return true;
	return false;
}

static int put_below(json_t *object, const char *key, json_t *value)
{
	size_t n = strcspn(key, ".");
	if (key[n] == '\0')
		return json_object_setn(object, key, n, value) < 0 ? -ENOMEM : 0;
	json_t *sub = json_object_getn(object, key, n);
	if (!json_is_object(sub)) {
		sub = json_object();
		if (json_object_setn_new(object, key, n, sub) < 0)
			return -ENOMEM;
	}
	return put_below(sub, key + n + 1, value);
}

/* Groups that become empty go with their last key. */
static void remove_below(json_t *object, const char *key)
{
	size_t n = strcspn(key, ".");
	json_t *sub = json_object_getn(object, key, n);
	if (!sub)
		return;
	if (key[n] == '.') {
		remove_below(sub, key + n + 1);
		if (json_object_size(sub) > 0)
			return;
	}
	json_object_deln(object, key, n);
}

int config_put(struct config *c, const char *key, json_t *stolen_value)
{
	if (!stolen_value) {
		remove_below(c->root, key);
		return 0;
	}
	int r = put_below(c->root, key, stolen_value);
	json_decref(stolen_value);
	return r;
}

/* ---- assignments -------------------------------------------------------------------------------- */

struct assignment {
	char *key;
	char op; /* '=', '+' or '-' */
	const char *value;
	const struct schema_key *row;
};

static int assignment_split(const char *text, struct assignment *a, ve_error **ret_error)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text) {
		_cleanup_free_ char *head = strndup(text, 80);
		_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
		return quoted ? err_plain(ret_error, VE_ERR_USAGE, EINVAL, "config",
					  "'%s' is no assignment: expected KEY=VALUE", quoted) :
				err_nomem(ret_error);
	}
	a->op = equals[-1] == '+' || equals[-1] == '-' ? equals[-1] : '=';
	a->value = equals + 1;
	a->key = strndup(text, (size_t)(equals - text) - (a->op != '='));
	if (!a->key)
		return err_nomem(ret_error);
	a->row = schema_find(a->key);
	return a->row ? 0 : schema_unknown(a->key, ret_error);
}

/* What create fixed stays: before the first save, images and back ends may still be chosen. */
static int assignment_fixed(const struct config *c, const struct assignment *a, ve_error **ret_error)
{
	if (!(a->row->flags & SCHEMA_IDENTITY))
		return 0;
	bool saved = json_integer_value(json_object_get(c->root, "revision")) > 0;
	bool never = str_eq(a->key, "name") || str_eq(a->key, "uuid") || str_eq(a->key, "template");
	if (!saved && !never)
		return 0;
	return err_plain(ret_error, VE_ERR_STATE, EPERM, "config", "%s: is fixed when a VE is created", a->key);
}

static bool is_list(const struct schema_key *row)
{
	return row->type == SCHEMA_LIST || row->type == SCHEMA_ADDRESS_LIST;
}

/* An empty list is the same as none, unless none means something (dns.servers: inherit) and it was asked for. */
static int put_list(struct config *c, const struct assignment *a, json_t *list)
{
	if (json_array_size(list) > 0 || a->row->def)
		return config_put(c, a->key, list);
	json_decref(list);
	return config_put(c, a->key, NULL);
}

static int assign_value(struct config *c, const struct assignment *a, ve_error **ret_error)
{
	json_t *value;
	int r = schema_parse(a->row, a->key, a->value, &value, ret_error);
	if (r < 0)
		return r;
	r = json_is_array(value) ? put_list(c, a, value) : config_put(c, a->key, value);
	return r < 0 ? err_nomem(ret_error) : 0;
}

/* The elements of a += or -=: for NAME=VALUE elements the text is one element, whatever is in it. */
static int elements(const struct assignment *a, json_t **ret_elements, ve_error **ret_error)
{
	if (!(a->row->flags & SCHEMA_KEYED) || a->value[0] == '[')
		return schema_list_split(a->row, a->key, a->value, ret_elements, ret_error);
	json_t *one = json_pack("[s]", a->value);
	if (!one)
		return check_argument(a->value, ret_error) < 0 ? err_wrap(ret_error, "%s", a->key) : err_nomem(ret_error);
	*ret_elements = one;
	return 0;
}

static int assign_elements(struct config *c, const struct assignment *a, ve_error **ret_error)
{
	if (!is_list(a->row))
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "config", "%s: is no list: write %s=VALUE",
				 a->key, a->key);
	if (!(a->row->flags & SCHEMA_BUILT)) {
		json_t *none = NULL;
		return schema_parse(a->row, a->key, "", &none, ret_error); /* words the refusal */
	}
	json_t *old = config_list(c, a->key), *words = NULL;
	json_t *list = old ? json_deep_copy(old) : json_array();
	int r = list ? elements(a, &words, ret_error) : err_nomem(ret_error), changed = 0;
	for (size_t i = 0; r >= 0 && i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));
		r = a->op == '+' ? schema_list_add(a->row, a->key, list, word, ret_error) :
				   schema_list_remove(a->row, a->key, list, word, ret_error);
		changed |= r;
	}
	json_decref(words);
	if (r < 0 || changed <= 0) {
		json_decref(list);
		return r < 0 ? r : 0;
	}
	if (json_array_size(list) == 0) { /* the last element was taken out: as if nothing had been put in */
		json_decref(list);
		list = NULL;
	}
	return config_put(c, a->key, list) < 0 ? err_nomem(ret_error) : 0;
}

int config_assign(struct config *c, const char *assignment, ve_error **ret_error)
{
	struct assignment a = { 0 };
	int r = assignment_split(assignment, &a, ret_error);
	_cleanup_free_ char *key = a.key;
	if (r == 0)
		r = assignment_fixed(c, &a, ret_error);
	if (r < 0)
		return r;
	if (a.op != '=')
		return assign_elements(c, &a, ret_error);
	if (!str_eq(a.value, "default") || !(a.row->flags & SCHEMA_BUILT))
		return assign_value(c, &a, ret_error);
	return config_put(c, a.key, NULL);
}

/* ---- all keys ----------------------------------------------------------------------------------- */

/* Appends the names of the keys that are set in OBJECT, all of whose members are below PREFIX. */
static int collect(const json_t *object, const char *prefix, char ***keys)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value) {
		_cleanup_free_ char *key = *prefix ? str_printf("%s.%s", prefix, name) : strdup(name);
		if (!key)
			return -ENOMEM;
		int r = 0;
		if (schema_find(key))
			r = strv_add(keys, key);
		else if (json_is_object(value) && !str_eq(key, "identity"))
			r = collect(value, key, keys);
		if (r < 0)
			return r;
	}
	return 0;
}

static int schema_order(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	const struct schema_key *p = schema_find(x), *q = schema_find(y);
	if (p != q)
		return p < q ? -1 : 1;
	return str_natural_cmp(x, y);
}

void config_hide_secrets(struct config *c)
{
	for (const struct schema_key *k = schema_keys; k->key; k++) {
		json_t *value = k->masked ? config_raw(c, k->key) : NULL;
		if (value)
			config_put(c, k->key, schema_shown(k, value));
	}
}

int config_merge(struct config *c, const struct config *over, ve_error **ret_error)
{
	_cleanup_strv_ char **keys = NULL;
	int r = collect(over->root, "", &keys);
	for (char **k = keys; r == 0 && k && *k; k++) {
		if (str_eq(*k, "name") || str_eq(*k, "uuid"))
			continue;
		json_t *copy = json_deep_copy(config_raw(over, *k));
		r = copy ? config_put(c, *k, copy) : -ENOMEM;
	}
	return r < 0 ? err_nomem(ret_error) : 0;
}

int config_diff(const struct config *a, const struct config *b,
		int (*fn)(const char *key, json_t *old_value, json_t *new_value, void *data), void *data, ve_error **ret_error)
{
	_cleanup_strv_ char **keys = NULL;
	int r = collect(a->root, "", &keys);
	if (r == 0)
		r = collect(b->root, "", &keys);
	if (keys)
		qsort(keys, strv_length((const char *const *)keys), sizeof(*keys), schema_order);
	for (char **k = keys; r == 0 && k && *k; k++) {
		json_t *x = config_raw(a, *k), *y = config_raw(b, *k);
		if (k > keys && str_eq(*k, k[-1]))
			continue;
		if (!x || !y || !json_equal(x, y))
			r = fn(*k, x, y, data);
	}
	return r < 0 && ret_error && !*ret_error ? err_nomem(ret_error) : r;
}

/* ---- networks, and what concerns several keys --------------------------------------------------- */

static int compare_labels(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return x < y ? -1 : x > y;
}

int config_networks(const struct config *c, unsigned *ret_labels, unsigned max)
{
	json_t *network = json_object_get(c->root, "network");
	const char *label;
	json_t *value;
	unsigned n = 0;
	json_object_foreach(network, label, value)
		if (n < max)
			ret_labels[n++] = (unsigned)strtoul(label, NULL, 10);
	qsort(ret_labels, n, sizeof(*ret_labels), compare_labels);
	return (int)n;
}

bool config_has_command(const struct config *c)
{
	return json_array_size(config_list(c, "command")) > 0;
}

bool config_is_jail(const struct config *c)
{
	return config_has_command(c) || config_identity_int(c, "ephemeral");
}

const char *config_network_type(const struct config *c, unsigned label)
{
	char key[32];
	snprintf(key, sizeof(key), "network.%u.type", label);
	const char *type = config_string(c, key);
	snprintf(key, sizeof(key), "network.%u.ips", label);
	return type ? type : json_array_size(config_list(c, key)) > 0 ? "routed" : "nat";
}

static int seen_parse(json_t *seen, size_t index, struct address *ret_address)
{
	return address_parse(json_string_value(json_array_get(seen, index)), ADDRESS_PREFIX, ret_address, NULL);
}

/* An address must not be there twice, whatever the prefixes. SEEN: an array of what came before. */
static int check_addresses(json_t *ips, json_t *seen, ve_error **ret_error)
{
	for (size_t i = 0; i < json_array_size(ips); i++) {
		const char *text = json_string_value(json_array_get(ips, i));
		struct address a, b;
		if (text && pool_is_auto(text, NULL))
			continue;
		if (!text || address_parse(text, ADDRESS_PREFIX, &a, ret_error) < 0)
			return -EINVAL;
		for (size_t j = 0; j < json_array_size(seen); j++)
			if (seen_parse(seen, j, &b) == 0 && address_same(&a, &b))
				return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
						 "the address '%s' is given to two interfaces", text);
	}
	return json_array_extend(seen, ips) < 0 && ips ? err_nomem(ret_error) : 0;
}

static int check_network(const struct config *c, unsigned label, json_t *seen, ve_error **ret_error)
{
	char key[32];
	snprintf(key, sizeof(key), "network.%u.ips", label);
	json_t *ips = config_list(c, key);
	const char *type = config_network_type(c, label);
	bool routed = str_eq(type, "routed");
	if (routed && json_array_size(ips) == 0)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
				 "network.%u: type 'routed' needs an address (network.%u.ips)", label, label);
	if (!routed && !str_eq(type, "bridged") && json_array_size(ips) > 0)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
				 "network.%u: it has addresses, but its type is '%s' and not 'routed' or 'bridged'", label,
				 type);
	return check_addresses(ips, seen, ret_error);
}

static int check_resources(const struct config *c, ve_error **ret_error)
{
	static const struct {
		const char *key, *limit, *why;
	} below[] = {
		{ "cpu.burst", "cpu.limit", "what is saved up in a period is at most what may be used in it" },
		{ "memory.guarantee", "memory.limit", "no more can be guaranteed than it may use" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		bool unlimited = config_int(c, below[i].limit) == UNITS_UNLIMITED;
		if (config_int(c, below[i].key) > config_int(c, below[i].limit))
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "%s is above %s: %s", below[i].key,
					 below[i].limit, below[i].why);
		if (i == 0 && unlimited && config_int(c, below[i].key) > 0)
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "cpu.burst needs a cpu.limit: nothing is saved "
					 "up where nothing is limited");
	}
	return 0;
}

/* Two mounts in one place: the second would hide the first. */
static int check_mounts(const struct config *c, ve_error **ret_error)
{
	struct bindmount all[BINDMOUNTS_MAX];
	const json_t *list = config_list(c, "mounts");
	size_t n = json_array_size(list);
	if (n > BINDMOUNTS_MAX)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "mounts: more than %d", BINDMOUNTS_MAX);
	for (size_t i = 0; i < n; i++) {
		int r = bindmount_parse(json_string_value(json_array_get(list, i)), &all[i], ret_error);
		for (size_t j = 0; r == 0 && j < i; j++)
			if (str_eq(all[i].target, all[j].target))
				r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "mounts: '%s' is a target twice",
					      all[i].target);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A volume in the place of another one, or below what is mounted after it, would not be seen. */
static int check_volumes(const struct config *c, ve_error **ret_error)
{
	struct volume all[VOLUMES_MAX];
	struct bindmount m;
	json_t *list = config_list(c, "volumes"), *mounts = config_list(c, "mounts");
	if (json_array_size(list) > VOLUMES_MAX)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "volumes: more than %d", VOLUMES_MAX);
	unsigned n = volume_list(list, all);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0 && str_eq(all[i].target, all[i - 1].target))
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "volumes: '%s' is a target twice", all[i].target);
		for (size_t k = 0; k < json_array_size(mounts); k++)
			if (bindmount_parse(json_string_value(json_array_get(mounts, k)), &m, NULL) == 0 &&
			    bindmount_is_below(all[i].target, m.target))
				return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
						 "volumes: '%s' would be hidden by what 'mounts' has at '%s'", all[i].target, m.target);
	}
	return 0;
}

static int check_devices(const struct config *c, ve_error **ret_error)
{
	struct devicespec all[DEVICESPECS_MAX];
	const json_t *list = config_list(c, "devices");
	size_t n = json_array_size(list);
	if (n > DEVICESPECS_MAX)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "devices: more than %d", DEVICESPECS_MAX);
	for (size_t i = 0; i < n; i++) {
		int r = devicespec_parse(json_string_value(json_array_get(list, i)), &all[i], ret_error);
		for (size_t j = 0; r == 0 && j < i; j++)
			if (str_eq(all[i].path, all[j].path))
				r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "devices: '%s' is there twice", all[i].path);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_check_whole(const struct config *c, ve_error **ret_error)
{
	unsigned labels[100];
	if (check_resources(c, ret_error) < 0 || check_mounts(c, ret_error) < 0 || check_volumes(c, ret_error) < 0 ||
	    check_devices(c, ret_error) < 0)
		return -EINVAL;
	if (config_raw(c, "init") && config_has_command(c))
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
				 "init and command are both set: a VE starts either an init or a jail's command");
	json_t *seen = json_array();
	int n = config_networks(c, labels, ARRAY_SIZE(labels)), r = seen ? 0 : err_nomem(ret_error);
	for (int i = 0; r == 0 && i < n; i++)
		r = check_network(c, labels[i], seen, ret_error);
	json_decref(seen);
	if (r == 0)
		r = firewall_check_list(config_list(c, "firewall.in"), FIREWALL_IN, ret_error);
	return r == 0 ? firewall_check_list(config_list(c, "firewall.out"), FIREWALL_OUT, ret_error) : r;
}
