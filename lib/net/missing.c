/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is missing of a VE that runs, because somebody has taken it away from outside. Of the firewall: what would be written
 * for the VE now (elements.c) is written into a batch that goes nowhere, and each of its requests is turned into the
 * question whether that is there. Of a VE's own chains the rules are compared by number, comment and kind of expressions.
 * Of routes, neighbours and ports the types of interfaces know themselves (their `look`).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "base/guard.h"
#include "net/elements.h"
#include "net/priv.h"

enum { NAME_BYTES = 32, CHAINS_MAX = 16 };

void missing_add(struct net_missing *m, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (m->n++ == 0)
		vsnprintf(m->first, sizeof(m->first), fmt, ap);
	va_end(ap);
}

/* ---- what a request asks for, and what is there --------------------------------------------------------- */

static const char *name_in(const struct nlmsghdr *m, unsigned type)
{
	return nft_text(nft_attr(m, type));
}

static uint8_t family_of(const struct nlmsghdr *m)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(m))->nfgen_family;
}

static const struct nlattr *element_in(const struct nlmsghdr *m)
{
	return nft_nested(nft_attr(m, NFTA_SET_ELEM_LIST_ELEMENTS), NFTA_LIST_ELEM);
}

/* Does B say all that A says? The kernel adds to what it was told. */
static bool holds(const struct nlattr *a, const struct nlattr *b)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, a) {
		const struct nlattr *other = nft_nested(b, mnl_attr_get_type(attr));
		if (!other)
			return false;
		if (attr->nla_type & NLA_F_NESTED) {
			if (!holds(attr, other))
				return false;
		} else if (mnl_attr_get_payload_len(attr) != mnl_attr_get_payload_len(other) ||
			   memcmp(mnl_attr_get_payload(attr), mnl_attr_get_payload(other), mnl_attr_get_payload_len(attr)) != 0) {
			return false;
		}
	}
	return true;
}

/* ---- rules of a VE's own chains -------------------------------------------------------------------------- */

struct own_chain {
	uint8_t family;
	char name[NAME_BYTES];
	uint64_t wanted, there; /* what its rules come to */
};

static void add(uint64_t *sum, const struct nlattr *attr)
{
	static const unsigned char behind = 0xff;
	if (attr)
		*sum = fnv_add(*sum, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	*sum = fnv_add(*sum, &behind, 1);
}

static void add_rule(uint64_t *sum, const struct nlmsghdr *m)
{
	const struct nlattr *list = nft_attr(m, NFTA_RULE_EXPRESSIONS), *expression;
	add(sum, nft_attr(m, NFTA_RULE_USERDATA));
	if (list)
		mnl_attr_for_each_nested(expression, list)
			add(sum, nft_nested(expression, NFTA_EXPR_NAME));
}

static void read_rule(const struct nlmsghdr *m, void *data)
{
	struct own_chain *c = data;
	if (strcmp(name_in(m, NFTA_RULE_CHAIN), c->name) == 0)
		add_rule(&c->there, m);
}

/* ---- questions --------------------------------------------------------------------------------------------- */

struct questions {
	struct nl *nl;
	struct net_missing *m;
	struct own_chain chains[CHAINS_MAX];
	unsigned n_chains;
	int r;
	ve_error **ret_error;
};

static struct nlmsghdr *ask(struct questions *q, unsigned message, uint16_t flags, uint8_t family)
{
	return nft_put_ask(q->nl, message, flags, family, "read the firewall's sets");
}

struct wanted_element {
	const struct nlattr *data; /* of a map, else NULL */
	bool differs;
};

static void read_element(const struct nlmsghdr *m, void *data)
{
	struct wanted_element *w = data;
	const struct nlattr *there = nft_nested(element_in(m), NFTA_SET_ELEM_DATA);
	w->differs = w->data && !(there && holds(w->data, there));
}

static void ask_element(struct questions *q, const struct nlmsghdr *request)
{
	const struct nlattr *element = element_in(request), *key = nft_nested(element, NFTA_SET_ELEM_KEY);
	const char *table = name_in(request, NFTA_SET_ELEM_LIST_TABLE), *set = name_in(request, NFTA_SET_ELEM_LIST_SET);
	struct wanted_element wanted = { .data = nft_nested(element, NFTA_SET_ELEM_DATA) };
	int absent;
	struct nlmsghdr *m = ask(q, NFT_MSG_GETSETELEM, 0, family_of(request));
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, set);
	struct nlattr *list = mnl_attr_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *elem = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	mnl_attr_put(m, NFTA_SET_ELEM_KEY | NLA_F_NESTED, mnl_attr_get_payload_len(key), mnl_attr_get_payload(key));
	mnl_attr_nest_end(m, elem);
	mnl_attr_nest_end(m, list);
	nl_on_reply(q->nl, read_element, &wanted);
	nl_result_into(q->nl, &absent);
	q->r = nl_commit(q->nl, q->ret_error);
	if (q->r < 0 || (absent == 0 && !wanted.differs))
		return;
	missing_add(q->m, "its element of the set '%s' of the nftables table '%s'", set, table);
	q->m->in_firewall = true;
	q->m->differs |= wanted.differs;
}

