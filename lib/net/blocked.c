/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces that are cut off from everything but the host: of what is forwarded, the maps from_ve and to_ve send theirs to the
 * chain `blocked`. The same two lead to the chains of a VE's own rules where it is not cut off, so that a packet is looked up
 * once for both. Those on a bridge have their addresses in the table of vectl-blocked.nft besides: the host may route what the
 * bridge delivers to it, and there the packet is the bridge's.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "net/elements.h"
#include "net/fastpath.h"
#include "net/priv.h"

void forwarded_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, enum firewall_way way,
		   const char *chain)
{
	char name[IFNAMSIZ];
	struct nft_elem e = { .family = elements_family(i), .table = NFT_TABLE,
			      .set = way == FIREWALL_IN ? "to_ve" : "from_ve", .jump_chain = chain };
	net_if_name(plan->link_id, i->label, name);
	nft_key_name(&e.key, name);
	nft_put_elem(b, op, &e);
}

/* On a bridge, of one that is cut off. */
static void put_addresses(struct nfb *b, enum nft_op op, const struct net_if *i)
{
	for (unsigned k = 0; net_types[i->type].on_bridge && k < i->n_addrs; k++) {
		const struct net_addr *a = &i->addrs[k];
		struct nft_elem e = { .family = NFPROTO_INET, .table = NFT_BLOCKED_TABLE,
				      .set = a->family == AF_INET ? "ve4" : "ve6" };
		nft_key_put(&e.key, &a->v6, (unsigned)net_addr_size(a));
		nft_put_elem(b, op, &e);
	}
}

static void put_both_ways(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i)
{
	for (enum firewall_way way = 0; way < FIREWALL_WAYS; way++)
		forwarded_put(b, op, plan, i, way, "blocked");
}

int blocked_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	/* Deleting what is not there would make the whole transaction begin anew, which waits for a grace period. */
	if (i->blocked) {
		put_both_ways(b, op, plan, i);
		put_addresses(b, op, i);
	}
	return 0;
}

int blocked_ensure_rules(const struct net_plan *plan, ve_error **ret_error)
{
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (plan->ifs[k].blocked && net_types[plan->ifs[k].type].on_bridge)
			return nft_ensure_blocked(plan->data_dir, ret_error);
	return 0;
}

static void bring(struct nfb *b, const struct net_plan *plan, const struct net_if *i)
{
	put_both_ways(b, NFT_DEL, plan, i); /* whatever they lead to */
	if (i->blocked) {
		put_both_ways(b, NFT_ADD, plan, i);
		put_addresses(b, NFT_ADD, i);
	} else {
		firewall_put_forwarded(b, plan, i);
	}
}

int net_bring_blocked(const struct net_plan *from, const struct net_plan *to, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	if (!b)
		return err_nomem(ret_error);
	int r = blocked_ensure_rules(to, ret_error);
	if (r < 0)
		return r;
	const struct net_plan *old = from ?: to;
	for (unsigned k = 0; k < old->n_ifs; k++)
		if (from ? old->ifs[k].blocked : !old->ifs[k].blocked)
			put_addresses(b, NFT_DEL, &old->ifs[k]);
	for (unsigned k = 0; k < to->n_ifs; k++)
		if (net_types[to->ifs[k].type].attach)
			bring(b, to, &to->ifs[k]);
	r = nfb_empty(b) ? 0 : nfb_commit(b, ret_error);
	fastpath_forget();
	return r;
}
