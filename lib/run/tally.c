/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   {"life": "BOOT-ID:GROUP", "last": {...}, "past": {...}}
 *
 * LAST is what the life called LIFE had counted when it was saved last, PAST the sum of all before it. A save of the same
 * life replaces LAST; one of another life first adds LAST to PAST.
 */
#include "run/tally.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bootid.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/plan.h"

#define FILE_NAME "counters.json"
enum { FILE_MAX = 65536, LIFE_MAX = 64 };

static const struct kept {
	const char *name;
	size_t offset;
	bool is_peak;
} kept[] = {
#define KEPT(field, is_peak) { #field, offsetof(struct cg_counters, field), is_peak }
	KEPT(memory_peak_bytes, true),
	KEPT(memory_kills, false),
	KEPT(swap_peak_bytes, true),
	KEPT(swap_refused, false),
	KEPT(hugepages_refused, false),
	KEPT(pids_peak, true),
	KEPT(pids_refused, false),
	KEPT(cpu_ns, false),
	KEPT(cpu_throttled, false),
	KEPT(io_read_bytes, false),
	KEPT(io_written_bytes, false),
	KEPT(io_reads, false),
	KEPT(io_writes, false),
#undef KEPT
};

static int64_t *field_of(struct cg_counters *c, const struct kept *k)
{
	return (int64_t *)((char *)c + k->offset);
}

/* -1 is "not counted": it adds nothing. */
static void add(struct cg_counters *sum, struct cg_counters *more)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		int64_t *to = field_of(sum, &kept[i]), from = *field_of(more, &kept[i]);
		if (from < 0)
			continue;
		if (*to < 0)
			*to = from;
		else if (kept[i].is_peak)
			*to = from > *to ? from : *to;
		else if (__builtin_add_overflow(*to, from, to))
			*to = INT64_MAX;
	}
}

static void from_json(const json_t *j, struct cg_counters *ret)
{
	cg_counters_init(ret);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const json_t *n = json_object_get(j, kept[i].name);
		if (json_is_integer(n) && json_integer_value(n) >= 0)
			*field_of(ret, &kept[i]) = json_integer_value(n);
	}
}

static json_t *to_json(struct cg_counters *c)
{
	json_t *j = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (*field_of(c, &kept[i]) >= 0)
			json_object_set_new(j, kept[i].name, json_integer(*field_of(c, &kept[i])));
	return j;
}

/* The lives that are over, when the one called LIFE is there; "": none is. */
static void read_past(struct ve *v, const char *life, struct cg_counters *ret_past)
{
	struct cg_counters last;
	_cleanup_free_ char *text = NULL;
	cg_counters_init(ret_past);
	if (file_read(v->dir_fd, FILE_NAME, FILE_MAX, &text, NULL) < 0)
		return;
	json_t *j = json_loads(text, 0, NULL);
	from_json(json_object_get(j, "past"), ret_past);
	from_json(json_object_get(j, "last"), &last);
	if (!str_eq(json_string_value(json_object_get(j, "life")), life))
		add(ret_past, &last);
	json_decref(j);
}

static void life_name(const struct cg_counters *c, char ret_name[LIFE_MAX])
{
	const char *boot;
	ret_name[0] = '\0';
	if (c->life && boot_id(&boot) == 0)
		snprintf(ret_name, LIFE_MAX, "%s:%" PRIu64, boot, c->life);
}

void tally_now(struct ve *v, struct cg_counters *ret_now)
{
	struct cg_limits disks = { 0 };
	cg_counters_init(ret_now);
	if (ctx_cgroups(v->ctx, NULL) < 0)
		return;
	plan_disks(&disks, (const int[]){ v->dir_fd, v->ctx->store->images_fd }, 2);
	cg_host_counters(v->ctx->cg, handle_place(v).path, disks.disks, disks.n_disks, ret_now);
}

void tally_total(struct ve *v, const struct cg_counters *now, struct cg_counters *ret_total)
{
	struct cg_counters live = *now;
	char life[LIFE_MAX];
	life_name(now, life);
	read_past(v, life, ret_total);
	add(ret_total, &live);
}

void tally_save(struct ve *v)
{
	struct cg_counters now, past;
	char life[LIFE_MAX];
	if (v->dir_fd < 0 || !v->config || config_identity_int(v->config, "ephemeral"))
		return;
	tally_now(v, &now);
	life_name(&now, life);
	if (!*life)
		return;
	read_past(v, life, &past);
	json_t *j = json_pack("{s:s,s:o,s:o}", "life", life, "last", to_json(&now), "past", to_json(&past));
	_cleanup_free_ char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	if (text)
		file_replace(v->dir_fd, FILE_NAME, text, strlen(text), 0600, false);
	json_decref(j);
}
