/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Base chains of other people's nftables that drop what is forwarded. iptables-nft makes such chains too; what iptables-legacy makes is
 * in xtables.c. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "net/priv.h"

enum { BLOCKERS_MAX = 32, NAME_MAX_BYTES = 64 };

struct blocker {
	unsigned char family;
	char table[NAME_MAX_BYTES], chain[NAME_MAX_BYTES];
};

struct blockers {
	struct blocker found[BLOCKERS_MAX];
	unsigned n;
};

static const char *family_name(unsigned char family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

static void copy_name(const struct nlattr *attr, char name[NAME_MAX_BYTES])
{
	snprintf(name, NAME_MAX_BYTES, "%.*s", (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
}

static bool at_forward_hook(const struct nlattr *hook)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, hook)
		if (mnl_attr_get_type(attr) == NFTA_HOOK_HOOKNUM)
			return ntohl(mnl_attr_get_u32(attr)) == NF_INET_FORWARD;
	return false;
}

static void read_chain(const struct nlmsghdr *nlh, void *data)
{
	struct blockers *b = data;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct blocker c = { .family = g->nfgen_family };
	bool forward = false, drops = false;
	if (g->nfgen_family != NFPROTO_IPV4 && g->nfgen_family != NFPROTO_IPV6 && g->nfgen_family != NFPROTO_INET)
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*g)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_CHAIN_TABLE:
			copy_name(attr, c.table);
			break;
		case NFTA_CHAIN_NAME:
			copy_name(attr, c.chain);
			break;
		case NFTA_CHAIN_HOOK:
			forward = at_forward_hook(attr);
			break;
		case NFTA_CHAIN_POLICY:
			drops = ntohl(mnl_attr_get_u32(attr)) == NF_DROP;
			break;
		}
	}
	if (forward && drops && b->n < BLOCKERS_MAX)
		b->found[b->n++] = c;
}

/* `iifname "vz*"` compares two bytes with "vz": an attribute of 6 bytes, NFTA_DATA_VALUE. Somebody who writes such
 * rules has thought of us, whatever they decided. */
static void read_rule(const struct nlmsghdr *nlh, void *data)
{
	static const unsigned char compares[] = { 6, 0, NFTA_DATA_VALUE, 0, 'v', 'z' };
	bool *knows_us = data;
	const struct nlattr *attr;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_RULE_EXPRESSIONS &&
		    memmem(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), compares, sizeof(compares)))
			*knows_us = true;
}

static int tell_blocker(struct nl *nl, const struct blocker *c, net_blocker_fn fn, void *data,
			ve_error **ret_error)
{
	struct net_blocker b = { .family = family_name(c->family), .table = c->table, .chain = c->chain };
	struct nlmsghdr *m = nft_put_ask(nl, NFT_MSG_GETRULE, NLM_F_DUMP, c->family, "read the host's firewall rules");
	mnl_attr_put_strz(m, NFTA_RULE_TABLE, c->table);
	nl_on_reply(nl, read_rule, &b.knows_us);
	nl_tolerate(nl, ENOENT);
	int r = nl_commit(nl, ret_error);
	if (r == 0)
		fn(&b, data);
	return r;
}

int nft_each_blocker(net_blocker_fn fn, void *data, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	struct blockers found = { .n = 0 };
	int r = nft_open(&nl, ret_error);
	if (r < 0)
		return r;
	nft_put_ask(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC, "read the host's firewall chains");
	nl_on_reply(nl, read_chain, &found);
	r = nl_commit(nl, ret_error);
	for (unsigned i = 0; i < found.n && r == 0; i++)
		r = tell_blocker(nl, &found.found[i], fn, data, ret_error);
	return r;
}