static struct own_chain *find_chain(struct questions *q, const struct nlmsghdr *request)
{
	for (unsigned i = 0; i < q->n_chains; i++)
		if (q->chains[i].family == family_of(request) &&
		    strcmp(q->chains[i].name, name_in(request, NFTA_RULE_CHAIN)) == 0)
			return &q->chains[i];
	return NULL;
}

static void note_chain(struct questions *q, const struct nlmsghdr *request)
{
	if (q->n_chains == CHAINS_MAX)
		return;
	struct own_chain *c = &q->chains[q->n_chains++];
	c->family = family_of(request);
	snprintf(c->name, sizeof(c->name), "%s", name_in(request, NFTA_CHAIN_NAME));
}

static void turn(const struct nlmsghdr *request, void *data)
{
	struct questions *q = data;
	struct own_chain *c;
	if (q->r < 0)
		return;
	switch (request->nlmsg_type & 0xff) {
	case NFT_MSG_NEWSETELEM:
		ask_element(q, request);
		break;
	case NFT_MSG_NEWCHAIN:
		note_chain(q, request);
		break;
	case NFT_MSG_NEWRULE:
		if ((c = find_chain(q, request)))
			add_rule(&c->wanted, request);
		break;
	}
}

static void ask_chain(struct questions *q, struct own_chain *c)
{
	struct nlmsghdr *m = ask(q, NFT_MSG_GETRULE, NLM_F_DUMP, c->family);
	mnl_attr_put_strz(m, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, c->name);
	nl_on_reply(q->nl, read_rule, c);
	nl_tolerate(q->nl, ENOENT);
	q->r = nl_commit(q->nl, q->ret_error);
	if (q->r < 0 || c->there == c->wanted)
		return;
	missing_add(q->m, "rules of its chain '%s'", c->name);
	q->m->in_firewall = true;
}

static int look_at_firewall(const struct net_plan *plan, struct net_missing *m, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	struct questions q = { .m = m, .ret_error = ret_error };
	if (!b)
		return err_nomem(ret_error);
	q.r = elements_put(b, NFT_ADD, plan, ret_error);
	if (q.r == 0)
		q.r = nl_open(NETLINK_NETFILTER, &nl, ret_error);
	q.nl = nl;
	if (q.r == 0)
		nfb_each(b, turn, &q);
	for (unsigned i = 0; q.r == 0 && i < q.n_chains; i++)
		ask_chain(&q, &q.chains[i]);
	return q.r;
}

int net_look(const struct net_plan *plan, struct net_missing *ret, ve_error **ret_error)
{
	struct net_job j = { .plan = plan, .netns_fd = -1 };
	_cleanup_nl_ struct nl *host = NULL;
	*ret = (struct net_missing){ 0 };
	if (!net_plan_attaches(plan))
		return 0;
	int r = look_at_firewall(plan, ret, ret_error);
	if (r == 0)
		r = nl_open(NETLINK_ROUTE, &host, ret_error);
	j.host = host;
	if (r == 0)
		r = uplink_find_for(&j, ret_error);
	unsigned in_firewall = ret->n;
	for (unsigned k = 0; r == 0 && k < plan->n_ifs; k++)
		if (net_types[plan->ifs[k].type].look)
			r = net_types[plan->ifs[k].type].look(&j, &plan->ifs[k], ret, ret_error);
	ret->on_host = ret->n > in_firewall;
	return r;
}
