/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listing VEs. One table of fields: what is a column is a filter, a sort key and a JSON key under one name, and only the
 * fields that are asked for are computed: a list of names opens nothing but the claims.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"
#include "run/addresses.h"
#include "run/adminlock.h"
#include "run/block.h"
#include "run/disk.h"
#include "run/ornull.h"
#include "run/tally.h"
#include "run/verbs.h"

enum need { NEED_CONFIG = 1, NEED_STATE = 2, NEED_GROUPS = 4 };

struct row {
	struct ve *ve;
	struct cg_place place; /* empty: there are no groups to read */
	enum ve_state state;
	struct record record;
	struct cg_usage usage;
};

struct field {
	const char *name;
	unsigned needs;
	unsigned usage; /* CG_USAGE_* */
	json_t *(*get)(const struct row *r);
	bool is_default;
	const char *doc;
	const char *unit; /* "bytes", "nanoseconds", "time"; NULL: none */
};

static bool is_up(const struct row *r)
{
	return state_is_up(r->state);
}

static json_t *get_name(const struct row *r) { return string_or_null(r->ve->name); }
static json_t *get_uuid(const struct row *r) { return string_or_null(r->ve->uuid); }

static json_t *get_state(const struct row *r)
{
	bool orphan = is_up(r) && !record_monitor_alive(&r->record);
	return string_or_null(orphan ? "unsupervised" : state_name(r->state));
}

static json_t *get_supervised(const struct row *r) { return json_boolean(is_up(r) && record_monitor_alive(&r->record)); }
static json_t *get_init_pid(const struct row *r) { return is_up(r) ? json_integer(r->record.init_pid) : json_null(); }
static json_t *get_addresses(const struct row *r) { return r->ve->config ? addresses_json(r->ve->config) : json_array(); }

static json_t *get_started_at(const struct row *r)
{
	char when[CLOCK_TEXT_SIZE];
	return is_up(r) ? json_string(clock_text(r->record.started_at, when)) : json_null();
}

static json_t *figure(const struct row *r, int64_t value) { return count_or_null(is_up(r) ? value : -1); }
static json_t *get_memory_used(const struct row *r) { return figure(r, r->usage.memory_bytes); }
static json_t *get_cpu_used(const struct row *r) { return figure(r, r->usage.cpu_ns); }
static json_t *get_processes(const struct row *r) { return figure(r, r->usage.pids); }

/* Read with the row, as few ask for it. */
static json_t *get_pressure(const struct row *r, const char *resource)
{
	return share_or_null(*r->place.path ? cg_host_pressure(r->ve->ctx->cg, r->place.path, resource) : -1);
}
static json_t *get_pressure_cpu(const struct row *r) { return get_pressure(r, "cpu"); }
static json_t *get_pressure_memory(const struct row *r) { return get_pressure(r, "memory"); }
static json_t *get_pressure_io(const struct row *r) { return get_pressure(r, "io"); }

static json_t *get_io(const struct row *r, bool read)
{
	struct cg_counters now;
	if (!is_up(r))
		return json_null();
	tally_now(r->ve, &now);
	return figure(r, read ? now.io_read_bytes : now.io_written_bytes);
}
static json_t *get_io_read(const struct row *r) { return get_io(r, true); }
static json_t *get_io_write(const struct row *r) { return get_io(r, false); }

static json_t *get_disk_used(const struct row *r)
{
	struct storage_usage u;
	disk_usage(r->ve, &u);
	return count_or_null(u.used_bytes);
}

/* The member NAME of DOC, which is given up; null where DOC is none. */
static json_t *member(json_t *doc, const char *name)
{
	json_t *value = json_object_get(doc, name);
	value = value ? json_incref(value) : json_null();
	json_decref(doc);
	return value;
}

static json_t *get_blocked(const struct row *r) { return member(block_read(r->ve), "how"); }
static json_t *get_locked(const struct row *r) { return member(adminlock_read(r->ve), "by"); }

static json_t *get_traffic(const struct row *r, bool in)
{
	int64_t month_in, month_out;
	traffic_month(r->ve, &month_in, &month_out);
	return json_integer(in ? month_in : month_out);
}
static json_t *get_traffic_in(const struct row *r) { return get_traffic(r, true); }
static json_t *get_traffic_out(const struct row *r) { return get_traffic(r, false); }

