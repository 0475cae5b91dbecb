/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was sold against what is there: CPU, memory and disk, in all, by template and by pool. What a VE is sold is what its limits let
 * it use; a VE without such a limit is counted apart, for it was sold everything. The VEs of a pool together were sold no more than
 * the pool's limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/tenantpool.h"
#include "model/units.h"
#include "run/disk.h"
#include "run/ornull.h"
#include "run/verbs.h"
#include "run/volumes.h"

struct resource {
	int64_t sold, unlimited; /* the sum of the limits; how many VEs have none */
	int64_t used;		 /* -1: nobody has counted any */
};

struct group {
	char *name;
	int64_t ves, running;
	struct resource cpu, memory, disk; /* millicores (used: none), bytes, bytes */
};

static const struct group nothing = { .cpu.used = -1, .memory.used = -1, .disk.used = -1 };

struct groups {
	struct group *items;
	size_t n;
};

/* ---- what there is ---------------------------------------------------------------------------------------------- */

/* A line of /proc/meminfo in bytes; -1: it is not there. */
static int64_t meminfo(const char *text, const char *name)
{
	const char *at = text ? strstr(text, name) : NULL;
	return at ? strtoll(at + strlen(name), NULL, 10) * 1024 : -1;
}

static json_t *host_doc(struct ve_ctx *ctx)
{
	enum { MEMINFO_MAX = 65536 };
	_cleanup_free_ char *text = NULL;
	struct statvfs st = { 0 };
	file_read(AT_FDCWD, "/proc/meminfo", MEMINFO_MAX, &text, NULL);
	bool known = ctx->store->ve_fd >= 0 && fstatvfs(ctx->store->ve_fd, &st) == 0;
	return json_pack("{s:I,s:o,s:o,s:o,s:o}", "cpu", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN) * 1000, "memory",
			 count_or_null(meminfo(text, "MemTotal:")), "memory_available", count_or_null(meminfo(text, "MemAvailable:")),
			 "disk", count_or_null(known ? (int64_t)(st.f_blocks * st.f_frsize) : -1), "disk_available",
			 count_or_null(known ? (int64_t)(st.f_bavail * st.f_frsize) : -1));
}

/* ---- what was sold ---------------------------------------------------------------------------------------------- */

static void sell(struct resource *r, int64_t limit)
{
	if (limit == UNITS_UNLIMITED)
		r->unlimited++;
	else
		r->sold += limit;
}

static void use(struct resource *r, int64_t used)
{
	if (used >= 0)
		r->used = (r->used < 0 ? 0 : r->used) + used;
}

/* Both keys limit it. */
static int64_t cpu_limit(const struct config *c)
{
	int64_t limit = config_int(c, "cpu.limit"), cores = config_int(c, "cpu.cores");
	if (cores == UNITS_UNLIMITED)
		return limit;
	return limit == UNITS_UNLIMITED || cores * 1000 < limit ? cores * 1000 : limit;
}

static void add_resource(struct resource *to, const struct resource *r)
{
	to->sold += r->sold;
	to->unlimited += r->unlimited;
	use(to, r->used);
}

static void add(struct group *to, const struct group *g)
{
	to->ves += g->ves;
	to->running += g->running;
	add_resource(&to->cpu, &g->cpu);
	add_resource(&to->memory, &g->memory);
	add_resource(&to->disk, &g->disk);
}

/* Besides what its root tree may use. */
static void measure_volumes(struct ve *v, struct resource *disk)
{
	struct volume all[VOLUMES_MAX];
	unsigned n = volume_list(config_list(v->config, "volumes"), all);
	for (unsigned i = 0; i < n; i++) {
		struct storage_usage u;
		volumes_usage(v, all[i].name, &u);
		disk->sold += (int64_t)all[i].bytes;
		use(disk, u.used_bytes);
	}
}

/* One VE. */
static struct group measure(struct ve *v)
{
	struct group g = nothing;
	bool up = state_is_up(handle_state(v, NULL));
	struct storage_usage disk;
	struct cg_usage used = { .memory_bytes = -1 };
	disk_usage(v, &disk);
	if (up && ctx_cgroups(v->ctx, NULL) == 0)
		cg_host_usage(v->ctx->cg, handle_place(v).path, CG_USAGE_MEMORY, &used);
	g.ves = 1;
	g.running = up;
	sell(&g.cpu, cpu_limit(v->config));
	sell(&g.memory, config_int(v->config, "memory.limit"));
	sell(&g.disk, config_int(v->config, "disk.size"));
	g.memory.used = used.memory_bytes;
	g.disk.used = disk.used_bytes;
	measure_volumes(v, &g.disk);
	return g;
}

static struct group *group_called(struct groups *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->items[i].name, name))
			return &all->items[i];
	struct group *more = reallocarray(all->items, all->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	all->items = more;
	more[all->n] = nothing;
	more[all->n].name = strdup(name);
	return more[all->n].name ? &more[all->n++] : NULL;
}

/* NAME: NULL for those that have none. */
static int add_to(struct groups *all, const char *name, const struct group *g)
{
	struct group *to = group_called(all, name ? name : "");
	if (!to)
		return -ENOMEM;
	add(to, g);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return str_natural_cmp(x->name, y->name);
}

