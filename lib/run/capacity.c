/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was sold against what is there: CPU, memory and disk, in all and by template. What a VE is sold is what its limits let it
 * use; a VE without such a limit is counted apart, for it was sold everything.
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
#include "model/units.h"
#include "run/disk.h"
#include "run/ornull.h"
#include "run/verbs.h"

struct resource {
	int64_t sold, unlimited; /* the sum of the limits; how many VEs have none */
	int64_t used;		 /* -1: nobody has counted any */
};

struct group {
	char *name;
	int64_t ves, running;
	struct resource cpu, memory, disk; /* millicores (used: none), bytes, bytes */
};

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

static void count(struct ve *v, struct group *g)
{
	enum ve_state s = handle_state(v, NULL);
	bool up = s == STATE_RUNNING || s == STATE_FROZEN || s == STATE_STOPPING;
	struct storage_usage disk;
	struct cg_usage used = { .memory_bytes = -1 };
	disk_usage(v, &disk);
	if (up && ctx_cgroups(v->ctx, NULL) == 0)
		cg_host_usage(v->ctx->cg, handle_place(v).path, CG_USAGE_MEMORY, &used);
	g->ves++;
	g->running += up;
	sell(&g->cpu, cpu_limit(v->config));
	sell(&g->memory, config_int(v->config, "memory.limit"));
	sell(&g->disk, config_int(v->config, "disk.size"));
	use(&g->memory, used.memory_bytes);
	use(&g->disk, disk.used_bytes);
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
	more[all->n] = (struct group){ .name = strdup(name), .memory.used = -1, .disk.used = -1 };
	return more[all->n].name ? &more[all->n++] : NULL;
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

static int collect(struct ve_ctx *ctx, struct group *total, struct groups *by_template, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	int r = store_uuids(ctx->store, &uuids, ret_error);
	for (char **u = uuids; r == 0 && u && *u; u++) {
		_cleanup_ve_ struct ve *v = NULL;
		/* One that is being made, destroyed or damaged was sold to nobody. */
		if (handle_open_uuid(ctx, *u, &v, NULL) < 0 || !v->config || config_identity_int(v->config, "ephemeral"))
			continue;
		const char *name = config_string(v->config, "template");
		struct group *g = group_called(by_template, name ? name : "");
		if (!g)
			return err_nomem(ret_error);
		count(v, g);
		count(v, total);
	}
	if (by_template->n)
		qsort(by_template->items, by_template->n, sizeof(*by_template->items), by_name);
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

static json_t *ratio(const struct resource *r, const json_t *there)
{
	json_int_t n = json_integer_value(there);
	return n > 0 ? json_real((double)r->sold / (double)n) : json_null();
}

int look_capacity(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error)
{
	struct group total = { .memory.used = -1, .disk.used = -1 };
	struct groups by_template = { 0 };
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = collect(ctx, &total, &by_template, ret_error);
	json_t *templates = json_array(), *host = r == 0 ? host_doc(ctx) : NULL;
	for (size_t i = 0; i < by_template.n; i++) {
		json_t *row = group_doc(&by_template.items[i]);
		/* The VEs of run's kind have none; nor has one whose configuration came from elsewhere. */
		json_object_set_new(row, "template", string_or_null(*by_template.items[i].name ? by_template.items[i].name : NULL));
		json_array_append_new(templates, row);
	}
	groups_done(&by_template);
	json_t *doc = host ? json_pack("{s:o,s:o,s:{s:o,s:o,s:o},s:O}", "host", host, "total", group_doc(&total), "ratio", "cpu",
				       ratio(&total.cpu, json_object_get(host, "cpu")), "memory",
				       ratio(&total.memory, json_object_get(host, "memory")), "disk",
				       ratio(&total.disk, json_object_get(host, "disk")), "templates", templates) :
			     NULL;
	json_decref(templates);
	if (!doc)
		return r < 0 ? r : err_nomem(ret_error);
	*ret_doc = doc;
	return 0;
}
