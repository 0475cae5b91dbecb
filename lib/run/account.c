/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "run/plan.h"
#include "run/verbs.h"

enum { LOCK_TRIES = 200, LOCK_PAUSE_MS = 10 };

uint32_t account_interval_ms(void)
{
#ifdef VE_FAULTS
	const char *shorter = secure_getenv("VE_ACCOUNT_MS"); /* tests have no minutes */
	if (shorter && atoi(shorter) > 0)
		return (uint32_t)atoi(shorter);
#endif
	return 60000;
}

int account_open(struct store *s, const char *uuid, bool make)
{
	_cleanup_close_ int dir = -1;
	int r = store_open_ve(s, uuid, &dir, NULL);
	if (r < 0)
		return r;
	int fd = openat(dir, "traffic", O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
	return fd < 0 ? -errno : fd;
}

/* The other writer is the monitor, for a moment each minute. */
static int lock(int fd)
{
	int r = ledger_lock(fd);
	for (int i = 0; r == -EAGAIN && i < LOCK_TRIES; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_MS * 1000000L }, NULL);
		r = ledger_lock(fd);
	}
	return r;
}

/* ---- quotas: how they stand ---- */

static int64_t int_of(const struct config *c, unsigned label, const char *what)
{
	char key[64];
	snprintf(key, sizeof(key), "network.%u.%s", label, what);
	return config_int(c, key);
}

static uint32_t day_of(int year, int month, unsigned day)
{
	struct tm tm = { .tm_year = year, .tm_mon = month, .tm_mday = (int)day };
	return ledger_today(timegm(&tm));
}

void account_period(int64_t now, unsigned day, uint32_t *ret_from, uint32_t *ret_til)
{
	time_t t = now > 0 ? (time_t)now : 0;
	struct tm tm;
	gmtime_r(&t, &tm);
	/* timegm(3) takes month -1 and 12 for December and January. */
	int month = tm.tm_mon - (tm.tm_mday < (int)day);
	*ret_from = day_of(tm.tm_year, month, day);
	*ret_til = day_of(tm.tm_year, month + 1, day);
}

static const struct ledger_watched *watched(const struct ledger_watch *w, unsigned label)
{
	for (uint64_t i = 0; i < w->n; i++)
		if (w->of[i].label == label)
			return &w->of[i];
	return NULL;
}

/* Since when the action of LABEL's quota has been taken, 0: it has not. */
static int64_t spent_at(int fd, unsigned label)
{
	struct ledger_watch w;
	const struct ledger_watched *one = ledger_read_watch(fd, &w) < 0 ? NULL : watched(&w, label);
	return one && one->spent ? one->spent_at : 0;
}

static void quota_of(int fd, const struct config *c, unsigned label, int64_t now, struct quota *ret)
{
	struct ledger_head h;
	int64_t limit = int_of(c, label, "quota");
	*ret = (struct quota){ 0 };
	if (limit <= 0 || limit == UNITS_UNLIMITED)
		return;
	ret->limit = (uint64_t)limit;
	account_period(now, (unsigned)int_of(c, label, "quota_day"), &ret->from_day, &ret->til_day);
	if (fd >= 0 && ledger_read(fd, &h) == 0)
		ledger_period(fd, &h, label, ret->from_day, ledger_today(now), &ret->used);
	ret->spent = ret->used >= ret->limit;
	ret->since = ret->spent && fd >= 0 ? spent_at(fd, label) : 0;
}

void account_quota(struct store *s, const struct config *c, unsigned label, int64_t now, struct quota *ret)
{
	*ret = (struct quota){ 0 };
	if (int_of(c, label, "quota") == UNITS_UNLIMITED)
		return;
	_cleanup_close_ int fd = account_open(s, config_uuid(c), false);
	quota_of(fd, c, label, now, ret);
}

static uint64_t slower(uint64_t a, uint64_t b)
{
	return a && a < b ? a : b;
}

void account_restrict(struct store *s, const struct config *c, struct net_if *nif)
{
	struct quota q;
	char key[64];
	account_quota(s, c, nif->label, time(NULL), &q);
	if (!q.spent)
		return;
	snprintf(key, sizeof(key), "network.%u.quota_action", nif->label);
	const char *action = config_string(c, key);
	if (str_eq(action, "throttle")) {
		uint64_t rate = (uint64_t)int_of(c, nif->label, "quota_rate");
		nif->rate_in = slower(nif->rate_in, rate);
		nif->rate_out = slower(nif->rate_out, rate);
	} else if (str_eq(action, "block")) {
		nif->blocked = true;
	}
}

/* ---- what is watched ---- */

static void note(struct ve *v, const char *event, unsigned label, const struct quota *q)
{
	char detail[160];
	snprintf(detail, sizeof(detail), "network.%u: %llu of %llu bytes", label, (unsigned long long)q->used,
		 (unsigned long long)q->limit);
	event_log(v->ctx, event, v->name, v->uuid, detail);
}

