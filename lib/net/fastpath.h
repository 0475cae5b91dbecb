/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fast path: see fastpath.c. It is an acceleration: what cannot be done of it is no failure of a verb. */
#ifndef NET_FASTPATH_H
#define NET_FASTPATH_H

#include "net/net.h"
#include "sys/fastpath.h"
#include "sys/netlink.h"

struct uplinks;
struct net_link;

/* A start: before there are interfaces, which pushes the undo; for each, before it comes up (its being up has the kernel walk through
 * all IPv6 routes, with a lock in its hands that this needs); and when all is there. The programs are loaded where they were not, and
 * the uplinks' packets led to them. What fails leaves it out, but for being out of memory; so RESULT, an errno, tells nobody anything. The
 * caller closes the maps. */
int fastpath_begin(struct nl *nl, const struct uplinks *u, const struct net_plan *plan, struct undo *undo, struct fastpath_maps *ret,
		   ve_error **ret_error);
void fastpath_put_join(struct nl *nl, const struct fastpath_maps *m, const struct net_plan *plan, const struct net_if *i,
		       const struct net_link *link, int *result);
void fastpath_end(const struct fastpath_maps *m);
/* Of a VE that runs: brings its interfaces to what PLAN says, whatever they are: those that may take it, and the others not. What was
 * learned is forgotten. */
void fastpath_settle(const struct net_plan *plan);
/* LINK is about to change in what it shares with the fast path (rate.c): it leaves it, and comes back by the next
 * fastpath_settle(). */
void fastpath_leave(struct nl *nl, const struct net_link *link);
/* The interfaces are gone: what they have counted goes, too, and where packets to them led is forgotten. */
void fastpath_detach(const struct net_plan *plan);
/* What is allowed, or where things lead, has changed: no packet goes by what was learned before. */
void fastpath_forget(void);
/* For `vectl recover`, once, before fastpath_heal_links(): brings the programs to those of DATA_DIR where there are any in the kernel,
 * and has them tried again where it did not take them; not WANTED, or with nobody on it, the uplinks leave. 1: others are there. */
int fastpath_heal(const char *data_dir, const char *uplink, bool wanted);
/* For each VE that runs: puts its interfaces back; not wanted, they leave, and with the last of all what was counted goes. */
void fastpath_heal_links(const struct net_plan *plan);

/* For `vectl check`: what it is at the moment, WANTED: by the host's configuration. NULL: cannot be told. The caller frees. */
char *fastpath_tell(struct nl *nl, const struct uplinks *u, const char *data_dir, bool wanted);

/* ---- fastload.c ---- */

/* MAPS: of programs that were there before, which the new ones go on with; or NULL. */
int fastpath_load(struct nl *nl, const char *data_dir, const struct fastpath_maps *maps, ve_error **ret_error);
/* Is libbpf there, which brings them into the kernel? */
bool fastpath_has_library(void);
/* Are the programs in the kernel those of DATA_DIR? 1 or 0, or -errno. */
int fastpath_is_current(struct nl *nl, const char *data_dir);

#endif
