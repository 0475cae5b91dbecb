/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's traffic: its ledger (model/ledger.h) is opened and told what to watch at the start, booked a last time at the
 * end; and what follows from it, the quotas. In between the monitor books, once a minute, and calls vectl-ended when
 * a quota is due.
 */
#ifndef RUN_ACCOUNT_H
#define RUN_ACCOUNT_H

#include "model/ledger.h"
#include "net/net.h"
#include "run/handle.h"

/* How often the monitor books. */
uint32_t account_interval_ms(void);
/* The ledger's descriptor, made where MAKE says so; -errno without a message. */
int account_open(struct store *s, const char *uuid, bool make);
/* The VE that starts has the interfaces of NET: they are watched from now on. FD is its ledger. */
int account_begin(struct ve *v, int fd, const struct config *c, const struct net_plan *net, ve_error **ret_error);
/* The last booking of a VE that has ended, before its counters go. What cannot be read is lost; no error. NET is what will
 * be taken away: an interface whose quota was spent by the last look is blocked, whatever the quota says now. */
void account_end(struct ve *v, struct net_plan *net);
/* Books what has been counted until now: what counts may be about to go. */
void account_book(struct ve *v);
/* Looks anew at the quotas of the running V, whose plan under C is NET: what has changed since the last look is an event.
 * RET_CHANGED (may be NULL): something has. The kernel is not told. */
int account_watch(struct ve *v, const struct config *c, const struct net_plan *net, bool *ret_changed,
		  ve_error **ret_error);

/* How a quota of LABEL stands at NOW. */
struct quota {
	uint64_t limit; /* bytes, 0: none, and nothing else is set */
	uint64_t used;
	uint32_t from_day, til_day;
	bool spent;
	int64_t since; /* when its action was taken, 0: it has not been, or that is not known */
};
void account_quota(struct store *s, const struct config *c, unsigned label, int64_t now, struct quota *ret);
/* The billing period around NOW that begins on DAY of a month: [from, til) in days since 1970. */
void account_period(int64_t now, unsigned day, uint32_t *ret_from, uint32_t *ret_til);
/* What a spent quota does to an interface. */
void account_restrict(struct store *s, const struct config *c, struct net_if *nif);

#endif