/* The watch for NET's interfaces; what stands otherwise than in OLD is told. RET_CHANGED: something does. */
static void make_watch(struct ve *v, int fd, const struct config *c, const struct net_plan *net,
		       const struct ledger_watch *old, struct ledger_watch *ret, bool *ret_changed)
{
	int64_t now = time(NULL);
	*ret = (struct ledger_watch){ 0 };
	for (unsigned k = 0; k < net->n_ifs && ret->n < LEDGER_SLOTS; k++) {
		const struct net_if *i = &net->ifs[k];
		const struct ledger_watched *before = watched(old, i->label);
		struct ledger_watched *w = &ret->of[ret->n++];
		struct quota q;
		quota_of(fd, c, i->label, now, &q);
		*w = (struct ledger_watched){ .label = i->label, .family = net_table_family(i), .quota = q.limit,
					      .from_day = q.from_day, .til_day = q.til_day, .spent = q.spent };
		net_if_name(net->link_id, i->label, w->ifname);
		if (q.spent == (before && before->spent)) {
			w->spent_at = before ? before->spent_at : 0;
			continue;
		}
		w->spent_at = q.spent ? (uint32_t)now : 0;
		*ret_changed = true;
		note(v, q.spent ? "quota-spent" : "quota-lifted", i->label, &q);
	}
}

/* Under the ledger's lock. */
static int rewrite_watch(struct ve *v, int fd, const struct config *c, const struct net_plan *net, bool *ret_changed)
{
	struct ledger_watch old = { 0 }, fresh;
	*ret_changed = false;
	if (ledger_read_watch(fd, &old) < 0)
		old.n = 0;
	make_watch(v, fd, c, net, &old, &fresh, ret_changed);
	return ledger_write_watch(fd, &fresh);
}

static int bring_watch(struct ve *v, int fd, const struct config *c, const struct net_plan *net, bool *ret_changed,
		       ve_error **ret_error)
{
	int r = lock(fd);
	if (r == 0) {
		r = rewrite_watch(v, fd, c, net, ret_changed);
		ledger_unlock(fd);
	}
	return r < 0 ? err_sys(ret_error, -r, "traffic", "cannot write the traffic ledger of '%s'", v->name) : 0;
}

int account_begin(struct ve *v, int fd, const struct config *c, const struct net_plan *net, ve_error **ret_error)
{
	bool changed;
	return bring_watch(v, fd, c, net, &changed, ret_error);
}

void account_book(struct ve *v)
{
	_cleanup_close_ int fd = account_open(v->ctx->store, v->uuid, false);
	if (fd < 0 || lock(fd) < 0)
		return;
	ledger_account(fd, time(NULL)); /* gives the lock back */
}

void account_end(struct ve *v, struct net_plan *net)
{
	_cleanup_close_ int fd = account_open(v->ctx->store, v->uuid, false);
	struct ledger_watch w;
	struct ledger_reading readings[LEDGER_SLOTS];
	if (fd < 0 || lock(fd) < 0)
		return;
	if (ledger_read_watch(fd, &w) < 0)
		w.n = 0;
	if (w.n > 0 && ledger_look(&w, readings) == 0)
		ledger_book(fd, time(NULL), readings, (unsigned)w.n);
	for (unsigned k = 0; k < net->n_ifs; k++) {
		const struct ledger_watched *one = watched(&w, net->ifs[k].label);
		net->ifs[k].blocked |= one && one->spent;
	}
	ledger_unlock(fd);
}

int account_watch(struct ve *v, const struct config *c, const struct net_plan *net, bool *ret_changed,
		  ve_error **ret_error)
{
	_cleanup_close_ int fd = account_open(v->ctx->store, v->uuid, false);
	bool changed = false;
	/* None is kept of a jail, or of a VE without network. */
	int r = fd < 0 ? 0 : bring_watch(v, fd, c, net, &changed, ret_error);
	if (r == 0 && ret_changed)
		*ret_changed = changed;
	return r;
}

/* ---- the monitor says that a quota is due ---- */

static int settle_locked(struct ve *v, ve_error **ret_error)
{
	_cleanup_config_ struct config *running = NULL;
	struct net_plan net;
	struct net_if ifs[PLAN_MAX_IFS];
	enum ve_state s = handle_state(v, NULL);
	bool changed;
	if (s != STATE_RUNNING && s != STATE_FROZEN)
		return 0; /* it has ended meanwhile: the next start looks by itself */
	int r = handle_running_config(v, &running, ret_error);
	if (r == 0)
		r = ctx_host(v->ctx, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, running, ifs, &net, ret_error);
	if (r < 0)
		return r;
	/* The kernel first: where that fails, the next minute finds the quota due again. */
	r = net_restrict(&net, ret_error);
	if (r == 0)
		r = account_watch(v, running, &net, &changed, ret_error);
	plan_network_done(&net);
	return r;
}

int verb_quota(struct ve_ctx *ctx, const char *uuid, ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = NULL;
	int r = handle_take(ctx, uuid, "quota", &v, ret_error);
	if (r < 0)
		return r;
	r = settle_locked(v, ret_error);
	handle_unlock(v);
	return r;
}
