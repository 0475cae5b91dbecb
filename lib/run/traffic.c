/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents about traffic: what the ledgers hold, and what the kernel has counted since. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "run/account.h"
#include "run/verbs.h"

/* Days since 1970, the last one not included. */
struct month {
	char name[24];
	uint32_t first, end;
	int64_t now;
};

static int month_of(const char *text, struct month *ret, ve_error **ret_error)
{
	time_t now = time(NULL);
	struct tm tm;
	int year, month, end = 0;
	gmtime_r(&now, &tm);
	if (!text) {
		year = tm.tm_year + 1900;
		month = tm.tm_mon + 1;
	} else if (strlen(text) != 7 || sscanf(text, "%4d-%2d%n", &year, &month, &end) != 2 || end != 7 || year < 1970 ||
		   month < 1 || month > 12) {
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "traffic", "'%s' is no month: YYYY-MM, as 2026-01", text);
	}
	*ret = (struct month){ .now = now };
	snprintf(ret->name, sizeof(ret->name), "%04d-%02d", year, month);
	/* timegm(3) takes month 12 for the next January. */
	struct tm first = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1 }, next = first;
	next.tm_mon++;
	ret->first = ledger_today(timegm(&first));
	ret->end = ledger_today(timegm(&next));
	return 0;
}

/* ---- one VE's figures ---- */

struct figures {
	int fd;
	bool there; /* there is a ledger with something in it */
	struct ledger_head head;
	struct ledger_fast fast;
	struct ledger_reading live[LEDGER_SLOTS]; /* counters as they are now */
	unsigned n_live;
};

static void figures_open(struct ve_ctx *ctx, const char *uuid, struct figures *f)
{
	struct ledger_watch w;
	*f = (struct figures){ .fd = account_open(ctx->store, uuid, false) };
	if (f->fd < 0)
		return;
	/* The ledger before the counters: a counter smaller than what is booked would look as if it had been reset. */
	if (ledger_read(f->fd, &f->head) < 0)
		memset(&f->head, 0, sizeof(f->head));
	ledger_read_fast(f->fd, &f->head, &f->fast);
	if (ledger_read_watch(f->fd, &w) == 0 && ledger_look(&w, f->live) == 0)
		f->n_live = (unsigned)w.n;
}

static void figures_close(struct figures *f)
{
	close_fd(&f->fd);
}
#define _cleanup_figures_ __attribute__((cleanup(figures_close)))

/* What LABEL (-1: all) has counted since the last booking. */
static void unbooked(const struct figures *f, int label, struct ledger_counts *sum)
{
	struct ledger_counts more;
	for (unsigned i = 0; i < f->n_live; i++) {
		if (label >= 0 && f->live[i].label != (unsigned)label)
			continue;
		ledger_since(&f->head, &f->fast, &f->live[i], &more);
		ledger_add(sum, &more);
	}
}

/* Adds what LABEL (-1: all) has counted on DAY. Was there anything? */
static bool add_day(const struct figures *f, const struct month *m, int label, uint32_t day, struct ledger_counts *sum)
{
	struct ledger_counts one;
	bool any = false;
	for (int s = 0; s < LEDGER_SLOTS; s++) {
		uint32_t owner = f->head.slots[s].label;
		if (owner == 0 || (label >= 0 && owner != (uint32_t)label + 1) ||
		    ledger_read_day(f->fd, &f->head, s, day, &one) < 0)
			continue;
		ledger_add(sum, &one);
		any = true;
	}
	if (day == ledger_today(m->now)) {
		unbooked(f, label, sum);
		any = any || f->n_live > 0;
	}
	return any;
}

static void add_month(const struct figures *f, const struct month *m, int label, struct ledger_counts *sum)
{
	uint32_t today = ledger_today(m->now);
	for (uint32_t day = m->first; day < m->end && f->fd >= 0; day++)
		if (day + LEDGER_DAYS > today)
			add_day(f, m, label, day, sum);
}

