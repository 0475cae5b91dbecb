/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces and the addresses on them. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include "base/guard.h"
#include "net/priv.h"

static struct ifinfomsg *put_ifinfo(struct nlmsghdr *m, int index)
{
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));
	i->ifi_index = index;
	return i;
}

void link_put_veth(struct nl *nl, const struct net_veth *v)
{
	struct nlmsghdr *m =
		nl_add(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "make the interface '%s'", v->host_name);
	put_ifinfo(m, 0);
	mnl_attr_put_strz(m, IFLA_IFNAME, v->host_name);
	/* An address that the kernel made up would be changed by udev (MACAddressPolicy=persistent) while the VE
	 * has it in its neighbour table. */
	mnl_attr_put(m, IFLA_ADDRESS, 6, v->host_mac);
	mnl_attr_put_u32(m, IFLA_MTU, v->mtu);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(m, VETH_INFO_PEER);
	put_ifinfo(m, 0);
	mnl_attr_put_strz(m, IFLA_IFNAME, v->guest_name);
	mnl_attr_put(m, IFLA_ADDRESS, 6, v->guest_mac);
	mnl_attr_put_u32(m, IFLA_MTU, v->mtu);
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)v->netns_fd);
	mnl_attr_nest_end(m, peer);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
}

/* The alias by which vectl knows a bridge that it has made itself. */
const char link_own_alias[] = "made by vectl";

static void read_info(const struct nlattr *info, struct net_link *l)
{
	const struct nlattr *attr, *inner;
	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			l->is_bridge = strcmp(mnl_attr_get_str(attr), "bridge") == 0;
		if (mnl_attr_get_type(attr) != IFLA_INFO_DATA || !l->is_bridge)
			continue;
		mnl_attr_for_each_nested(inner, attr)
			if (mnl_attr_get_type(inner) == IFLA_BR_VLAN_FILTERING)
				l->filters_vlans = mnl_attr_get_u8(inner) != 0;
	}
}

static void read_link(const struct nlmsghdr *nlh, void *data)
{
	struct net_link *l = data;
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	l->index = i->ifi_index;
	l->type = i->ifi_type;
	mnl_attr_for_each(attr, nlh, sizeof(*i)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_MTU:
			l->mtu = mnl_attr_get_u32(attr);
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(attr) == sizeof(l->mac))
				memcpy(l->mac, mnl_attr_get_payload(attr), sizeof(l->mac));
			break;
		case IFLA_LINK:
			l->peer_index = (int)mnl_attr_get_u32(attr);
			break;
		case IFLA_IFNAME:
			strncpy(l->name, mnl_attr_get_str(attr), sizeof(l->name) - 1);
			break;
		case IFLA_MASTER:
			l->master = (int)mnl_attr_get_u32(attr);
			break;
		case IFLA_IFALIAS:
			l->is_ours = strcmp(mnl_attr_get_str(attr), link_own_alias) == 0;
			break;
		case IFLA_LINKINFO:
			read_info(attr, l);
			break;
		}
	}
}

void link_put_get(struct nl *nl, const char *name, int index, struct net_link *ret_link, int *result)
{
	*ret_link = (struct net_link){ 0 };
	struct nlmsghdr *m = name ? nl_add(nl, RTM_GETLINK, 0, "look at the interface '%s'", name)
				  : nl_add(nl, RTM_GETLINK, 0, "look at interface %d", index);
	put_ifinfo(m, name ? 0 : index);
	if (name)
		mnl_attr_put_strz(m, IFLA_IFNAME, name);
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nl_on_reply(nl, read_link, ret_link);
	if (result)
		nl_result_into(nl, result);
}

void link_put_no_own_ipv6(struct nl *nl, int index, const char *name)
{
	struct nlmsghdr *m = nl_add(nl, RTM_SETLINK, 0, "configure the interface '%s'", name);
	put_ifinfo(m, index);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(m, AF_INET6);
	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(m, inet6);
	mnl_attr_nest_end(m, spec);
	nl_tolerate(nl, EAFNOSUPPORT); /* a kernel without IPv6 */
}