static json_t *get_pending(const struct row *r) { return r->ve->config ? look_pending(r->ve, r->state) : json_array(); }

static json_t *get_created_at(const struct row *r)
{
	return string_or_null(r->ve->config ? config_identity_string(r->ve->config, "created_at") : NULL);
}

static const struct field fields[] = {
	{ "name", 0, 0, get_name, true, "the VE's name" },
	{ "state", NEED_STATE, 0, get_state, true,
	  "stopped, blocked, starting, running, frozen, stopping, creating, or unsupervised: it runs without a monitor (vectl recover)" },
	{ "addresses", NEED_CONFIG, 0, get_addresses, true, "its IP addresses" },
	{ "memory.used", NEED_STATE | NEED_GROUPS, CG_USAGE_MEMORY, get_memory_used, true,
	  "memory in use, page cache included", "bytes" },
	{ "cpu.used", NEED_STATE | NEED_GROUPS, CG_USAGE_CPU, get_cpu_used, true, "CPU time used since its start",
	  "nanoseconds" },
	{ "processes", NEED_STATE | NEED_GROUPS, CG_USAGE_PIDS, get_processes, false, "how many processes and threads it has" },
	{ "pressure.cpu", NEED_STATE | NEED_GROUPS, 0, get_pressure_cpu, false,
	  "of the last ten seconds, the percentage in which some of its processes waited for a CPU" },
	{ "pressure.memory", NEED_STATE | NEED_GROUPS, 0, get_pressure_memory, false, "likewise, for memory" },
	{ "pressure.io", NEED_STATE | NEED_GROUPS, 0, get_pressure_io, false, "likewise, for a disk" },
	{ "io.read", NEED_STATE, 0, get_io_read, false, "what it has read from disk since its start", "bytes" },
	{ "io.write", NEED_STATE, 0, get_io_write, false, "what it has written to disk since its start", "bytes" },
	{ "disk.used", NEED_CONFIG, 0, get_disk_used, false, "disk in use by its root tree, where it is counted", "bytes" },
	{ "uuid", 0, 0, get_uuid, false, "fixed at create" },
	{ "init_pid", NEED_STATE, 0, get_init_pid, false, "its first process, on the host" },
	{ "supervised", NEED_STATE, 0, get_supervised, false, "has it a monitor" },
	{ "started_at", NEED_STATE, 0, get_started_at, false, "when it was started", "time" },
	{ "created_at", NEED_CONFIG, 0, get_created_at, false, "when it was created", "time" },
	{ "blocked", 0, 0, get_blocked, false, "how its provider has closed it: stop, network or freeze; 'status' has the reason" },
	{ "locked", 0, 0, get_locked, false, "who keeps it to himself (vectl lock); 'status' has the reason" },
	{ "traffic.in", 0, 0, get_traffic_in, false, "bytes towards it in this month (UTC)", "bytes" },
	{ "traffic.out", 0, 0, get_traffic_out, false, "bytes from it in this month (UTC)", "bytes" },
	{ "pending", NEED_CONFIG | NEED_STATE, 0, get_pending, true, "keys that wait for its next start" },
};

/* A field of the table, or any configuration key. */
struct column {
	const char *name;
	const struct field *field;
	const struct schema_key *key;
};

static int find_column(const char *name, struct column *ret, ve_error **ret_error)
{
	*ret = (struct column){ .name = name };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (str_eq(fields[i].name, name))
			ret->field = &fields[i];
	if (!ret->field)
		ret->key = schema_find(name);
	if (ret->field || ret->key)
		return 0;
	int r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "list", "there is no field '%s'", name);
	err_hint(ret_error, "fields are: name state addresses memory.used cpu.used processes uuid init_pid supervised "
			    "started_at created_at blocked locked disk.used pending pressure.cpu pressure.memory pressure.io io.read io.write "
			    "traffic.in traffic.out, and every configuration key");
	return r;
}

static json_t *column_get(const struct column *c, const struct row *r)
{
	if (c->field)
		return c->field->get(r);
	json_t *set = r->ve->config ? config_raw(r->ve->config, c->name) : NULL, *def = NULL;
	if (set)
		return schema_shown(c->key, set);
	if (c->key->def && schema_parse(c->key, c->name, c->key->def, &def, NULL) == 0)
		return def;
	return json_null();
}

/* ---- filters ---- */

struct filter {
	struct column column;
	char *glob;
	bool negated;
};

