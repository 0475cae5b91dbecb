/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's ledger: what its interfaces have sent and received, in the file "traffic" of its directory. The monitor adds
 * the growth of the kernel's counters once a minute, libve a last time when the VE ends; so nothing here allocates.
 *
 *       0  struct ledger_head   two of them, written in turn; the valid one with the higher number counts. It holds the
 *    4096  struct ledger_head   counters as last seen, the totals and the running day: one write brings all, or none
 *    8192  struct ledger_watch  which interfaces are counted, and where their quotas stand; libve's to write
 *   16384  struct ledger_day    400 for each slot, that of day D (days since 1970, UTC) at D % 400
 *  479232  struct ledger_fast   two of them, written in turn, each before the head with its number: the fast path's counters as
 *    4096                       last seen. That with the highest number not above the head's counts, as a vectl from before there
 *                               was a fast path writes heads alone
 *
 * A counter is known by the generation of its element: it counts from zero where that is another one than last time,
 * or where it is smaller (it was reset). So whatever is flushed, reset or made anew, nothing is counted twice; what
 * came since the last reading may then be missing.
 *
 * Writers take a lock on the file; readers need none. The bytes are this machine's own.
 */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/counters.h"

enum { LEDGER_SLOTS = 16, LEDGER_DAYS = 400, LEDGER_VERSION = 1 };
enum { LEDGER_NO_SLOT = -1 };

struct ledger_count {
	uint64_t packets, bytes;
};
struct ledger_counts {
	struct ledger_count of[COUNTER_KINDS];
};

/* What belongs to one label of network.N. A label that comes to a full file takes the slot of the one that was idle
 * longest; what that had counted stays in the VE's total. */
struct ledger_slot {
	uint32_t label; /* plus one; 0: the slot is free */
	uint32_t day;	/* that TODAY speaks of */
	struct counter seen[COUNTER_KINDS];
	struct ledger_counts total, today;
};

struct ledger_head {
	uint64_t magic, number;
	int64_t since, saved_at; /* seconds since 1970 */
	struct ledger_counts total;
	struct ledger_slot slots[LEDGER_SLOTS];
	uint64_t sum;
};

struct ledger_fast {
	uint64_t magic, number;
	struct {
		struct counter seen[COUNTER_KINDS];
	} slots[LEDGER_SLOTS]; /* as the head's */
	uint64_t sum;
};

struct ledger_day {
	uint32_t day, sum;
	struct ledger_counts counts;
};

struct ledger_watched {
	uint32_t label;
	uint32_t family; /* of the table that counts it: NFPROTO_* */
	char ifname[IFNAMSIZ];
	uint64_t quota;		    /* bytes, 0: none */
	uint32_t from_day, til_day; /* the billing period, TIL_DAY not included */
	uint32_t spent;		    /* the quota's action has been taken */
	uint32_t spent_at;	    /* since when, in seconds since 1970; 0: not known */
};
struct ledger_watch {
	uint64_t magic, n;
	struct ledger_watched of[LEDGER_SLOTS];
	uint64_t sum;
};

_Static_assert(sizeof(struct ledger_head) <= 4096 && sizeof(struct ledger_fast) <= 4096 && sizeof(struct ledger_watch) <= 8192, "they have their places");

static inline uint32_t ledger_today(int64_t now)
{
	return now > 0 ? (uint32_t)(now / 86400) : 0;
}

/* ---- pure arithmetic ---- */

/* What C has counted since SEEN; SEEN becomes C, unless C is not there. */
struct ledger_count ledger_growth(struct counter *seen, const struct counter *c);
int ledger_slot_of(const struct ledger_head *h, unsigned label);
void ledger_add(struct ledger_counts *sum, const struct ledger_counts *more);
static inline uint64_t ledger_bytes(const struct ledger_counts *c)
{
	return c->of[COUNTER_OUT4].bytes + c->of[COUNTER_OUT6].bytes + c->of[COUNTER_IN4].bytes +
	       c->of[COUNTER_IN6].bytes;
}

/* ---- the file ---- */

/* FD is open for reading. -ENODATA where nothing (valid) is there yet. */
int ledger_read(int fd, struct ledger_head *ret_head);
/* What belongs to H; zeros where there is none. */
void ledger_read_fast(int fd, const struct ledger_head *h, struct ledger_fast *ret_fast);
int ledger_read_watch(int fd, struct ledger_watch *ret_watch);
/* Writers. LOCK: 0, -EAGAIN while another one writes. The lock goes with the descriptor's open file. */
int ledger_lock(int fd);
void ledger_unlock(int fd);
int ledger_write_watch(int fd, struct ledger_watch *watch);
/* What SLOT of H has counted on day DAY (which may be the running one). */
int ledger_read_day(int fd, const struct ledger_head *h, int slot, uint32_t day, struct ledger_counts *ret);
/* The bytes of LABEL, both ways, from FROM_DAY to TODAY. */
int ledger_period(int fd, const struct ledger_head *h, unsigned label, uint32_t from_day, uint32_t today,
		  uint64_t *ret_bytes);

/* One interface's counters as just read: the rules', and the fast path's. */
struct ledger_reading {
	unsigned label;
	struct counter now[COUNTER_KINDS], fast[COUNTER_KINDS];
};
/* Adds what has grown, as of time NOW, and brings it to the disk. Writes nothing where nothing has. */
int ledger_book(int fd, int64_t now, const struct ledger_reading *readings, unsigned n);
/* Reads the counters of all interfaces that W speaks of. */
int ledger_look(const struct ledger_watch *w, struct ledger_reading ret[LEDGER_SLOTS]);
/* What R has counted beyond what H and its FAST know of it; they stay as they are. */
void ledger_since(const struct ledger_head *h, const struct ledger_fast *fast, const struct ledger_reading *r,
		  struct ledger_counts *ret);
/* Reads and books, for what the file's watch says, under the lock. */
int ledger_account(int fd, int64_t now);
/* Has a quota been used up, or has its period ended, or been spent without being used up? */
bool ledger_quota_due(int fd, int64_t now);

#endif
