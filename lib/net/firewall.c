/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The provider's rules for one VE, compiled into chains of its own. Only a VE that has rules (or a preset, or limits) has
 * chains; for each way, and each family of tables that it has interfaces in:
 *
 *   fwID_in   [jump fwID_in_rate]  established: return, neighbour discovery: return  [jump fwID_in_conns]  rules...  the rest
 *
 * and the map fw_in sends what leaves by its interfaces there (fw_out: what comes in by them; to_ve and from_ve: of what is
 * forwarded). Both limits have state, and so
 * chains of their own: a change of rules makes fwID_in anew in one transaction, and what the limits have counted stays. What
 * was allowed once is let through by connection tracking, so that such a change interrupts nothing.
 *
 * What is allowed returns to the chain at the hook, which has the other VE's rules to ask yet. ID is the VE's link id. A
 * rule with several addresses and ports becomes one of nftables for each pair of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "net/elements.h"
#include "net/expr.h"
#include "net/fastpath.h"
#include "net/priv.h"

enum { CHAIN_NAME = 32 };
enum { ICMP6_MLD_QUERY = 130, ICMP6_NEIGHBOUR_LAST = 136, ICMP6_MLD2_REPORT = 143 };

static const char *const maps[FIREWALL_WAYS] = { [FIREWALL_IN] = "fw_in", [FIREWALL_OUT] = "fw_out" };

/* The chains of one way in one family of tables, under construction. */
struct chains {
	struct nfb *b;
	uint8_t family;
	enum firewall_way way;
	char main[CHAIN_NAME], rate[CHAIN_NAME], connections[CHAIN_NAME];
};

static struct chains chains_of(struct nfb *b, uint8_t family, const struct net_plan *plan, enum firewall_way way)
{
	static const char *const words[FIREWALL_WAYS] = { [FIREWALL_IN] = "in", [FIREWALL_OUT] = "out" };
	struct chains c = { .b = b, .family = family, .way = way };
	snprintf(c.main, sizeof(c.main), "fw%u_%s", plan->link_id, words[way]);
	snprintf(c.rate, sizeof(c.rate), "fw%u_%s_rate", plan->link_id, words[way]);
	snprintf(c.connections, sizeof(c.connections), "fw%u_%s_conns", plan->link_id, words[way]);
	return c;
}

static bool has_rules(const struct net_firewall *fw, enum firewall_way way)
{
	const struct firewall_list *l = &fw->ways[way];
	return l->n > 0 || l->deny_rest || fw->connections > 0 || fw->packet_rate > 0;
}

/* ---- rules ------------------------------------------------------------------------------------------- */

static struct nlmsghdr *begin(const struct chains *c, const char *chain, struct nlattr **ret_list)
{
	return nft_put_rule(c->b, c->family, NFT_TABLE, chain, ret_list);
}