static void groups_done(struct groups *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->items[i].name);
	free(all->items);
}

static void sort(struct groups *all)
{
	if (all->n)
		qsort(all->items, all->n, sizeof(*all->items), by_name);
}

static int collect(struct ve_ctx *ctx, struct groups *by_template, struct groups *by_pool, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	int r = store_uuids(ctx->store, &uuids, ret_error);
	for (char **u = uuids; r == 0 && u && *u; u++) {
		_cleanup_ve_ struct ve *v = NULL;
		/* One that is being made, destroyed or damaged was sold to nobody. */
		if (handle_open_uuid(ctx, *u, &v, NULL) < 0 || !v->config || config_identity_int(v->config, "ephemeral"))
			continue;
		const struct group g = measure(v);
		if (add_to(by_template, config_string(v->config, "template"), &g) < 0 ||
		    add_to(by_pool, config_string(v->config, "pool"), &g) < 0)
			return err_nomem(ret_error);
	}
	sort(by_template);
	sort(by_pool);
	return r;
}

/* ---- the document ----------------------------------------------------------------------------------------------- */

static json_t *resource_doc(const struct resource *r, bool counted)
{
	json_t *doc = json_pack("{s:I,s:I}", "sold", (json_int_t)r->sold, "unlimited", (json_int_t)r->unlimited);
	if (counted)
		json_object_set_new(doc, "used", count_or_null(r->used));
	return doc;
}

static json_t *group_doc(const struct group *g)
{
	return json_pack("{s:I,s:I,s:o,s:o,s:o}", "ves", (json_int_t)g->ves, "running", (json_int_t)g->running, "cpu",
			 resource_doc(&g->cpu, false), "memory", resource_doc(&g->memory, true), "disk", resource_doc(&g->disk, true));
}

/* ---- pools ------------------------------------------------------------------------------------------------------ */

static void bound(struct resource *r, int64_t limit)
{
	if (limit == UNITS_UNLIMITED || (!r->unlimited && r->sold <= limit))
		return;
	r->sold = limit;
	r->unlimited = 0;
}

/* The VEs of one pool as a row of their own, and as a part of TOTAL. LIMITS: NULL for the VEs of none. */
static json_t *pool_doc(const struct group *g, const struct config *limits, struct group *total)
{
	struct group bounded = *g;
	json_t *row = group_doc(g);
	int64_t cpu = limits ? cpu_limit(limits) : UNITS_UNLIMITED, memory = limits ? config_int(limits, "memory.limit") : UNITS_UNLIMITED;
	bound(&bounded.cpu, cpu);
	bound(&bounded.memory, memory);
	add(total, &bounded);
	json_object_set_new(row, "pool", string_or_null(g->name));
	json_object_set_new(json_object_get(row, "cpu"), "limit", count_or_null(cpu == UNITS_UNLIMITED ? -1 : cpu));
	json_object_set_new(json_object_get(row, "memory"), "limit", count_or_null(memory == UNITS_UNLIMITED ? -1 : memory));
	return row;
}

static json_t *pools_doc(struct ve_ctx *ctx, const struct groups *by_pool, struct group *total)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < by_pool->n; i++) {
		const struct group *g = &by_pool->items[i];
		_cleanup_config_ struct config *limits = NULL;
		if (!*g->name) {
			add(total, g);
			continue;
		}
		/* One whose file is damaged bounds nothing that could be told. */
		tenantpool_load(ctx->store->etc_fd, g->name, &limits, NULL);
		json_array_append_new(rows, pool_doc(g, limits, total));
	}
	return rows;
}

static json_t *ratio(const struct resource *r, const json_t *there)
{
	json_int_t n = json_integer_value(there);
	return n > 0 ? json_real((double)r->sold / (double)n) : json_null();
}

int look_capacity(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error)
{
	struct group total = nothing;
	struct groups by_template = { 0 }, by_pool = { 0 };
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = collect(ctx, &by_template, &by_pool, ret_error);
	json_t *templates = json_array(), *host = r == 0 ? host_doc(ctx) : NULL, *pools = pools_doc(ctx, &by_pool, &total);
	for (size_t i = 0; i < by_template.n; i++) {
		json_t *row = group_doc(&by_template.items[i]);
		/* The VEs of run's kind have none; nor has one whose configuration came from elsewhere. */
		json_object_set_new(row, "template", string_or_null(*by_template.items[i].name ? by_template.items[i].name : NULL));
		json_array_append_new(templates, row);
	}
	groups_done(&by_template);
	groups_done(&by_pool);
	json_t *doc = host ? json_pack("{s:o,s:o,s:{s:o,s:o,s:o},s:O,s:O}", "host", host, "total", group_doc(&total), "ratio", "cpu",
				       ratio(&total.cpu, json_object_get(host, "cpu")), "memory",
				       ratio(&total.memory, json_object_get(host, "memory")), "disk",
				       ratio(&total.disk, json_object_get(host, "disk")), "templates", templates, "pools", pools) :
			     NULL;
	json_decref(templates);
	json_decref(pools);
	if (!doc)
		return r < 0 ? r : err_nomem(ret_error);
	*ret_doc = doc;
	return 0;
}
