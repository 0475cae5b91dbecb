/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a VE uses of what it may use, and how often it was refused more: a line a resource. One table says where each
 * figure comes from.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/tenantpool.h"
#include "model/units.h"
#include "run/account.h"
#include "run/disk.h"
#include "run/diskfull.h"
#include "run/limits.h"
#include "run/ornull.h"
#include "run/tally.h"
#include "run/verbs.h"
#include "run/volumes.h"

#define NONE SIZE_MAX
#define NOW(field) offsetof(struct cg_counters, field)

static const struct resource {
	const char *name, *unit, *limit_unit;
	size_t used;	/* as it is now */
	size_t total;	/* or since the VE was made */
	size_t peak, refused;
	const char *guarantee, *limit; /* keys */
	int64_t fixed;	/* a limit that is no key; 0: none */
} resources[] = {
	{ "cpu", "nanoseconds", "millicores", NONE, NOW(cpu_ns), NONE, NOW(cpu_throttled), NULL, "cpu.limit", 0 },
	{ "memory", "bytes", "bytes", NOW(memory_bytes), NONE, NOW(memory_peak_bytes), NOW(memory_kills), "memory.guarantee",
	  "memory.limit", 0 },
	{ "swap", "bytes", "bytes", NOW(swap_bytes), NONE, NOW(swap_peak_bytes), NOW(swap_refused), NULL, "memory.swap", 0 },
	{ "hugepages", "bytes", "bytes", NOW(hugepages_bytes), NONE, NONE, NOW(hugepages_refused), NULL, "memory.hugepages", 0 },
	{ "pids", "count", "count", NOW(pids), NONE, NOW(pids_peak), NOW(pids_refused), NULL, "pids.limit", 0 },
	{ "cgroups", "count", "count", NOW(cgroups), NONE, NONE, NONE, NULL, NULL, CG_GUEST_GROUPS },
	{ "io.read", "bytes", "bytes/s", NONE, NOW(io_read_bytes), NONE, NONE, NULL, "io.read_bps", 0 },
	{ "io.write", "bytes", "bytes/s", NONE, NOW(io_written_bytes), NONE, NONE, NULL, "io.write_bps", 0 },
	{ "io.reads", "count", "count/s", NONE, NOW(io_reads), NONE, NONE, NULL, "io.read_iops", 0 },
	{ "io.writes", "count", "count/s", NONE, NOW(io_writes), NONE, NONE, NULL, "io.write_iops", 0 },
};

/* One VE's figures. */
struct figures {
	struct ve *ve;
	const struct config *config; /* that it runs with, or would */
	bool up;
	struct cg_counters now, total;
};

static json_t *figure(const struct cg_counters *c, size_t offset)
{
	int64_t n = offset == NONE ? -1 : *(const int64_t *)((const char *)c + offset);
	return count_or_null(n);
}

static json_t *key_json(const struct config *c, const char *key, bool zero_is_none)
{
	int64_t n = key ? config_int(c, key) : UNITS_UNLIMITED;
	return n == UNITS_UNLIMITED || (zero_is_none && n == 0) ? json_null() : json_integer(n);
}

static json_t *row_json(const struct figures *f, const char *resource, const char *unit, const char *limit_unit)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", f->ve->name, "uuid", f->ve->uuid, "resource", resource, "unit", unit,
			 "limit_unit", limit_unit);
}

json_t *limits_of_pool(const struct cg_counters *now, const struct config *limits)
{
	json_t *list = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		const struct resource *r = &resources[i];
		if (!tenantpool_has_key(r->limit))
			continue; /* that is each VE's own */
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "resource", r->name, "unit", r->unit,
						      "limit_unit", r->limit_unit, "used",
						      figure(now, r->total != NONE ? r->total : r->used), "peak",
						      figure(now, r->peak), "limit", key_json(limits, r->limit, false), "refused",
						      figure(now, r->refused)));
	}
	return list;
}

static json_t *resource_json(const struct figures *f, const struct resource *r)
{
	json_t *j = row_json(f, r->name, r->unit, r->limit_unit);
	json_object_set_new(j, "used", r->total != NONE ? figure(&f->total, r->total) : figure(&f->now, r->used));
	json_object_set_new(j, "peak", figure(&f->total, r->peak));
	json_object_set_new(j, "guarantee", key_json(f->config, r->guarantee, true));
	json_object_set_new(j, "limit", r->fixed ? json_integer(r->fixed) : key_json(f->config, r->limit, false));
	json_object_set_new(j, "refused", figure(&f->total, r->refused));
	return j;
}

/* Of what no group counts; -1 is not known, or none. */
static json_t *plain_json(const struct figures *f, const char *resource, const char *unit, int64_t used, int64_t limit,
			  int64_t refused)
{
	json_t *j = row_json(f, resource, unit, unit);
	json_object_set_new(j, "used", count_or_null(used));
	json_object_set_new(j, "peak", json_null());
	json_object_set_new(j, "guarantee", json_null());
	json_object_set_new(j, "limit", count_or_null(limit));
	json_object_set_new(j, "refused", count_or_null(refused));
	return j;
}