struct query {
	struct column *columns;
	size_t n_columns;
	struct filter *filters;
	size_t n_filters;
	struct column sort;
	bool descending;
	unsigned needs, usage;
};

static void query_need(struct query *q, const struct column *c)
{
	q->needs |= c->field ? c->field->needs : NEED_CONFIG;
	q->usage |= c->field ? c->field->usage : 0;
}

static int parse_filter(const char *where, struct filter *f, ve_error **ret_error)
{
	const char *eq = strchr(where, '=');
	if (!eq || eq == where)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "list", "--where takes FIELD=GLOB or FIELD!=GLOB, not '%s'", where);
	f->negated = eq[-1] == '!';
	f->glob = strdup(eq + 1);
	char *name = strndup(where, (size_t)(eq - where) - f->negated);
	int r = name && f->glob ? find_column(name, &f->column, ret_error) : err_nomem(ret_error);
	if (r < 0)
		free(name);
	return r; /* the column's name lives as long as the filter */
}

static bool value_matches(const json_t *value, const char *glob)
{
	char *own = NULL;
	bool r = false;
	size_t i;
	json_t *e;
	if (json_is_array(value)) {
		json_array_foreach((json_t *)value, i, e)
		{
			if (value_matches(e, glob))
				return true;
		}
		return json_array_size(value) == 0 && *glob == '\0';
	}
	if (json_is_string(value))
		return fnmatch(glob, json_string_value(value), 0) == 0;
	own = json_is_null(value) ? strdup("") : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	r = own && fnmatch(glob, own, 0) == 0;
	free(own);
	return r;
}

static bool row_matches(const struct query *q, const struct row *r)
{
	for (size_t i = 0; i < q->n_filters; i++) {
		json_t *value = column_get(&q->filters[i].column, r);
		bool m = value_matches(value, q->filters[i].glob);
		json_decref(value);
		if (m == q->filters[i].negated)
			return false;
	}
	return true;
}

static void query_done(struct query *q)
{
	for (size_t i = 0; i < q->n_filters; i++) {
		free(q->filters[i].glob);
		free((char *)q->filters[i].column.name);
	}
	free(q->filters);
	free(q->columns);
}

static int query_columns(struct query *q, const char *const *names, ve_error **ret_error)
{
	size_t n = names ? strv_length(names) : ARRAY_SIZE(fields);
	q->columns = calloc(n + 1, sizeof(*q->columns));
	if (!q->columns)
		return err_nomem(ret_error);
	for (size_t i = 0; i < n; i++) {
		if (!names && !fields[i].is_default)
			continue;
		int r = find_column(names ? names[i] : fields[i].name, &q->columns[q->n_columns], ret_error);
		if (r < 0)
			return r;
		query_need(q, &q->columns[q->n_columns++]);
	}
	return 0;
}

static int query_make(const struct ve_list_opts *o, struct query *q, ve_error **ret_error)
{
	int r = query_columns(q, o->fields, ret_error);
	size_t n = strv_length(o->where);
	q->filters = calloc(n + 1, sizeof(*q->filters));
	if (r == 0 && !q->filters)
		r = err_nomem(ret_error);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = parse_filter(o->where[i], &q->filters[i], ret_error);
		if (r == 0) {
			q->n_filters++;
			query_need(q, &q->filters[i].column);
		} else {
			free(q->filters[i].glob);
		}
	}
	if (r == 0) {
		q->descending = o->sort && o->sort[0] == '-';
		r = find_column(o->sort ? o->sort + q->descending : "name", &q->sort, ret_error);
		query_need(q, &q->sort);
	}
	return r;
}

/* ---- rows ---- */

static void fill(struct ve_ctx *ctx, const struct query *q, struct row *r)
{
	r->usage = (struct cg_usage){ -1, -1, -1, -1, -1 };
	if (q->needs & NEED_STATE)
		r->state = handle_state(r->ve, &r->record);
	if (q->needs & NEED_GROUPS && is_up(r) && ctx_cgroups(ctx, NULL) == 0)
		r->place = handle_place(r->ve);
	if (*r->place.path && q->usage)
		cg_host_usage(ctx->cg, r->place.path, q->usage, &r->usage);
}

struct sorted {
	json_t *key, *doc;
	char *name;
};

