/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces that are cut off from everything but the host: elements of the set `blocked`. */
#include <linux/netfilter/nfnetlink.h>

#include "net/elements.h"
#include "net/priv.h"

static void put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i)
{
	char name[IFNAMSIZ];
	struct nft_elem e = { .family = elements_family(i), .table = NFT_TABLE, .set = "blocked" };
	net_if_name(plan->link_id, i->label, name);
	nft_key_name(&e.key, name);
	nft_put_elem(b, op, &e);
}

int blocked_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	/* Deleting what is not there would make the whole transaction begin anew, which waits for a grace period. */
	if (i->blocked)
		put(b, op, plan, i);
	return 0;
}

int net_bring_blocked(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	if (!b)
		return err_nomem(ret_error);
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (net_types[plan->ifs[k].type].attach)
			put(b, plan->ifs[k].blocked ? NFT_ADD : NFT_DEL, plan, &plan->ifs[k]);
	return nfb_empty(b) ? 0 : nfb_commit(b, ret_error);
}