void traffic_month(struct ve *v, int64_t *ret_in, int64_t *ret_out)
{
	_cleanup_figures_ struct figures f;
	struct ledger_counts sum = { 0 };
	struct month m;
	figures_open(v->ctx, v->uuid, &f);
	if (month_of(NULL, &m, NULL) == 0)
		add_month(&f, &m, -1, &sum);
	*ret_in = (int64_t)(sum.of[COUNTER_IN4].bytes + sum.of[COUNTER_IN6].bytes);
	*ret_out = (int64_t)(sum.of[COUNTER_OUT4].bytes + sum.of[COUNTER_OUT6].bytes);
}

/* ---- documents ---- */

static json_t *count_json(const struct ledger_count *c)
{
	return json_pack("{s:I,s:I}", "bytes", (json_int_t)c->bytes, "packets", (json_int_t)c->packets);
}

static json_t *way_json(const struct ledger_count *v4, const struct ledger_count *v6)
{
	struct ledger_count both = { v4->packets + v6->packets, v4->bytes + v6->bytes };
	return json_pack("{s:I,s:I,s:o,s:o}", "bytes", (json_int_t)both.bytes, "packets", (json_int_t)both.packets, "ipv4",
			 count_json(v4), "ipv6", count_json(v6));
}

/* "in" and "out" of SUM, put into DOC. */
static void put_ways(json_t *doc, const struct ledger_counts *sum)
{
	json_object_set_new(doc, "in", way_json(&sum->of[COUNTER_IN4], &sum->of[COUNTER_IN6]));
	json_object_set_new(doc, "out", way_json(&sum->of[COUNTER_OUT4], &sum->of[COUNTER_OUT6]));
}

static json_t *day_json(uint32_t day)
{
	char text[16];
	time_t t = (time_t)day * 86400;
	struct tm tm;
	strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&t, &tm));
	return json_string(text);
}

static json_t *time_json(int64_t seconds)
{
	char text[CLOCK_TEXT_SIZE];
	return seconds ? json_string(clock_text(seconds, text)) : json_null();
}

static json_t *quota_json(struct ve *v, unsigned label, int64_t now)
{
	struct quota q;
	char key[48];
	if (!v->config)
		return json_null();
	account_quota(v->ctx->store, v->config, label, now, &q);
	if (q.limit == 0)
		return json_null();
	snprintf(key, sizeof(key), "network.%u.quota_action", label);
	return json_pack("{s:I,s:I,s:s,s:b,s:o,s:o,s:o}", "limit", (json_int_t)q.limit, "used", (json_int_t)q.used, "action",
			 config_string(v->config, key), "spent", q.spent, "since", time_json(q.since), "from",
			 day_json(q.from_day), "until", day_json(q.til_day));
}

json_t *traffic_quotas(struct ve *v)
{
	unsigned labels[LEDGER_SLOTS];
	json_t *list = json_array();
	int n = v->config ? config_networks(v->config, labels, LEDGER_SLOTS) : 0;
	for (int i = 0; i < n; i++) {
		json_t *one = quota_json(v, labels[i], time(NULL));
		if (json_is_object(one))
			json_object_set_new(one, "label", json_integer(labels[i]));
		if (json_is_object(one))
			json_array_append(list, one);
		json_decref(one);
	}
	return list;
}

