/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An interface's four counters, which sys/counters.h reads, and its elements in the maps by which vectl.nft finds them. They
 * are made when the VE starts or when they have been flushed, and stay as they are otherwise: what else a VE is in
 * the firewall, its addresses among it, may change beside them. The comment tells one making from the next: the uuid and a
 * random number.
 */
#include "net/elements.h"
#include "net/fastpath.h"
#include "net/priv.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/guard.h"
#include "sys/counters.h"

unsigned net_table_family(const struct net_if *i)
{
	return elements_family(i);
}

static void put_element(struct nfb *b, enum nft_op op, const struct net_if *i, const char *name, enum counter_kind kind)
{
	static const char *const maps[COUNTER_KINDS] = {
		[COUNTER_OUT4] = "sent4", [COUNTER_OUT6] = "sent6", [COUNTER_IN4] = "received4", [COUNTER_IN6] = "received6",
	};
	char counter[COUNTER_NAME];
	struct nft_elem e = { .family = elements_family(i), .table = COUNTER_TABLE, .set = maps[kind], .counter = counter };
	counter_name(name, kind, counter);
	nft_key_name(&e.key, name);
	nft_put_elem(b, op, &e);
}

static void put_counter(struct nfb *b, enum nft_op op, const struct net_if *i, const char *name, enum counter_kind kind,
			const char *comment)
{
	char counter[COUNTER_NAME];
	counter_name(name, kind, counter);
	nft_put_counter(b, op, elements_family(i), COUNTER_TABLE, counter, comment);
}

int account_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	char comment[64], name[IFNAMSIZ];
	uint64_t generation;
	if (getrandom(&generation, sizeof(generation), 0) != (ssize_t)sizeof(generation))
		return err_sys(ret_error, errno, "network", "cannot get random bytes for the counters");
	snprintf(comment, sizeof(comment), "%.36s/%016llx", plan->uuid ?: "", (unsigned long long)generation);
	net_if_name(plan->link_id, i->label, name);
	for (enum counter_kind k = 0; k < COUNTER_KINDS; k++) {
		if (op == NFT_ADD)
			put_counter(b, op, i, name, k, comment);
		put_element(b, op, i, name, k);
		if (op == NFT_DEL)
			put_counter(b, op, i, name, k, comment);
	}
	return 0;
}

int net_restrict(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	int r = nl_open(NETLINK_ROUTE, &nl, ret_error);
	for (unsigned k = 0; k < plan->n_ifs && r == 0; k++)
		r = rate_bring(nl, plan, &plan->ifs[k], ret_error);
	fastpath_settle(plan);
	return r == 0 ? net_bring_blocked(NULL, plan, ret_error) : r;
}
