/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Routes: the host's to each VE, the VE's to the host, and what the host's table answers. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/priv.h"

struct net_addr route_gateway(uint32_t link_id, int family)
{
	const unsigned char last = (unsigned char)(1 + link_id % 254);
	if (family == AF_INET)
		return (struct net_addr){ .family = AF_INET, .v6.s6_addr = { 169, 254, 1, last }, .prefix = 32 };
	return (struct net_addr){ .family = AF_INET6, .v6.s6_addr = { 0xfe, 0x80, [15] = last }, .prefix = 128 };
}

static struct rtmsg *put_route(struct nlmsghdr *m, int family, const struct net_addr *dst, unsigned char scope)
{
	struct rtmsg *r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->rtm_family = (unsigned char)family;
	r->rtm_dst_len = dst ? dst->prefix : 0;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = RTPROT_STATIC;
	r->rtm_scope = scope;
	r->rtm_type = RTN_UNICAST;
	if (dst)
		mnl_attr_put(m, RTA_DST, net_addr_size(dst), &dst->v6);
	return r;
}

/* ---- the host's side ----------------------------------------------------------------------------- */

void route_put_to(struct nl *nl, int index, const char *name, const struct net_addr *a, unsigned char scope, uint16_t flags)
{
	struct net_addr network;
	net_addr_network(a, &network);
	struct nlmsghdr *m = nl_add(nl, RTM_NEWROUTE, NLM_F_CREATE | flags, "route %s to '%s'",
				    addr_text(&network).s, name);
	put_route(m, a->family, &network, scope);
	mnl_attr_put_u32(m, RTA_OIF, (uint32_t)index);
}

void route_put_to_delete(struct nl *nl, int index, const char *name, const struct net_addr *a)
{
	struct net_addr network;
	net_addr_network(a, &network);
	struct nlmsghdr *m =
		nl_add(nl, RTM_DELROUTE, 0, "remove the route of %s to '%s'", addr_text(&network).s, name);
	put_route(m, a->family, &network, RT_SCOPE_NOWHERE); /* whatever its scope is */
	mnl_attr_put_u32(m, RTA_OIF, (uint32_t)index);
	nl_tolerate(nl, ESRCH);
	nl_tolerate(nl, ENODEV);
}

/* ---- the VE's side ------------------------------------------------------------------------------- */

static struct rtmsg *put_default(struct nlmsghdr *m, int index, unsigned label, const struct net_addr *gateway)
{
	struct rtmsg *r = put_route(m, gateway->family, NULL, RT_SCOPE_UNIVERSE);
	mnl_attr_put(m, RTA_GATEWAY, net_addr_size(gateway), &gateway->v6);
	mnl_attr_put_u32(m, RTA_OIF, (uint32_t)index);
	/* The interface with the lowest label wins; 1024 is what IPv6 gives a route without a metric. */
	mnl_attr_put_u32(m, RTA_PRIORITY, gateway->family == AF_INET ? label : 1024 + label);
	return r;
}

void route_put_default(struct nl *nl, int index, const char *name, unsigned label, const struct net_addr *gateway)
{
	if (gateway->family == AF_INET) {
		struct nlmsghdr *m = nl_add(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
					    "route the gateway to '%s' in the VE", name);
		put_route(m, AF_INET, gateway, RT_SCOPE_LINK);
		mnl_attr_put_u32(m, RTA_OIF, (uint32_t)index);
		if (label > 0)
			mnl_attr_put_u32(m, RTA_PRIORITY, label);
	}
	struct nlmsghdr *m = nl_add(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
				    "set the VE's default route through '%s'", name);
	put_default(m, index, label, gateway);
}

static void put_default_via(struct nlmsghdr *m, int index, unsigned label, const struct net_addr *gateway)
{
	struct rtmsg *r = put_default(m, index, label, gateway);
	r->rtm_flags = RTNH_F_ONLINK; /* also where the VE has single addresses, and the gateway is in no network of its */
}

void route_put_default_via(struct nl *nl, int index, const char *name, unsigned label, const struct net_addr *gateway)
{
	put_default_via(nl_add(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
			       "set the VE's default route through '%s' via %s", name, addr_text(gateway).s),
			index, label, gateway);
}

