/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Before a start: can this plan be carried out? Nothing is changed. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

/* What the host's routing table says of one address of the plan. */
static int check_found(const struct net_plan *plan, const struct net_if *i, const struct net_addr *a,
		       const struct route_found *f, ve_error **ret_error)
{
	struct addr_text text = addr_text(a);
	if (f->errnum != 0)
		return 0;
	if (f->type == RTN_LOCAL || f->type == RTN_ANYCAST) {
		return err_plain(ret_error, VE_ERR_EXISTS, EADDRINUSE, "network",
				 "the address %s is taken: it is the host's own", text.s);
	}
	if (f->type == RTN_BROADCAST) {
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "network",
				 "the address %s is a broadcast address of the host's network", text.s);
	}
	/* The host's neighbours would become unreachable from a VE, and a VE from them. */
	if (net_types[i->type].masqueraded && f->type == RTN_UNICAST && f->prefix > 0 &&
	    f->prefix < net_addr_bits(a) && !f->has_gateway) {
		int r = err_plain(ret_error, VE_ERR_CONFIG, EADDRINUSE, "network",
				  "nat.range %s overlaps a network that the host is in", plan->nat_range);
		err_hint(ret_error, "choose another one: vectl host set nat.range=10.78.0.0/16");
		return r;
	}
	return 0;
}

/* ---- prefixes ------------------------------------------------------------------------------------ */

struct own_addresses {
	const struct net_addr *prefix;
	struct net_addr hit; /* family 0: none */
};

static void match_own(const struct nlmsghdr *nlh, void *data)
{
	struct own_addresses *own = data;
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct net_addr a = { .family = i->ifa_family };
	if (a.family != own->prefix->family)
		return;
	a.prefix = (unsigned char)net_addr_bits(&a);
	mnl_attr_for_each(attr, nlh, sizeof(*i)) {
		unsigned type = mnl_attr_get_type(attr);
		if ((type == IFA_LOCAL || type == IFA_ADDRESS) &&
		    mnl_attr_get_payload_len(attr) == net_addr_size(&a) &&
		    net_bits_equal(mnl_attr_get_payload(attr), &own->prefix->v6, own->prefix->prefix)) {
			__builtin_memcpy(&a.v6, mnl_attr_get_payload(attr), net_addr_size(&a));
			own->hit = a;
		}
	}
}

/* A prefix goes to the VE as a whole: a netmask typed from habit would take the host's own network away. In a bridge it is
 * a netmask. */
static int check_prefix(struct nl *nl, const struct net_addr *a, bool on_bridge, ve_error **ret_error)
{
	if (net_addr_is_host(a) || on_bridge)
		return 0;
	struct own_addresses own = { .prefix = a };
	struct nlmsghdr *m = nl_add(nl, RTM_GETADDR, NLM_F_DUMP, "read the host's addresses");
	struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));
	i->ifa_family = (unsigned char)a->family;
	nl_on_reply(nl, match_own, &own);
	int r = nl_commit(nl, ret_error);
	if (r < 0 || own.hit.family == 0)
		return r;
	struct net_addr alone = *a;
	alone.prefix = (unsigned char)net_addr_bits(a);
	r = err_plain(ret_error, VE_ERR_CONFIG, EADDRINUSE, "network",
		      "the whole network of %s would be routed to the VE, and the host's own address %s is in it",
		      addr_text(a).s, addr_text(&own.hit).s);
	err_hint(ret_error, "for the one address write %s", addr_text(&alone).s);
	return r;
}

/* ---- the plan ------------------------------------------------------------------------------------ */

static int check_if(struct nl *nl, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	_cleanup_free_ struct route_found *found = calloc(i->n_addrs + 1, sizeof(*found));
	if (!found)
		return err_nomem(ret_error);
	for (unsigned k = 0; k < i->n_addrs; k++)
		route_put_lookup(nl, &i->addrs[k], &found[k]);
	int r = nl_commit(nl, ret_error);
	for (unsigned k = 0; k < i->n_addrs && r == 0; k++) {
		r = check_found(plan, i, &i->addrs[k], &found[k], ret_error);
		if (r == 0)
			r = check_prefix(nl, &i->addrs[k], net_types[i->type].on_bridge, ret_error);
	}
	return r;
}

/* Will the file NAME be loaded, and can it be? */
static int check_loadable(int loaded, const char *data_dir, const char *name, ve_error **ret_error)
{
	if (loaded != 0)
		return loaded < 0 ? loaded : 0;
	_cleanup_free_ char *file = str_printf("%s/nft/%s", data_dir, name);
	if (!file)
		return err_nomem(ret_error);
	if (access(file, R_OK) < 0)
		return err_sys(ret_error, errno, "network", "cannot read the firewall file '%s'", file);
	if (nft_program())
		return 0;
	int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "network",
			  "cannot load the firewall file '%s': " LACK_NFT, file);
	err_hint(ret_error, LACK_NFT_HINT);
	return r;
}

static int check_firewall(const struct net_plan *plan, bool nat, ve_error **ret_error)
{
	struct net_addr range;
	int r = check_loadable(nft_rules_loaded(ret_error), plan->data_dir, NFT_FILE, ret_error);
	if (r == 0 && nat)
		r = net_range_parse(plan->nat_range, &range, ret_error);
	if (r == 0 && nat)
		r = check_loadable(nft_nat_loaded(&range, ret_error), plan->data_dir, NFT_NAT_FILE, ret_error);
	return r;
}

int net_check(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	struct uplinks uplinks;
	bool attached = false, nat = false;
	int r = 0;
	for (unsigned k = 0; k < plan->n_ifs && r == 0; k++) {
		const struct net_if *i = &plan->ifs[k];
		const struct net_type_ops *t = &net_types[i->type];
		if (!t->attach)
			continue;
		if (!nl) {
			r = nl_open(NETLINK_ROUTE, &nl, ret_error);
			if (r == 0)
				r = uplink_find(nl, plan->uplink, &uplinks, ret_error);
		}
		attached = true;
		nat |= t->masqueraded;
		if (r == 0 && t->check)
			r = t->check(nl, i, ret_error);
		if (r == 0 && t->masqueraded)
			r = forwards_check(i, ret_error);
		if (r == 0)
			r = check_if(nl, plan, i, ret_error);
	}
	if (r == 0 && attached)
		r = check_firewall(plan, nat, ret_error);
	return r == 0 && attached ? firewall_check(plan, ret_error) : r;
}
