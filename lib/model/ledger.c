/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fnv.h"
#include "model/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "sys/fastpath.h"

static const uint64_t HEAD_MAGIC = UINT64_C(0x6c65646765720001), WATCH_MAGIC = UINT64_C(0x7761746368000001),
		      FAST_MAGIC = UINT64_C(0x6661737400000001);
enum { HEAD_STEP = 4096, WATCH_AT = 8192, DAYS_AT = 16384, FAST_AT = 479232 };

_Static_assert(DAYS_AT + sizeof(struct ledger_day) * LEDGER_SLOTS * LEDGER_DAYS <= FAST_AT, "they have their places");

static uint64_t checksum(const void *data, size_t n)
{
	return fnv_add(FNV_BEGIN, data, n);
}

/* ---- arithmetic -------------------------------------------------------------------------------------- */

struct ledger_count ledger_growth(struct counter *seen, const struct counter *c)
{
	struct ledger_count grown = { c->packets, c->bytes };
	if (c->generation == 0)
		return (struct ledger_count){ 0 };
	if (c->generation == seen->generation && c->packets >= seen->packets && c->bytes >= seen->bytes)
		grown = (struct ledger_count){ c->packets - seen->packets, c->bytes - seen->bytes };
	*seen = *c;
	return grown;
}

void ledger_add(struct ledger_counts *sum, const struct ledger_counts *more)
{
	for (unsigned k = 0; k < COUNTER_KINDS; k++) {
		sum->of[k].packets += more->of[k].packets;
		sum->of[k].bytes += more->of[k].bytes;
	}
}

int ledger_slot_of(const struct ledger_head *h, unsigned label)
{
	for (int i = 0; i < LEDGER_SLOTS; i++)
		if (h->slots[i].label == label + 1)
			return i;
	return LEDGER_NO_SLOT;
}

