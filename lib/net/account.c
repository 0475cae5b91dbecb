/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An interface's counters: an element of each of the four sets that vectl.nft counts in, and that sys/counters.h reads. They
 * are made when the VE starts or when they have been flushed, and stay as they are otherwise: what else a VE is in
 * the firewall may change beside them. The comment tells one making from the next: the uuid and a random number.
 */
#include "net/elements.h"
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

int account_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	char comment[64], name[IFNAMSIZ];
	uint64_t generation;
	if (getrandom(&generation, sizeof(generation), 0) != (ssize_t)sizeof(generation))
		return err_sys(ret_error, errno, "network", "cannot get random bytes for the counters");
	snprintf(comment, sizeof(comment), "%.36s/%016llx", plan->uuid ?: "", (unsigned long long)generation);
	net_if_name(plan->link_id, i->label, name);
	for (unsigned k = 0; k < COUNTER_KINDS; k++) {
		struct nft_elem e = { .family = elements_family(i), .table = COUNTER_TABLE, .set = counter_sets[k],
				      .comment = comment };
		nft_key_name(&e.key, name);
		nft_put_elem(b, op, &e);
	}
	return 0;
}

int net_restrict(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	int r = nl_open(NETLINK_ROUTE, &nl, ret_error);
	for (unsigned k = 0; k < plan->n_ifs && r == 0; k++)
		r = rate_bring(nl, plan, &plan->ifs[k], ret_error);
	return r == 0 ? net_bring_blocked(NULL, plan, ret_error) : r;
}
