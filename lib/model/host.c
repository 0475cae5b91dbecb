/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows are schema rows, so that host.json is read, checked, assigned and printed as a VE's
 * configuration is. */
#include "model/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/address.h"
#include "model/checks.h"
#include "model/config.h"
#include "model/config_read.h"
#include "model/jsontext.h"
#include "model/pool.h"

#define ID_LOWEST 100000	     /* below are the host's own accounts and login ranges */
#define ID_HIGHEST INT64_C(4294967294) /* 2^32-1 is no id but (uid_t)-1 */
enum { IDS_PER_VE = 65536, HOST_MAX_BYTES = 65536 };
static const char host_file[] = "host.json";

static int check_interface(const char *value, ve_error **ret_error)
{
	bool good = *value && strlen(value) <= 15 && !str_eq(value, ".") && !str_eq(value, "..");
	for (const char *p = value; good && *p; p++)
		good = *p > ' ' && *p < 0x7F && *p != '/' && *p != ':';
	return good ? 0 : check_failed(value, "is no name of an interface", ret_error);
}

/* FAMILY's network with LEAST to MOST prefix bits and nothing behind them. */
static int check_net(const char *value, int family, unsigned least, unsigned most, const char *expected,
		     ve_error **ret_error)
{
	struct address a;
	int r = address_parse(value, ADDRESS_PREFIX | ADDRESS_NETWORK, &a, ret_error);
	if (r < 0)
		return r;
	bool good = a.family == family && a.prefix >= least && a.prefix <= most;
	return good ? 0 : check_failed(value, expected, ret_error);
}

static int check_net4(const char *value, ve_error **ret_error)
{
	return check_net(value, AF_INET, 8, 29, "is no IPv4 network: expected something like 10.77.0.0/16",
			 ret_error);
}

static int check_net6(const char *value, ve_error **ret_error)
{
	return check_net(value, AF_INET6, 16, 112, "is no IPv6 network: expected something like fd77::/64",
			 ret_error);
}

/* Every key of the host's is built. */
#define ROW(name, kind, ...) { .key = name, .type = kind, .flags = SCHEMA_BUILT, __VA_ARGS__ }

static const struct schema_key host_keys[] = {
	ROW("default.template", SCHEMA_STRING, .check = check_name, .def = "vps-small"),
	ROW("default.image", SCHEMA_STRING, .check = check_image, .def = "debian-12"),
	ROW("default.backend", SCHEMA_ENUM, .words = "overlay dir btrfs image", .def = "overlay"),
	ROW("uplink", SCHEMA_STRING, .check = check_interface),
	ROW("nat.range", SCHEMA_STRING, .check = check_net4, .def = "10.77.0.0/16"),
	ROW("nat.range6", SCHEMA_STRING, .check = check_net6),
	ROW("proxy", SCHEMA_ENUM, .words = "on ipv4 ipv6 off", .def = "on"),
	ROW("fastpath", SCHEMA_ENUM, .words = "on off", .def = "on"),
	{ .key = "dns", .type = SCHEMA_LIST, .flags = SCHEMA_BUILT | SCHEMA_INHERIT, .check = check_resolver,
	  .def = "inherit" },
	{ .key = "ip.pool", .type = SCHEMA_LIST, .flags = SCHEMA_BUILT, .canonical = pool_canonical },
	ROW("ids.first", SCHEMA_INT, .min = ID_LOWEST, .max = ID_HIGHEST, .def = "131072"),
	ROW("ids.last", SCHEMA_INT, .min = ID_LOWEST, .max = ID_HIGHEST, .def = "4294901759"),
	ROW("stop.timeout", SCHEMA_INT, .unit = UNIT_SECONDS, .min = 1, .max = 86400, .def = "60"),
	{ .key = NULL },
};

/* ---- the document ------------------------------------------------------------------------------- */

/* The file's document, checked, keys nested; an empty one where there is no file. */
static int doc_load(int etc_fd, struct config **ret_doc, ve_error **ret_error)
{
	static const char what[] = "/etc/vectl/host.json";
	_cleanup_config_ struct config *doc = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ ve_error *error = NULL;
	size_t size;
	int r = config_new(NULL, &doc, ret_error);
	if (r < 0)
		return r;
	r = etc_fd >= 0 ? jsontext_read(etc_fd, host_file, what, HOST_MAX_BYTES, &text, &size, &error) : -ENOENT;
	if (r == 0) {
		json_decref(doc->root);
		doc->root = NULL;
		r = jsontext_parse(text, size, what, &doc->root, ret_error);
		if (r == 0)
			r = config_read_members(host_keys, doc->root, text, size, what, ret_error);
	} else if (r == -ENOENT) {
		r = json_object_set_new(doc->root, "schema", json_integer(CONFIG_SCHEMA)) < 0
			    ? err_nomem(ret_error)
			    : 0;
	} else {
		err_propagate(ret_error, &error);
	}
	if (r == 0)
		*ret_doc = steal_ptr(&doc);
	return r;
}

/* The value set, or the default parsed; a new reference, NULL where there is neither. */
static json_t *doc_value(const struct config *doc, const struct schema_key *row)
{
	json_t *value = json_incref(config_raw(doc, row->key));
	if (!value && row->def)
		(void)schema_parse(row, row->key, row->def, &value, NULL);
	return value;
}

/* ---- the struct --------------------------------------------------------------------------------- */

static int copy_string(const json_t *value, char **ret_string)
{
	const char *s = json_string_value(value);
	*ret_string = s ? strdup(s) : NULL;
	return s && !*ret_string ? -ENOMEM : 0;
}

