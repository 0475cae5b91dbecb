/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that a VE has in the firewall, as one transaction: the putters are asked one by one. */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/guard.h"
#include "net/elements.h"
#include "net/priv.h"

/* In the order in which they are made; what goes goes the other way round: counters after the addresses that lead to them. */
static const elements_put_fn putters[] = {
	account_put,
	antispoof_put,
	forwards_put,
	blocked_put,
	firewall_put,
};

uint8_t elements_family(const struct net_if *i)
{
	return net_types[i->type].on_bridge ? NFPROTO_BRIDGE : NFPROTO_INET;
}

int elements_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, ve_error **ret_error)
{
	int r = 0;
	for (unsigned k = 0; k < plan->n_ifs; k++)
		for (size_t p = 0; p < ARRAY_SIZE(putters) && r == 0; p++)
			if (net_types[plan->ifs[k].type].attach)
				r = putters[op == NFT_ADD ? p : ARRAY_SIZE(putters) - 1 - p](b, op, plan, &plan->ifs[k],
												 ret_error);
	return r;
}

int elements_write(enum nft_op op, const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	if (!b)
		return err_nomem(ret_error);
	int r = elements_put(b, op, plan, ret_error);
	return r < 0 ? r : nfb_commit(b, ret_error);
}

static void undo_elements(void *data)
{
	nfb_commit(data, NULL);
	nfb_free(data);
}

static void forget_elements(void *data)
{
	nfb_free(data);
}

int elements_attach(const struct net_plan *plan, struct undo *undo, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *away = nfb_new(NFNL_SUBSYS_NFTABLES);
	int r = away ? elements_put(away, NFT_DEL, plan, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = elements_write(NFT_ADD, plan, ret_error);
	if (r < 0)
		return r;
	/* Pushed after it was done: a transaction that failed has changed nothing. */
	return undo_push_owned(undo, undo_elements, forget_elements, steal_ptr(&away)) < 0 ? err_nomem(ret_error) : 0;
}