void link_put_host_settings(struct nl *nl, const struct net_link *link, bool single)
{
	const struct {
		uint16_t id;
		uint32_t value;
	} settings[] = {
		/* Source addresses that are not the VE's are dropped here already. With several interfaces the
		 * VE's answer may leave by another one than the question came in. */
		{ IPV4_DEVCONF_RP_FILTER, single ? 1 : 2 },
		/* The VE learns by ARP that its gateway is here, and nothing about the host's other addresses. */
		{ IPV4_DEVCONF_ARP_IGNORE, 1 },
		{ IPV4_DEVCONF_PROXY_ARP, 0 },
		{ IPV4_DEVCONF_ACCEPT_REDIRECTS, 0 },
		{ IPV4_DEVCONF_SEND_REDIRECTS, 0 },
		{ IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE, 0 },
		{ IPV4_DEVCONF_FORWARDING, 1 },
	};
	struct nlmsghdr *m = nl_add(nl, RTM_SETLINK, 0, "configure the interface '%s'", link->name);
	put_ifinfo(m, link->index);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *inet = mnl_attr_nest_start(m, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(m, IFLA_INET_CONF);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		mnl_attr_put_u32(m, settings[i].id, settings[i].value);
	mnl_attr_nest_end(m, conf);
	mnl_attr_nest_end(m, inet);
	mnl_attr_nest_end(m, spec);
}

void link_put_promote(struct nl *nl, int index, const char *name)
{
	struct nlmsghdr *m = nl_add(nl, RTM_SETLINK, 0, "configure the interface '%s'", name);
	put_ifinfo(m, index);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *inet = mnl_attr_nest_start(m, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(m, IFLA_INET_CONF);
	mnl_attr_put_u32(m, IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);
	mnl_attr_nest_end(m, conf);
	mnl_attr_nest_end(m, inet);
	mnl_attr_nest_end(m, spec);
}

void link_put_up(struct nl *nl, int index, const char *name)
{
	struct nlmsghdr *m = nl_add(nl, RTM_SETLINK, 0, "bring up the interface '%s'", name);
	struct ifinfomsg *i = put_ifinfo(m, index);
	i->ifi_flags = i->ifi_change = IFF_UP;
}

void link_put_delete(struct nl *nl, const char *name)
{
	struct nlmsghdr *m = nl_add(nl, RTM_DELLINK, 0, "remove the interface '%s'", name);
	put_ifinfo(m, 0);
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	nl_tolerate(nl, ENODEV);
}

static void put_address(struct nlmsghdr *m, int index, const struct net_addr *a, unsigned char scope)
{
	struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));
	i->ifa_family = (unsigned char)a->family;
	i->ifa_prefixlen = a->prefix;
	i->ifa_index = (unsigned)index;
	i->ifa_scope = scope;
	/* Nobody else can be on this cable, so an IPv6 address is good at once. Of one alone there is no network to be routed. */
	uint32_t flags = a->family == AF_INET6 ? IFA_F_NODAD : 0;
	if (a->family == AF_INET6 && net_addr_is_host(a))
		flags |= IFA_F_NOPREFIXROUTE;
	mnl_attr_put_u32(m, IFA_FLAGS, flags);
	mnl_attr_put(m, IFA_LOCAL, net_addr_size(a), &a->v6);
	mnl_attr_put(m, IFA_ADDRESS, net_addr_size(a), &a->v6);
}

void link_put_address(struct nl *nl, int index, const char *name, const struct net_addr *a, unsigned char scope)
{
	struct nlmsghdr *m = nl_add(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "add the address %s to '%s'",
				    addr_text(a).s, name);
	put_address(m, index, a, scope);
	nl_tolerate(nl, EEXIST); /* given by the VE's root before us */
}

void link_put_address_delete(struct nl *nl, int index, const char *name, const struct net_addr *a)
{
	struct nlmsghdr *m = nl_add(nl, RTM_DELADDR, 0, "remove the address %s from '%s'", addr_text(a).s, name);
	put_address(m, index, a, 0);
	nl_tolerate(nl, EADDRNOTAVAIL);
	nl_tolerate(nl, ENODEV);
}
