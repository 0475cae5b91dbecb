/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody has taken away while VEs run (`nft flush ruleset`, a rule, an element, a route), seen by `vectl check` and put
 * back by `vectl recover`. What is there stays as it is, counters among it. Whose an interface is `check` does not ask: it is
 * known by its element in the map sent4, which every interface has.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/guard.h"
#include "net/elements.h"
#include "net/fastpath.h"
#include "net/priv.h"

static void put_question(struct nl *nl, uint8_t family, const char *set, const struct nft_key *key, int *missing)
{
	struct nlmsghdr *m = nft_put_ask(nl, NFT_MSG_GETSETELEM, 0, family, "look for an element of a set");
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
	put_question(nl, NFPROTO_INET, "sent4", &key, &routed);
	put_question(nl, NFPROTO_BRIDGE, "sent4", &key, &bridged);
	int r = nl_commit(nl, NULL);
	return r < 0 ? r : routed == 0 || bridged == 0;
}

static bool any_masqueraded(const struct net_plan *plan)
{
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (net_types[plan->ifs[k].type].masqueraded)
			return true;
	return false;
}

/* One transaction: between two packets. Chains are made anew by their putter; of elements only those that lead elsewhere have
 * to go first. */
static int heal_firewall(const struct net_plan *plan, bool differs, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	int r = b ? 0 : err_nomem(ret_error);
	for (unsigned k = 0; r == 0 && differs && k < plan->n_ifs; k++) {
		if (!net_types[plan->ifs[k].type].attach)
			continue;
		r = forwards_put(b, NFT_DEL, plan, &plan->ifs[k], ret_error);
		if (r == 0)
			r = blocked_put(b, NFT_DEL, plan, &plan->ifs[k], ret_error);
		if (r == 0)
			r = firewall_put(b, NFT_DEL, plan, &plan->ifs[k], ret_error);
	}
	if (r == 0)
		r = elements_put(b, NFT_ADD, plan, ret_error);
	return r == 0 ? nfb_commit(b, ret_error) : r;
}

static int heal_host(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *host = NULL;
	struct net_job j = { .plan = plan, .netns_fd = -1 };
	int r = nl_open(NETLINK_ROUTE, &host, ret_error);
	j.host = host;
	if (r == 0)
		r = uplink_find_for(&j, ret_error);
	for (unsigned k = 0; r == 0 && k < plan->n_ifs; k++)
		if (net_types[plan->ifs[k].type].mend)
			r = net_types[plan->ifs[k].type].mend(&j, &plan->ifs[k], ret_error);
	return r;
}

int net_heal(const struct net_plan *plan, bool *ret_mended, ve_error **ret_error)
{
	struct net_missing missing;
	*ret_mended = false;
	if (!net_plan_attaches(plan))
		return 0;
	int r = nft_ensure_rules(plan->data_dir, ret_error);
	*ret_mended = r > 0;
	if (r >= 0 && any_masqueraded(plan))
		r = nft_ensure_nat(plan->data_dir, plan->nat_range, ret_error);
	if (r >= 0)
		r = blocked_ensure_rules(plan, ret_error);
	if (r >= 0)
		r = net_look(plan, &missing, ret_error);
	if (r < 0)
		return r;
	*ret_mended |= missing.n > 0;
	r = missing.in_firewall ? heal_firewall(plan, missing.differs, ret_error) : 0;
	if (r == 0 && missing.on_host)
		r = heal_host(plan, ret_error);
	fastpath_heal_links(plan);
	return r;
}

int net_heal_rules(const struct net_plan *host, bool *ret_mended, ve_error **ret_error)
{
	struct compared c;
	int renewed = fastpath_heal(host->data_dir, host->uplink, host->fastpath);
	int r = nft_compare(host->data_dir, &c, ret_error);
	bool differs = r == 0 && c.n_different > 0;
	*ret_mended = differs || renewed == 1;
	return differs ? nft_reload(host->data_dir, host->nat_range, &c, ret_error) : r;
}