static int compare_labels(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* All labels that have a slot or a counter, ascending. */
static unsigned labels_of(const struct figures *f, uint32_t labels[2 * LEDGER_SLOTS])
{
	unsigned n = 0, unique = 0;
	for (unsigned s = 0; s < LEDGER_SLOTS; s++)
		if (f->head.slots[s].label)
			labels[n++] = f->head.slots[s].label - 1;
	for (unsigned i = 0; i < f->n_live; i++)
		labels[n++] = f->live[i].label;
	qsort(labels, n, sizeof(labels[0]), compare_labels);
	for (unsigned i = 0; i < n; i++)
		if (unique == 0 || labels[unique - 1] != labels[i])
			labels[unique++] = labels[i];
	return unique;
}

static json_t *interfaces_json(struct ve *v, const struct figures *f, const struct month *m)
{
	uint32_t labels[2 * LEDGER_SLOTS];
	json_t *list = json_array();
	unsigned n = labels_of(f, labels);
	for (unsigned i = 0; i < n; i++) {
		struct ledger_counts sum = { 0 };
		add_month(f, m, (int)labels[i], &sum);
		json_t *one = json_pack("{s:i,s:o}", "label", (int)labels[i], "quota", quota_json(v, labels[i], m->now));
		put_ways(one, &sum);
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *days_json(const struct figures *f, const struct month *m)
{
	json_t *list = json_array();
	uint32_t today = ledger_today(m->now);
	for (uint32_t day = m->first; day < m->end && f->fd >= 0; day++) {
		struct ledger_counts sum = { 0 };
		if (day + LEDGER_DAYS <= today || !add_day(f, m, -1, day, &sum))
			continue;
		json_t *one = json_pack("{s:o}", "date", day_json(day));
		put_ways(one, &sum);
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *ve_json(struct ve *v, const struct month *m, bool days)
{
	_cleanup_figures_ struct figures f;
	struct ledger_counts sum = { 0 };
	figures_open(v->ctx, v->uuid, &f);
	add_month(&f, m, -1, &sum);
	json_t *doc = json_pack("{s:s,s:s}", "name", v->name, "uuid", v->uuid), *total = json_object();
	put_ways(doc, &sum);
	sum = f.head.total;
	unbooked(&f, -1, &sum);
	put_ways(total, &sum);
	json_object_set_new(doc, "total", total);
	json_object_set_new(doc, "since", time_json(f.head.since));
	json_object_set_new(doc, "saved_at", time_json(f.head.saved_at));
	json_object_set_new(doc, "interfaces", interfaces_json(v, &f, m));
	if (days)
		json_object_set_new(doc, "days", days_json(&f, m));
	return doc;
}

/* In the order of a list: by name, as people count. */
static int compare_names(const void *a, const void *b)
{
	return str_natural_cmp(json_string_value(json_object_get(*(json_t *const *)a, "name")),
			       json_string_value(json_object_get(*(json_t *const *)b, "name")));
}

static int all_ves(struct ve_ctx *ctx, const struct month *m, json_t *list, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	int r = store_uuids(ctx->store, &uuids, ret_error);
	if (r < 0)
		return r;
	_cleanup_free_ json_t **docs = calloc(strv_length((const char *const *)uuids) + 1, sizeof(*docs));
	size_t n = 0;
	if (!docs)
		return err_nomem(ret_error);
	for (char **u = uuids; u && *u; u++) {
		_cleanup_ve_ struct ve *v = NULL;
		/* One that is being made or removed has no traffic. */
		if (handle_open_uuid(ctx, *u, &v, NULL) == 0 && v->config)
			docs[n++] = ve_json(v, m, false);
	}
	qsort(docs, n, sizeof(docs[0]), compare_names);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, docs[i]);
	return 0;
}

int look_traffic(struct ve_ctx *ctx, struct ve *only, const char *month, json_t **ret_doc, ve_error **ret_error)
{
	struct month m;
	int r = ctx_open(ctx, false, ret_error);
	if (r == 0)
		r = month_of(month, &m, ret_error);
	if (r < 0)
		return r;
	json_t *list = json_array(), *doc = json_pack("{s:s,s:o}", "month", m.name, "ves", list);
	if (!doc)
		return err_nomem(ret_error);
	if (only)
		json_array_append_new(list, ve_json(only, &m, true));
	else
		r = all_ves(ctx, &m, list, ret_error);
	if (r < 0)
		json_decref(doc);
	else
		*ret_doc = doc;
	return r;
}