/* The slot of LABEL, made where it has none. Those of KEEP are in use. */
static int slot_for(struct ledger_head *h, struct ledger_fast *fast, unsigned label, const struct ledger_reading *keep,
		    unsigned n_keep)
{
	int have = ledger_slot_of(h, label), best = 0;
	if (have >= 0)
		return have;
	uint32_t oldest = UINT32_MAX;
	for (int i = 0; i < LEDGER_SLOTS; i++) {
		bool used = false;
		for (unsigned k = 0; k < n_keep; k++)
			used |= h->slots[i].label == keep[k].label + 1;
		uint32_t age = h->slots[i].label ? h->slots[i].day + 1 : 0;
		if (!used && age < oldest) {
			oldest = age;
			best = i;
		}
	}
	h->slots[best] = (struct ledger_slot){ .label = label + 1 };
	memset(&fast->slots[best], 0, sizeof(fast->slots[best]));
	return best;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static bool read_at(int fd, void *data, size_t n, off_t at)
{
	return pread(fd, data, n, at) == (ssize_t)n;
}

static bool head_valid(const struct ledger_head *h)
{
	return h->magic == HEAD_MAGIC && h->sum == checksum(h, offsetof(struct ledger_head, sum));
}

int ledger_read(int fd, struct ledger_head *ret_head)
{
	struct ledger_head other;
	bool one = read_at(fd, ret_head, sizeof(*ret_head), 0) && head_valid(ret_head);
	bool two = read_at(fd, &other, sizeof(other), HEAD_STEP) && head_valid(&other);
	if (two && (!one || other.number > ret_head->number))
		*ret_head = other;
	return one || two ? 0 : -ENODATA;
}

static off_t fast_at(uint64_t number)
{
	return FAST_AT + (number % 2 ? HEAD_STEP : 0);
}

static bool fast_valid(const struct ledger_fast *f, const struct ledger_head *h)
{
	return f->magic == FAST_MAGIC && f->number <= h->number && f->sum == checksum(f, offsetof(struct ledger_fast, sum));
}

void ledger_read_fast(int fd, const struct ledger_head *h, struct ledger_fast *ret_fast)
{
	struct ledger_fast other;
	bool one = read_at(fd, ret_fast, sizeof(*ret_fast), fast_at(0)) && fast_valid(ret_fast, h);
	bool two = read_at(fd, &other, sizeof(other), fast_at(1)) && fast_valid(&other, h);
	if (two && (!one || other.number > ret_fast->number))
		*ret_fast = other;
	else if (!one)
		memset(ret_fast, 0, sizeof(*ret_fast));
}

int ledger_read_watch(int fd, struct ledger_watch *ret_watch)
{
	if (!read_at(fd, ret_watch, sizeof(*ret_watch), WATCH_AT) || ret_watch->magic != WATCH_MAGIC ||
	    ret_watch->n > LEDGER_SLOTS ||
	    ret_watch->sum != checksum(ret_watch, offsetof(struct ledger_watch, sum)))
		return -ENODATA;
	return 0;
}

static off_t day_at(int slot, uint32_t day)
{
	return DAYS_AT + (off_t)sizeof(struct ledger_day) * (slot * LEDGER_DAYS + (off_t)(day % LEDGER_DAYS));
}

/* The label is part of it: what the slot's last owner has left is nobody's. */
static uint32_t day_sum(const struct ledger_day *d, uint32_t label)
{
	struct {
		uint64_t label, day;
		struct ledger_counts counts;
	} all = { label, d->day, d->counts };
	return (uint32_t)checksum(&all, sizeof(all));
}

/* False where another day, or nothing, is in its place. */
static bool read_day(int fd, int slot, uint32_t label, uint32_t day, struct ledger_counts *ret)
{
	struct ledger_day d;
	if (!read_at(fd, &d, sizeof(d), day_at(slot, day)) || d.day != day || d.sum != day_sum(&d, label))
		return false;
	*ret = d.counts;
	return true;
}

int ledger_read_day(int fd, const struct ledger_head *h, int slot, uint32_t day, struct ledger_counts *ret)
{
	if (h->slots[slot].day == day)
		*ret = h->slots[slot].today;
	else if (!read_day(fd, slot, h->slots[slot].label, day, ret))
		return -ENODATA;
	return 0;
}

int ledger_period(int fd, const struct ledger_head *h, unsigned label, uint32_t from_day, uint32_t today,
		  uint64_t *ret_bytes)
{
	int slot = ledger_slot_of(h, label);
	struct ledger_counts day;
	uint64_t bytes = 0;
	uint32_t n = today >= from_day && today - from_day < LEDGER_DAYS ? today - from_day + 1 : 0;
	for (uint32_t i = 0; slot >= 0 && i < n; i++)
		if (ledger_read_day(fd, h, slot, from_day + i, &day) == 0)
			bytes += ledger_bytes(&day);
	*ret_bytes = bytes;
	return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static int write_at(int fd, const void *data, size_t n, off_t at)
{
	ssize_t k;
	do
		k = pwrite(fd, data, n, at);
	while (k < 0 && errno == EINTR);
	return k == (ssize_t)n ? 0 : k < 0 ? -errno : -ENOSPC;
}

static int lock_op(int fd, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };
	return fcntl(fd, F_OFD_SETLK, &l) < 0 ? (errno == EACCES ? -EAGAIN : -errno) : 0;
}

int ledger_lock(int fd)
{
	return lock_op(fd, F_WRLCK);
}

void ledger_unlock(int fd)
{
	lock_op(fd, F_UNLCK);
}

int ledger_write_watch(int fd, struct ledger_watch *watch)
{
	watch->magic = WATCH_MAGIC;
	watch->sum = checksum(watch, offsetof(struct ledger_watch, sum));
	return write_at(fd, watch, sizeof(*watch), WATCH_AT);
}

static int write_day(int fd, int slot, const struct ledger_slot *s)
{
	struct ledger_day d = { .day = s->day, .counts = s->today };
	d.sum = day_sum(&d, s->label);
	return write_at(fd, &d, sizeof(d), day_at(slot, d.day));
}

/* The slot's running day becomes TODAY. A day that is over goes to its place, where it may be written twice: what is
 * there is absolute. A clock that was set back takes along what it had counted under a day that has not come yet. */
static int turn_day(int fd, int slot, struct ledger_slot *s, uint32_t today)
{
	struct ledger_counts before = { 0 };
	if (s->day == today)
		return 0;
	int r = s->day < today && s->day ? write_day(fd, slot, s) : 0;
	if (r < 0)
		return r;
	read_day(fd, slot, s->label, today, &before);
	if (s->day > today)
		ledger_add(&before, &s->today);
	s->day = today;
	s->today = before;
	return 0;
}

static bool is_zero(const struct ledger_counts *c)
{
	uint64_t any = 0;
	for (unsigned k = 0; k < COUNTER_KINDS; k++)
		any |= c->of[k].packets | c->of[k].bytes;
	return any == 0;
}

/* What C has grown beyond SEEN. *RET_ANEW: it is another counter, or was reset: to be noted also where nothing has come since, as
 * what comes next might grow beyond what was seen before. */
static struct ledger_count grow(struct counter *seen, const struct counter *c, bool *ret_anew)
{
	*ret_anew |= c->generation && (c->generation != seen->generation || c->packets < seen->packets);
	return ledger_growth(seen, c);
}

/* Adds one reading to H and FAST. RET_CHANGED: they are others than they were. */
static int book_one(int fd, struct ledger_head *h, struct ledger_fast *fast, uint32_t today, const struct ledger_reading *all,
		    unsigned n, unsigned which, bool *ret_changed)
{
	int slot = slot_for(h, fast, all[which].label, all, n);
	struct ledger_slot *s = &h->slots[slot];
	struct ledger_counts grown = { 0 }, by_fast_path = { 0 };
	bool anew = false;
	for (unsigned k = 0; k < COUNTER_KINDS; k++) {
		grown.of[k] = grow(&s->seen[k], &all[which].now[k], &anew);
		by_fast_path.of[k] = grow(&fast->slots[slot].seen[k], &all[which].fast[k], &anew);
	}
	ledger_add(&grown, &by_fast_path);
	if (is_zero(&grown) && !anew)
		return 0;
	int r = turn_day(fd, slot, s, today);
	ledger_add(&s->today, &grown);
	ledger_add(&s->total, &grown);
	ledger_add(&h->total, &grown);
	*ret_changed = true;
	return r;
}

/* The head last: with it both count. What the disk has of the two after the host has died does not matter: the kernel's counters
 * are others then. */
static int write_both(int fd, struct ledger_head *h, struct ledger_fast *fast)
{
	h->sum = checksum(h, offsetof(struct ledger_head, sum));
	fast->magic = FAST_MAGIC;
	fast->number = h->number;
	fast->sum = checksum(fast, offsetof(struct ledger_fast, sum));
	int r = write_at(fd, fast, sizeof(*fast), fast_at(fast->number));
	if (r == 0)
		r = write_at(fd, h, sizeof(*h), h->number % 2 ? HEAD_STEP : 0);
	return r == 0 && fdatasync(fd) < 0 ? -errno : r;
}

int ledger_book(int fd, int64_t now, const struct ledger_reading *readings, unsigned n)
{
	struct ledger_head h;
	struct ledger_fast fast = { 0 };
	bool changed = false;
	int r = 0;
	if (ledger_read(fd, &h) < 0) {
		memset(&h, 0, sizeof(h));
		h.magic = HEAD_MAGIC;
		h.since = now;
	} else {
		ledger_read_fast(fd, &h, &fast);
	}
	for (unsigned i = 0; i < n && r == 0; i++)
		r = book_one(fd, &h, &fast, ledger_today(now), readings, n, i, &changed);
	if (r < 0 || !changed)
		return r;
	h.number++;
	h.saved_at = now;
	return write_both(fd, &h, &fast);
}

void ledger_since(const struct ledger_head *h, const struct ledger_fast *fast, const struct ledger_reading *r,
		  struct ledger_counts *ret)
{
	int slot = ledger_slot_of(h, r->label);
	for (unsigned k = 0; k < COUNTER_KINDS; k++) {
		struct counter seen = slot >= 0 ? h->slots[slot].seen[k] : (struct counter){ 0 };
		struct counter fast_seen = slot >= 0 ? fast->slots[slot].seen[k] : (struct counter){ 0 };
		struct ledger_count more = ledger_growth(&fast_seen, &r->fast[k]);
		ret->of[k] = ledger_growth(&seen, &r->now[k]);
		ret->of[k].packets += more.packets;
		ret->of[k].bytes += more.bytes;
	}
}

int ledger_look(const struct ledger_watch *w, struct ledger_reading ret[LEDGER_SLOTS])
{
	if (w->n == 0)
		return 0;
	struct fastpath_maps fast;
	int sock = counters_open(), r = 0;
	if (sock < 0)
		return sock;
	fastpath_open(&fast);
	for (uint64_t i = 0; i < w->n && r == 0; i++) {
		ret[i].label = w->of[i].label;
		r = counters_read(sock, w->of[i].family, w->of[i].ifname, ret[i].now);
		fastpath_read(&fast, w->of[i].ifname, ret[i].fast);
	}
	fastpath_close(&fast);
	close(sock);
	return r;
}

int ledger_account(int fd, int64_t now)
{
	struct ledger_watch w;
	struct ledger_reading readings[LEDGER_SLOTS];
	int r = ledger_lock(fd);
	if (r < 0)
		return r;
	if (ledger_read_watch(fd, &w) == 0) {
		r = ledger_look(&w, readings);
		if (r == 0)
			r = ledger_book(fd, now, readings, (unsigned)w.n);
	}
	ledger_unlock(fd);
	return r;
}

bool ledger_quota_due(int fd, int64_t now)
{
	struct ledger_watch w;
	struct ledger_head h;
	uint32_t today = ledger_today(now);
	uint64_t bytes;
	if (ledger_read_watch(fd, &w) < 0 || ledger_read(fd, &h) < 0)
		return false;
	for (uint64_t i = 0; i < w.n; i++) {
		const struct ledger_watched *q = &w.of[i];
		if (q->quota == 0)
			continue;
		ledger_period(fd, &h, q->label, q->from_day, today, &bytes);
		if (today < q->from_day || today >= q->til_day || (bytes >= q->quota) != !!q->spent)
			return true;
	}
	return false;
}
