/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses a pool may not give away although no VE has them: the host's own, and those of the routers it uses. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "net/priv.h"

struct found {
	struct net_addr *addrs;
	unsigned n;
	bool oom;
};

static void add(struct found *f, int family, const struct nlattr *attr)
{
	struct net_addr a = { .family = family };
	a.prefix = (unsigned char)net_addr_bits(&a);
	if (f->oom || mnl_attr_get_payload_len(attr) != net_addr_size(&a))
		return;
	memcpy(&a.v6, mnl_attr_get_payload(attr), net_addr_size(&a));
	struct net_addr *more = reallocarray(f->addrs, f->n + 1, sizeof(*more));
	if (!more) {
		f->oom = true;
		return;
	}
	f->addrs = more;
	f->addrs[f->n++] = a;
}

static void read_address(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	if (i->ifa_family != AF_INET && i->ifa_family != AF_INET6)
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*i))
		if (mnl_attr_get_type(attr) == IFA_LOCAL || mnl_attr_get_type(attr) == IFA_ADDRESS)
			add(data, i->ifa_family, attr);
}

static void read_gateway(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	if (r->rtm_family != AF_INET && r->rtm_family != AF_INET6)
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*r))
		if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			add(data, r->rtm_family, attr);
}

static void put_dumps(struct nl *nl, struct found *found)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	for (size_t k = 0; k < ARRAY_SIZE(families); k++) {
		struct nlmsghdr *m = nl_add(nl, RTM_GETADDR, NLM_F_DUMP, "read the host's addresses");
		struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));
		i->ifa_family = families[k];
		nl_on_reply(nl, read_address, found);
		nl_commit(nl, NULL); /* a kernel without IPv6 has none of it */
		m = nl_add(nl, RTM_GETROUTE, NLM_F_DUMP, "read the host's routes");
		struct rtmsg *r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
		r->rtm_family = families[k];
		nl_on_reply(nl, read_gateway, found);
		nl_commit(nl, NULL);
	}
}

int net_own_addresses(struct net_addr **ret_addrs, unsigned *ret_n, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	struct found found = { 0 };
	int r = nl_open(NETLINK_ROUTE, &nl, ret_error);
	if (r < 0)
		return r;
	put_dumps(nl, &found);
	if (found.oom) {
		free(found.addrs);
		return err_nomem(ret_error);
	}
	*ret_addrs = found.addrs;
	*ret_n = found.n;
	return 0;
}

int net_is_own(const struct net_addr *a, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	struct route_found found;
	int r = nl_open(NETLINK_ROUTE, &nl, ret_error);
	if (r < 0)
		return r;
	route_put_lookup(nl, a, &found);
	r = nl_commit(nl, ret_error);
	return r < 0 ? r : found.errnum == 0 && (found.type == RTN_LOCAL || found.type == RTN_ANYCAST);
}