void route_put_default_via_delete(struct nl *nl, int index, const char *name, unsigned label, const struct net_addr *gateway)
{
	put_default_via(nl_add(nl, RTM_DELROUTE, 0, "remove the VE's default route through '%s' via %s", name,
			       addr_text(gateway).s),
			index, label, gateway);
	nl_tolerate(nl, ESRCH); /* the VE's root may have removed it */
	nl_tolerate(nl, ENODEV);
}

void route_put_default_delete(struct nl *nl, int index, const char *name, unsigned label, const struct net_addr *gateway)
{
	struct nlmsghdr *m = nl_add(nl, RTM_DELROUTE, 0, "remove the VE's default route through '%s'", name);
	put_default(m, index, label, gateway);
	nl_tolerate(nl, ESRCH);
	nl_tolerate(nl, ENODEV);
}

/* ---- look-up ------------------------------------------------------------------------------------- */

static void read_found(const struct nlmsghdr *nlh, void *data)
{
	struct route_found *f = data;
	const struct rtmsg *r = mnl_nlmsg_get_payload(nlh);
	f->type = r->rtm_type;
	f->prefix = r->rtm_dst_len;
	f->scope = r->rtm_scope;
	f->protocol = r->rtm_protocol;
	const struct nlattr *attr;
	mnl_attr_for_each(attr, nlh, sizeof(*r)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			f->index = (int)mnl_attr_get_u32(attr);
			break;
		case RTA_GATEWAY:
		case RTA_VIA:
			f->has_gateway = true;
			break;
		case RTA_MULTIPATH:
			/* Several ways: the first speaks for them. */
			if (mnl_attr_get_payload_len(attr) >= sizeof(struct rtnexthop))
				f->index = ((const struct rtnexthop *)mnl_attr_get_payload(attr))->rtnh_ifindex;
			f->has_gateway = true;
			break;
		}
	}
}

void route_put_lookup(struct nl *nl, const struct net_addr *a, struct route_found *ret)
{
	*ret = (struct route_found){ 0 };
	struct nlmsghdr *m = nl_add(nl, RTM_GETROUTE, 0, "look up the route to %s", addr_text(a).s);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->rtm_family = (unsigned char)a->family;
	r->rtm_dst_len = (unsigned char)net_addr_bits(a);
	r->rtm_flags = RTM_F_FIB_MATCH; /* the entry itself, not what is made of it for this address */
	mnl_attr_put(m, RTA_DST, net_addr_size(a), &a->v6);
	nl_on_reply(nl, read_found, ret);
	nl_result_into(nl, &ret->errnum);
}

struct each_default {
	route_default_fn fn;
	void *data;
};

static void read_default(const struct nlmsghdr *nlh, void *data)
{
	struct each_default *each = data;
	const struct rtmsg *r = mnl_nlmsg_get_payload(nlh);
	if (r->rtm_dst_len != 0 || r->rtm_type != RTN_UNICAST || r->rtm_table != RT_TABLE_MAIN)
		return;
	struct route_found f = { 0 };
	read_found(nlh, &f);
	struct route_default d = { .index = f.index, .protocol = r->rtm_protocol };
	const struct nlattr *attr;
	mnl_attr_for_each(attr, nlh, sizeof(*r)) {
		if (mnl_attr_get_type(attr) == RTA_PRIORITY)
			d.metric = mnl_attr_get_u32(attr);
	}
	if (d.index > 0)
		each->fn(&d, each->data);
}

int route_each_default(struct nl *nl, int family, route_default_fn fn, void *data, ve_error **ret_error)
{
	struct each_default each = { fn, data };
	struct nlmsghdr *m = nl_add(nl, RTM_GETROUTE, NLM_F_DUMP, "read the host's routes");
	struct rtmsg *r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->rtm_family = (unsigned char)family;
	nl_on_reply(nl, read_default, &each);
	nl_tolerate(nl, EOPNOTSUPP); /* a kernel without IPv6 has no routes of it */
	nl_tolerate(nl, EAFNOSUPPORT);
	return nl_commit(nl, ret_error);
}