/* Transfer has a limit where an interface has a quota: refused once while it is spent. */
static json_t *transfer_json(const struct figures *f, const char *resource, int64_t used, int64_t limit, bool spent)
{
	return plain_json(f, resource, "bytes", used, limit, limit < 0 ? -1 : spent);
}

static bool is_refused(const json_t *row)
{
	return json_integer_value(json_object_get(row, "refused")) > 0;
}

static void add_row(json_t *list, json_t *row, bool refused_only)
{
	if (!refused_only || is_refused(row))
		json_array_append_new(list, row);
	else
		json_decref(row);
}

/* The kernel does not count who found a disk full: how often it was seen so is the next best. */
static json_t *full_json(const struct figures *f, const char *resource, const char *unit, int64_t used, int64_t limit,
			 const json_t *counts)
{
	return plain_json(f, resource, unit, used, limit, limit < 0 ? -1 : diskfull_count(counts, resource));
}

static void add_disk(const struct figures *f, const json_t *counts, json_t *list, bool refused_only)
{
	struct storage_usage u;
	disk_usage(f->ve, &u);
	add_row(list, full_json(f, "disk", "bytes", u.used_bytes, u.size_bytes, counts), refused_only);
	add_row(list, full_json(f, "inodes", "count", u.used_inodes, u.inodes, counts), refused_only);
}

static void add_volumes(const struct figures *f, const json_t *counts, json_t *list, bool refused_only)
{
	struct volume all[VOLUMES_MAX];
	unsigned n = volume_list(config_list(f->config, "volumes"), all);
	for (unsigned i = 0; i < n; i++) {
		struct storage_usage u;
		_cleanup_free_ char *resource = str_printf("volume.%s", all[i].name);
		volumes_usage(f->ve, all[i].name, &u);
		if (resource)
			add_row(list, full_json(f, resource, "bytes", u.used_bytes, u.size_bytes, counts), refused_only);
	}
}

static void add_transfer(const struct figures *f, json_t *list, bool refused_only)
{
	unsigned labels[100];
	int64_t in, out;
	traffic_month(f->ve, &in, &out);
	add_row(list, transfer_json(f, "transfer", in + out, -1, false), refused_only);
	int n = config_networks(f->config, labels, ARRAY_SIZE(labels));
	for (int i = 0; i < n; i++) {
		struct quota q;
		char resource[32];
		account_quota(f->ve->ctx->store, f->config, labels[i], time(NULL), &q);
		snprintf(resource, sizeof(resource), "transfer.%u", labels[i]);
		if (q.limit)
			add_row(list, transfer_json(f, resource, (int64_t)q.used, (int64_t)q.limit, q.spent), refused_only);
	}
}

static void add_ve(struct ve *v, json_t *list, bool refused_only)
{
	_cleanup_config_ struct config *running = NULL;
	struct figures f = { .ve = v, .up = state_is_up(handle_state(v, NULL)) };
	if (f.up)
		handle_running_config(v, &running, NULL);
	f.config = running ? running : v->config;
	if (!f.config)
		return; /* it is being made, or removed */
	cg_counters_init(&f.now);
	if (f.up)
		tally_now(v, &f.now);
	tally_total(v, &f.now, &f.total);
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
		add_row(list, resource_json(&f, &resources[i]), refused_only);
	json_t *counts = diskfull_counts(v);
	add_disk(&f, counts, list, refused_only);
	add_volumes(&f, counts, list, refused_only);
	json_decref(counts);
	add_transfer(&f, list, refused_only);
}

static int compare_names(const void *a, const void *b)
{
	return str_natural_cmp((*(struct ve *const *)a)->name, (*(struct ve *const *)b)->name);
}

static int add_all(struct ve_ctx *ctx, json_t *list, bool refused_only, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	int r = store_uuids(ctx->store, &uuids, ret_error);
	if (r < 0)
		return r;
	size_t n = 0;
	_cleanup_free_ struct ve **ves = calloc(strv_length((const char *const *)uuids) + 1, sizeof(*ves));
	if (!ves)
		return err_nomem(ret_error);
	for (char **u = uuids; u && *u; u++)
		n += handle_open_uuid(ctx, *u, &ves[n], NULL) == 0;
	qsort(ves, n, sizeof(ves[0]), compare_names);
	for (size_t i = 0; i < n; i++) {
		add_ve(ves[i], list, refused_only);
		handle_close(ves[i]);
	}
	return 0;
}

int look_limits(struct ve_ctx *ctx, struct ve *only, bool refused_only, json_t **ret_doc, ve_error **ret_error)
{
	json_t *list = json_array();
	int r = list ? ctx_open(ctx, false, ret_error) : err_nomem(ret_error);
	if (r == 0 && only)
		add_ve(only, list, refused_only);
	else if (r == 0)
		r = add_all(ctx, list, refused_only, ret_error);
	if (r < 0)
		json_decref(list);
	else
		*ret_doc = list;
	return r;
}