static int compare_values(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b)) {
		double x = json_number_value(a), y = json_number_value(b);
		return x < y ? -1 : x > y;
	}
	if (json_is_array(a))
		a = json_array_get(a, 0);
	if (json_is_array(b))
		b = json_array_get(b, 0);
	if (json_is_string(a) && json_is_string(b))
		return str_natural_cmp(json_string_value(a), json_string_value(b));
	return (json_is_null(b) || !b ? 1 : 0) - (json_is_null(a) || !a ? 1 : 0);
}

static int compare(const void *pa, const void *pb, void *descending)
{
	const struct sorted *a = pa, *b = pb;
	int c = compare_values(a->key, b->key);
	if (*(bool *)descending)
		c = -c;
	return c ? c : str_natural_cmp(a->name, b->name);
}

static json_t *row_doc(const struct query *q, const struct row *r)
{
	json_t *doc = json_object();
	for (size_t i = 0; doc && i < q->n_columns; i++)
		json_object_set_new(doc, q->columns[i].name, column_get(&q->columns[i], r));
	return doc;
}

static bool has_alias_like(const struct ve *v, const char *glob)
{
	size_t i;
	json_t *alias;
	json_array_foreach(v->config ? config_list(v->config, "aliases") : NULL, i, alias)
		if (fnmatch(glob, json_string_value(alias), 0) == 0)
			return true;
	return false;
}

static bool name_wanted(const char *const *patterns, const struct ve *v)
{
	if (!patterns || !*patterns)
		return true;
	for (const char *const *p = patterns; *p; p++)
		if (fnmatch(*p, v->name, 0) == 0 || str_eq(*p, v->uuid) || has_alias_like(v, *p))
			return true;
	return false;
}

static int add_row(struct ve_ctx *ctx, const struct query *q, const char *const *patterns, const char *uuid,
		   struct sorted *out, ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = NULL;
	_cleanup_err_ ve_error *e = NULL;
	if (handle_open_uuid(ctx, uuid, &v, &e) < 0) {
		/* Destroyed a moment ago, or damaged: one bad file must not hide all the others. */
		if (ve_error_category(e) != VE_ERR_NOT_FOUND)
			ctx_warn(ctx, "%s: %s", uuid, ve_error_message(e));
		return 0;
	}
	struct row r = { .ve = v };
	if (!name_wanted(patterns, v))
		return 0;
	fill(ctx, q, &r);
	if (!row_matches(q, &r))
		return 0;
	*out = (struct sorted){ column_get(&q->sort, &r), row_doc(q, &r), strdup(v->name) };
	return out->key && out->doc && out->name ? 1 : err_nomem(ret_error);
}

static int collect(struct ve_ctx *ctx, const struct query *q, const char *const *patterns, json_t *array,
		   ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	bool descending = q->descending;
	int r = store_uuids(ctx->store, &uuids, ret_error);
	if (r < 0)
		return r;
	size_t n = 0, all = strv_length((const char *const *)uuids);
	_cleanup_free_ struct sorted *rows = calloc(all + 1, sizeof(*rows));
	if (!rows)
		return err_nomem(ret_error);
	for (size_t i = 0; r >= 0 && i < all; i++) {
		r = add_row(ctx, q, patterns, uuids[i], &rows[n], ret_error);
		n += r > 0;
	}
	qsort_r(rows, n, sizeof(*rows), compare, &descending);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(array, rows[i].doc);
		json_decref(rows[i].key);
		free(rows[i].name);
	}
	return r < 0 ? r : 0;
}

int list_all(struct ve_ctx *ctx, const struct ve_list_opts *o, json_t **ret_doc, ve_error **ret_error)
{
	struct query q = { 0 };
	json_t *array = json_array();
	int r = array ? ctx_open(ctx, false, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = query_make(o, &q, ret_error);
	if (r == 0)
		r = collect(ctx, &q, o->patterns, array, ret_error);
	query_done(&q);
	if (r < 0)
		json_decref(array);
	else
		*ret_doc = array;
	return r;
}

int list_fields(json_t **ret_doc, ve_error **ret_error)
{
	json_t *array = json_array();
	for (size_t i = 0; array && i < ARRAY_SIZE(fields); i++)
		json_array_append_new(array, json_pack("{s:s,s:s?,s:s,s:b}", "field", fields[i].name, "unit",
						       fields[i].unit, "doc", fields[i].doc, "default",
						       fields[i].is_default));
	if (!array)
		return err_nomem(ret_error);
	*ret_doc = array;
	return 0;
}