static int fill(struct host *h, const char *key, const json_t *value)
{
	const struct {
		const char *key;
		char **string;
	} strings[] = {
		{ "default.template", &h->default_template }, { "default.image", &h->default_image },
		{ "default.backend", &h->default_backend },   { "uplink", &h->uplink },
		{ "nat.range", &h->nat_range },		      { "nat.range6", &h->nat_range6 },
		{ "proxy", &h->proxy },
	};
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (str_eq(key, strings[i].key))
			return copy_string(value, strings[i].string);
	if (str_eq(key, "fastpath"))
		h->fastpath = str_eq(json_string_value(value), "on");
	else if (str_eq(key, "ids.first"))
		h->id_first = (uint32_t)json_integer_value(value);
	else if (str_eq(key, "ids.last"))
		h->id_last = (uint32_t)json_integer_value(value);
	else if (str_eq(key, "stop.timeout"))
		h->stop_timeout_s = json_integer_value(value);
	else if (str_eq(key, "ip.pool"))
		h->ip_pool = json_deep_copy(value); /* NULL: none */
	else if (str_eq(key, "dns"))
		h->dns = json_is_array(value) ? json_deep_copy(value) : NULL; /* else "inherit" */
	return 0;
}

static int from_doc(const struct config *doc, struct host **ret_host, ve_error **ret_error)
{
	_cleanup_host_ struct host *h = calloc(1, sizeof(*h));
	if (!h)
		return err_nomem(ret_error);
	for (const struct schema_key *row = host_keys; row->key; row++) {
		json_t *value = doc_value(doc, row);
		int r = fill(h, row->key, value);
		json_decref(value);
		if (r < 0)
			return err_nomem(ret_error);
	}
	if (h->id_last < h->id_first || h->id_last - h->id_first < IDS_PER_VE - 1)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "host",
				 "ids.first to ids.last must hold at least %d ids, one VE's range", IDS_PER_VE);
	*ret_host = steal_ptr(&h);
	return 0;
}

bool host_proxies(const struct host *h, const char *family)
{
	return str_eq(h->proxy, "on") || str_eq(h->proxy, family);
}

int host_load(int etc_fd, struct host **ret_host, ve_error **ret_error)
{
	_cleanup_config_ struct config *doc = NULL;
	int r = doc_load(etc_fd, &doc, ret_error);
	return r < 0 ? r : from_doc(doc, ret_host, ret_error);
}

void host_free(struct host *h)
{
	if (!h)
		return;
	free(h->default_template);
	free(h->default_image);
	free(h->default_backend);
	free(h->uplink);
	free(h->nat_range);
	free(h->nat_range6);
	free(h->proxy);
	json_decref(h->dns);
	json_decref(h->ip_pool);
	free(h);
}

void host_freep(struct host **h)
{
	host_free(*h);
}

/* ---- show and set ------------------------------------------------------------------------------- */

int host_show(const struct host *h, json_t **ret_doc, ve_error **ret_error)
{
	json_t *doc = json_pack("{s:{s:s, s:s, s:s}, s:s?, s:{s:s, s:s?}, s:s, s:s, s:o, s:{s:o}, s:{s:I, s:I}, s:{s:I}}", "default",
				"template", h->default_template, "image", h->default_image, "backend",
				h->default_backend, "uplink", h->uplink, "nat", "range", h->nat_range, "range6",
				h->nat_range6, "proxy", h->proxy, "fastpath", h->fastpath ? "on" : "off", "dns",
				h->dns ? json_deep_copy(h->dns) : json_string("inherit"),
				"ip", "pool", h->ip_pool ? json_deep_copy(h->ip_pool) : json_array(),
				"ids", "first", (json_int_t)h->id_first, "last", (json_int_t)h->id_last, "stop",
				"timeout", (json_int_t)h->stop_timeout_s);
	if (!doc)
		return err_nomem(ret_error);
	*ret_doc = doc;
	return 0;
}

static int assign(struct config *doc, const char *assignment, ve_error **ret_error)
{
	const char *equals = strchrnul(assignment, '=');
	_cleanup_free_ char *key = strndup(assignment, (size_t)(equals - assignment));
	if (!key)
		return err_nomem(ret_error);
	if (!*equals)
		return check_failed(assignment, "is no assignment: expected KEY=VALUE", ret_error);
	const struct schema_key *row = schema_find_in(host_keys, key);
	if (!row)
		return schema_unknown_in(host_keys, key, ret_error);
	json_t *value = NULL;
	if (!str_eq(equals + 1, "default")) {
		int r = schema_parse(row, key, equals + 1, &value, ret_error);
		if (r < 0)
			return r;
	}
	return config_put(doc, key, value) < 0 ? err_nomem(ret_error) : 0;
}

int host_set(int etc_fd, const char *const *assignments, bool save, ve_error **ret_error)
{
	_cleanup_config_ struct config *doc = NULL;
	_cleanup_host_ struct host *checked = NULL;
	int r = doc_load(etc_fd, &doc, ret_error);
	for (const char *const *a = assignments; r == 0 && a && *a; a++)
		r = assign(doc, *a, ret_error);
	if (r == 0)
		r = from_doc(doc, &checked, ret_error);
	if (r < 0 || !save)
		return r;
	_cleanup_free_ char *json = json_dumps(doc->root, JSON_INDENT(2) | JSON_SORT_KEYS);
	_cleanup_free_ char *text = json ? str_printf("%s\n", json) : NULL;
	if (!text)
		return err_nomem(ret_error);
	r = file_replace(etc_fd, host_file, text, strlen(text), 0644, true);
	return r < 0 ? err_sys(ret_error, -r, "host", "cannot write '/etc/vectl/host.json'") : 0;
}
