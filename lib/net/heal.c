/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody has taken out of the firewall while VEs run (`nft flush ruleset`), seen by `vectl check` and put back by
 * `vectl recover`. What is there stays as it is, counters among it. An interface is known by its element in the set out4,
 * which every interface has.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/guard.h"
#include "net/elements.h"
#include "net/priv.h"

static void put_question(struct nl *nl, uint8_t family, const char *set, const struct nft_key *key, int *missing)
{
	struct nlmsghdr *m = nl_add(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM), 0,
				    "look for an element of the set '%s'", set);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, set);
	struct nlattr *list = mnl_attr_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *elem = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	struct nlattr *k = mnl_attr_nest_start(m, NFTA_SET_ELEM_KEY);
	mnl_attr_put(m, NFTA_DATA_VALUE, key->len, key->bytes);
	mnl_attr_nest_end(m, k);
	mnl_attr_nest_end(m, elem);
	mnl_attr_nest_end(m, list);
	nl_result_into(nl, missing);
}

int heal_link_known(struct nl *nl, const char *name)
{
	struct nft_key key = { .len = 0 };
	int routed, bridged;
	nft_key_name(&key, name);
	put_question(nl, NFPROTO_INET, "out4", &key, &routed);
	put_question(nl, NFPROTO_BRIDGE, "out4", &key, &bridged);
	int r = nl_commit(nl, NULL);
	return r < 0 ? r : routed == 0 || bridged == 0;
}

/* Interface, MAC, address: of all addresses that are missing, *RET_MISSING is the number. */
static int count_missing(struct nl *nl, const struct net_plan *plan, const struct net_if *i, unsigned *ret_missing,
			 ve_error **ret_error)
{
	char name[IFNAMSIZ];
	net_if_name(plan->link_id, i->label, name);
	int known = heal_link_known(nl, name), missing = 0;
	*ret_missing += known != 1;
	for (unsigned k = 0; k < i->n_addrs; k++) {
		struct nft_key key = { .len = 0 };
		const struct net_addr *a = &i->addrs[k];
		nft_key_name(&key, name);
		nft_key_put(&key, i->mac, 6);
		nft_key_put(&key, &a->v6, (unsigned)net_addr_size(a));
		put_question(nl, elements_family(i), a->family == AF_INET ? "ve4" : "ve6", &key, &missing);
		int r = nl_commit(nl, ret_error);
		if (r < 0)
			return r;
		*ret_missing += missing != 0;
	}
	return 0;
}

static int heal_elements(const struct net_plan *plan, bool *ret_mended, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	unsigned missing = 0;
	int r = nl_open(NETLINK_NETFILTER, &nl, ret_error);
	for (unsigned k = 0; r == 0 && k < plan->n_ifs; k++)
		if (net_types[plan->ifs[k].type].attach)
			r = count_missing(nl, plan, &plan->ifs[k], &missing, ret_error);
	if (r < 0 || missing == 0)
		return r;
	*ret_mended = true;
	return elements_write(NFT_ADD, plan, ret_error);
}

static bool has_type(const struct net_plan *plan, bool masqueraded)
{
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (net_types[plan->ifs[k].type].attach && (!masqueraded || net_types[plan->ifs[k].type].masqueraded))
			return true;
	return false;
}

/* The uplink may have gone and come back, and has no answers for the VE's addresses then. */
static int heal_proxies(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	struct uplinks u;
	int r = nl_open(NETLINK_ROUTE, &nl, ret_error);
	if (r == 0)
		r = uplink_find(nl, plan->uplink, &u, ret_error);
	for (unsigned k = 0; r == 0 && k < plan->n_ifs; k++) {
		const struct net_if *i = &plan->ifs[k];
		for (unsigned a = 0; r == 0 && net_types[i->type].proxied && a < i->n_addrs; a++) {
			const struct net_link *uplink = uplink_of(&u, i->addrs[a].family);
			if (uplink->index == 0)
				continue;
			r = neigh_prepare_uplink(uplink, i->addrs[a].family, ret_error);
			neigh_put_proxy(nl, uplink, &i->addrs[a]);
		}
	}
	return r < 0 ? r : nl_commit(nl, ret_error);
}

int net_heal(const struct net_plan *plan, bool *ret_mended, ve_error **ret_error)
{
	*ret_mended = false;
	if (!has_type(plan, false))
		return 0;
	int r = nft_rules_whole(ret_error);
	if (r == 0) {
		r = nft_load_rules(plan->data_dir, ret_error);
		*ret_mended = r == 0;
	}
	if (r >= 0 && has_type(plan, true))
		r = nft_ensure_nat(plan->data_dir, plan->nat_range, ret_error);
	if (r >= 0)
		r = blocked_ensure_rules(plan, ret_error);
	if (r >= 0)
		r = heal_elements(plan, ret_mended, ret_error);
	return r < 0 ? r : heal_proxies(plan, ret_error);
}