static void put_family(struct nlmsghdr *m, const struct chains *c, int family)
{
	if (c->family == NFPROTO_BRIDGE) {
		uint16_t type = htons(family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
		expr_meta(m, NFT_META_PROTOCOL);
		expr_cmp(m, NFT_CMP_EQ, &type, sizeof(type));
		return;
	}
	expr_meta(m, NFT_META_NFPROTO);
	expr_is8(m, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

/* The peer's address: the source of what comes in, the destination of what goes out. */
static void put_peer(struct nlmsghdr *m, const struct chains *c, const struct address *peer)
{
	bool v4 = peer->family == AF_INET, source = c->way == FIREWALL_IN;
	unsigned size = v4 ? 4 : 16;
	put_family(m, c, peer->family);
	if (peer->prefix == 0)
		return;
	expr_payload(m, NFT_PAYLOAD_NETWORK_HEADER, v4 ? (source ? 12 : 16) : (source ? 8 : 24), size);
	expr_prefix(m, peer->bytes, peer->prefix, size);
}

static void put_protocol(struct nlmsghdr *m, uint8_t protocol)
{
	expr_meta(m, NFT_META_L4PROTO);
	expr_is8(m, protocol);
}

/* The destination port is at byte 2 of TCP, UDP and SCTP alike. */
static void put_ports(struct nlmsghdr *m, const struct firewall_ports *p)
{
	uint16_t first = htons(p->first), last = htons(p->last);
	expr_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(first));
	expr_range(m, &first, &last, sizeof(first));
}

/* One pair of PEER and PORTS, either NULL for all of them. PROTOCOL 0: all. */
static void put_one(const struct chains *c, const struct firewall_rule *r, uint8_t protocol, const struct address *peer,
		    const struct firewall_ports *ports, const char *text)
{
	struct nlattr *list;
	struct nlmsghdr *m = begin(c, c->main, &list);
	if (peer)
		put_peer(m, c, peer);
	if (protocol)
		put_protocol(m, protocol);
	if (ports)
		put_ports(m, ports);
	expr_verdict(m, r->allow ? NFT_RETURN : NF_DROP, NULL);
	expr_end(m, list, text);
}

static void put_pairs(const struct chains *c, const struct firewall_rule *r, uint8_t protocol, int family,
		      const char *text)
{
	for (unsigned i = 0; i < r->n_peers || i == 0; i++) {
		const struct address *peer = r->n_peers ? &r->peers[i] : NULL;
		if (peer && family != AF_UNSPEC && peer->family != family)
			continue;
		for (unsigned k = 0; k < r->n_ports || k == 0; k++)
			put_one(c, r, protocol, peer, r->n_ports ? &r->ports[k] : NULL, text);
	}
}

static void put_rule(const struct chains *c, const struct firewall_rule *r)
{
	_cleanup_free_ char *text = firewall_format(r, c->way);
	if (!r->icmp) {
		put_pairs(c, r, r->protocol, AF_UNSPEC, text);
		return;
	}
	put_pairs(c, r, IPPROTO_ICMP, AF_INET, text);
	put_pairs(c, r, IPPROTO_ICMPV6, AF_INET6, text);
}

static void put_rest(const struct chains *c, bool allow)
{
	struct nlattr *list;
	struct nlmsghdr *m = begin(c, c->main, &list);
	expr_verdict(m, allow ? NFT_RETURN : NF_DROP, NULL);
	expr_end(m, list, allow ? "allow all" : "deny all");
}

/* ---- what is allowed whatever the rules say ------------------------------------------------------------ */

static void put_established(const struct chains *c)
{
	struct nlattr *list;
	struct nlmsghdr *m = begin(c, c->main, &list);
	expr_ct_state(m);
	expr_any_bit(m, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
	expr_verdict(m, NFT_RETURN, NULL);
	expr_end(m, list, "what belongs to an allowed connection");
}

static void put_icmp6_types(const struct chains *c, uint8_t first, uint8_t last)
{
	struct nlattr *list;
	struct nlmsghdr *m = begin(c, c->main, &list);
	put_protocol(m, IPPROTO_ICMPV6);
	expr_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
	expr_range(m, &first, &last, 1);
	expr_verdict(m, NFT_RETURN, NULL);
	expr_end(m, list, "IPv6 neighbours");
}

/* Without these nothing else works: who is where. Anti-spoofing has seen to what a VE may say of it. */
static void put_neighbours(const struct chains *c)
{
	put_icmp6_types(c, ICMP6_MLD_QUERY, ICMP6_NEIGHBOUR_LAST);
	put_icmp6_types(c, ICMP6_MLD2_REPORT, ICMP6_MLD2_REPORT);
	if (c->family != NFPROTO_BRIDGE)
		return;
	struct nlattr *list;
	struct nlmsghdr *m = begin(c, c->main, &list);
	uint16_t type = htons(ETHERTYPE_ARP);
	expr_meta(m, NFT_META_PROTOCOL);
	expr_cmp(m, NFT_CMP_EQ, &type, sizeof(type));
	expr_verdict(m, NFT_RETURN, NULL);
	expr_end(m, list, "ARP");
}

/* A list that only denies works without connection tracking, which not every kernel has for bridges. */
static bool needs_tracking(const struct net_firewall *fw, enum firewall_way way)
{
	const struct firewall_list *l = &fw->ways[way];
	bool allows = l->deny_rest;
	for (unsigned i = 0; i < l->n; i++)
		allows |= l->rules[i].allow;
	return allows || fw->connections > 0;
}

/* ---- limits ------------------------------------------------------------------------------------------- */

static void put_jump(const struct chains *c, const char *chain)
{
	struct nlattr *list;
	struct nlmsghdr *m = begin(c, c->main, &list);
	expr_verdict(m, NFT_JUMP, chain);
	expr_end(m, list, NULL);
}

static void put_rate_chain(const struct chains *c, uint64_t rate)
{
	struct nlattr *list;
	nft_put_chain(c->b, NFT_ADD, c->family, NFT_TABLE, c->rate);
	nft_put_flush_chain(c->b, c->family, NFT_TABLE, c->rate);
	struct nlmsghdr *m = begin(c, c->rate, &list);
	expr_packets_over(m, rate, (uint32_t)rate); /* a second's worth at once */
	expr_verdict(m, NF_DROP, NULL);
	expr_end(m, list, "firewall.packet_rate");
}

static void put_connections_chain(const struct chains *c, uint32_t connections)
{
	struct nlattr *list;
	nft_put_chain(c->b, NFT_ADD, c->family, NFT_TABLE, c->connections);
	nft_put_flush_chain(c->b, c->family, NFT_TABLE, c->connections);
	struct nlmsghdr *m = begin(c, c->connections, &list);
	expr_connections_over(m, connections);
	expr_verdict(m, NF_DROP, NULL);
	expr_end(m, list, "firewall.connections");
}

static void put_no_chain(const struct chains *c, const char *chain)
{
	nft_put_flush_chain(c->b, c->family, NFT_TABLE, chain);
	nft_put_chain(c->b, NFT_DEL, c->family, NFT_TABLE, chain);
}

/* ---- chains ------------------------------------------------------------------------------------------- */

static void put_main_chain(const struct chains *c, const struct net_firewall *fw)
{
	const struct firewall_list *l = &fw->ways[c->way];
	nft_put_chain(c->b, NFT_ADD, c->family, NFT_TABLE, c->main);
	nft_put_flush_chain(c->b, c->family, NFT_TABLE, c->main);
	if (fw->packet_rate > 0)
		put_jump(c, c->rate);
	if (c->family != NFPROTO_BRIDGE || needs_tracking(fw, c->way))
		put_established(c);
	put_neighbours(c);
	if (fw->connections > 0)
		put_jump(c, c->connections);
	for (unsigned i = 0; i < l->n; i++)
		put_rule(c, &l->rules[i]);
	put_rest(c, !l->deny_rest);
}

/* FROM NULL: nothing was there. What has counted goes on where its limit stays. */
static void put_chains(const struct chains *c, const struct net_firewall *from, const struct net_firewall *to)
{
	if (to->packet_rate > 0 && (!from || from->packet_rate != to->packet_rate))
		put_rate_chain(c, to->packet_rate);
	if (to->connections > 0 && (!from || from->connections != to->connections))
		put_connections_chain(c, to->connections);
	put_main_chain(c, to);
	if (from && from->packet_rate > 0 && to->packet_rate == 0)
		put_no_chain(c, c->rate);
	if (from && from->connections > 0 && to->connections == 0)
		put_no_chain(c, c->connections);
}

static void put_no_chains(const struct chains *c, const struct net_firewall *fw)
{
	put_no_chain(c, c->main);
	if (fw->packet_rate > 0)
		put_no_chain(c, c->rate);
	if (fw->connections > 0)
		put_no_chain(c, c->connections);
}

static void put_element(const struct chains *c, enum nft_op op, const struct net_plan *plan, const struct net_if *i)
{
	char name[IFNAMSIZ];
	struct nft_elem e = { .family = c->family, .table = NFT_TABLE, .set = maps[c->way], .jump_chain = c->main };
	net_if_name(plan->link_id, i->label, name);
	nft_key_name(&e.key, name);
	nft_put_elem(c->b, op, &e);
	if (!i->blocked)
		forwarded_put(c->b, op, plan, i, c->way, c->main);
}

void firewall_put_forwarded(struct nfb *b, const struct net_plan *plan, const struct net_if *i)
{
	for (enum firewall_way way = 0; way < FIREWALL_WAYS; way++) {
		struct chains c = chains_of(b, elements_family(i), plan, way);
		if (has_rules(&plan->firewall, way))
			forwarded_put(b, NFT_ADD, plan, i, way, c.main);
	}
}

/* ---- one interface at attach and detach ----------------------------------------------------------------- */

static bool is_looked_at(const struct net_if *i)
{
	return net_types[i->type].attach != NULL;
}

/* Is I the first (the last) interface of PLAN in its family? */
static bool is_first(const struct net_plan *plan, const struct net_if *i)
{
	for (const struct net_if *p = plan->ifs; p < i; p++)
		if (is_looked_at(p) && elements_family(p) == elements_family(i))
			return false;
	return true;
}

static bool is_last(const struct net_plan *plan, const struct net_if *i)
{
	for (const struct net_if *p = i + 1; p < plan->ifs + plan->n_ifs; p++)
		if (is_looked_at(p) && elements_family(p) == elements_family(i))
			return false;
	return true;
}

int firewall_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	for (int way = 0; way < FIREWALL_WAYS; way++) {
		struct chains c = chains_of(b, elements_family(i), plan, (enum firewall_way)way);
		if (!has_rules(&plan->firewall, c.way))
			continue;
		if (op == NFT_ADD && is_first(plan, i))
			put_chains(&c, NULL, &plan->firewall);
		put_element(&c, op, plan, i);
		if (op == NFT_DEL && is_last(plan, i))
			put_no_chains(&c, &plan->firewall);
	}
	return 0;
}

/* ---- live ------------------------------------------------------------------------------------------------ */

static bool same_rules(const struct net_firewall *a, const struct net_firewall *b, enum firewall_way way)
{
	const struct firewall_list *x = &a->ways[way], *y = &b->ways[way];
	return a->connections == b->connections && a->packet_rate == b->packet_rate && x->n == y->n &&
	       x->deny_rest == y->deny_rest && (x->n == 0 || memcmp(x->rules, y->rules, x->n * sizeof(x->rules[0])) == 0);
}

/* One way, in the family of interface I, the first of those. */
static void put_change(struct nfb *b, const struct net_plan *from, const struct net_plan *to, const struct net_if *first,
		       enum firewall_way way)
{
	struct chains c = chains_of(b, elements_family(first), to, way);
	bool had = has_rules(&from->firewall, way), has = has_rules(&to->firewall, way);
	if (has)
		put_chains(&c, had ? &from->firewall : NULL, &to->firewall);
	for (const struct net_if *i = first; i < to->ifs + to->n_ifs && had != has; i++)
		if (is_looked_at(i) && elements_family(i) == c.family)
			put_element(&c, has ? NFT_ADD : NFT_DEL, to, i);
	if (had && !has)
		put_no_chains(&c, &from->firewall);
}

int net_change_firewall(const struct net_plan *from, const struct net_plan *to, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	if (!b)
		return err_nomem(ret_error);
	for (unsigned k = 0; k < to->n_ifs; k++)
		for (int way = 0; way < FIREWALL_WAYS; way++)
			if (is_looked_at(&to->ifs[k]) && is_first(to, &to->ifs[k]) &&
			    !same_rules(&from->firewall, &to->firewall, (enum firewall_way)way))
				put_change(b, from, to, &to->ifs[k], (enum firewall_way)way);
	if (nfb_empty(b))
		return 0;
	int r = nfb_commit(b, ret_error);
	fastpath_settle(to);
	return r;
}

/* ---- can the kernel? ------------------------------------------------------------------------------------- */

/* A rule that asks for the state of a connection, in a table that is gone again within the transaction. */
static int probe_tracking(uint8_t family)
{
	static const char table[] = "vectl_probe";
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	struct chains c = { .b = b, .family = family };
	if (!b)
		return -ENOMEM;
	struct nlmsghdr *m = nfb_add(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, family, "try connection tracking");
	struct nlattr *list;
	mnl_attr_put_strz(m, NFTA_TABLE_NAME, table);
	nft_put_chain(b, NFT_ADD, c.family, table, "try");
	m = nft_put_rule(b, c.family, table, "try", &list);
	expr_ct_state(m);
	expr_any_bit(m, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	mnl_attr_nest_end(m, list);
	m = nfb_add(b, NFT_MSG_DELTABLE, 0, family, "try connection tracking");
	mnl_attr_put_strz(m, NFTA_TABLE_NAME, table);
	return nfb_commit(b, NULL);
}

void firewall_load_tracking(void)
{
	probe_tracking(NFPROTO_INET);
}

int firewall_check(const struct net_plan *plan, ve_error **ret_error)
{
	bool needed = false;
	for (unsigned k = 0; k < plan->n_ifs; k++)
		for (int way = 0; way < FIREWALL_WAYS; way++)
			needed |= elements_family(&plan->ifs[k]) == NFPROTO_BRIDGE &&
				  has_rules(&plan->firewall, (enum firewall_way)way) &&
				  needs_tracking(&plan->firewall, (enum firewall_way)way);
	if (!needed || probe_tracking(NFPROTO_BRIDGE) == 0)
		return 0;
	int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "network", "%s", LACK_BRIDGE_CONNTRACK);
	err_hint(ret_error, LACK_BRIDGE_CONNTRACK_HINT);
	return r;
}
