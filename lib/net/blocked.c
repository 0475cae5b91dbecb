/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces that are cut off from everything but the host: elements of the set `blocked`. Those on a bridge have their
 * addresses in the table of vectl-blocked.nft besides: the host may route what the bridge delivers to it, and there the
 * packet is the bridge's.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "net/elements.h"
#include "net/priv.h"

static void put_address(struct nfb *b, enum nft_op op, const struct net_addr *a)
{
	struct nft_elem e = { .family = NFPROTO_INET, .table = NFT_BLOCKED_TABLE,
			      .set = a->family == AF_INET ? "ve4" : "ve6" };
	nft_key_put(&e.key, &a->v6, (unsigned)net_addr_size(a));
	nft_put_elem(b, op, &e);
}

static void put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i)
{
	char name[IFNAMSIZ];
	struct nft_elem e = { .family = elements_family(i), .table = NFT_TABLE, .set = "blocked" };
	net_if_name(plan->link_id, i->label, name);
	nft_key_name(&e.key, name);
	nft_put_elem(b, op, &e);
	for (unsigned k = 0; net_types[i->type].on_bridge && k < i->n_addrs; k++)
		put_address(b, op, &i->addrs[k]);
}

int blocked_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	/* Deleting what is not there would make the whole transaction begin anew, which waits for a grace period. */
	if (i->blocked)
		put(b, op, plan, i);
	return 0;
}

int blocked_ensure_rules(const struct net_plan *plan, ve_error **ret_error)
{
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (plan->ifs[k].blocked && net_types[plan->ifs[k].type].on_bridge)
			return nft_ensure_blocked(plan->data_dir, ret_error);
	return 0;
}

int net_bring_blocked(const struct net_plan *from, const struct net_plan *to, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	if (!b)
		return err_nomem(ret_error);
	int r = blocked_ensure_rules(to, ret_error);
	if (r < 0)
		return r;
	for (unsigned k = 0; from && k < from->n_ifs; k++)
		blocked_put(b, NFT_DEL, from, &from->ifs[k], ret_error);
	for (unsigned k = 0; k < to->n_ifs; k++)
		if (net_types[to->ifs[k].type].attach)
			put(b, to->ifs[k].blocked ? NFT_ADD : NFT_DEL, to, &to->ifs[k]);
	return nfb_empty(b) ? 0 : nfb_commit(b, ret_error);
}
