/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bridges, and VEs' interfaces as their ports. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

#define LACK_VLAN "the kernel knows no VLAN filtering in bridges"
#define LACK_VLAN_HINT "use a kernel with CONFIG_BRIDGE_VLAN_FILTERING, or leave network.N.vlan unset"

/* The file that stands for the network namespace: whoever holds its lock may look whether the bridge has ports, and then
 * remove it. Gone with its holder. */
int bridge_lock(ve_error **ret_error)
{
	_cleanup_close_ int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;
	do
		r = fd < 0 ? -1 : flock(fd, LOCK_EX);
	while (r < 0 && fd >= 0 && errno == EINTR);
	return r < 0 ? err_sys(ret_error, errno, "network", "cannot lock the host's network namespace") : steal_fd(&fd);
}

static struct ifinfomsg *put_ifinfo(struct nlmsghdr *m, unsigned char family, int index)
{
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));
	i->ifi_family = family;
	i->ifi_index = index;
	return i;
}

int bridge_find(struct nl *nl, const char *name, struct net_link *ret_bridge, ve_error **ret_error)
{
	int missing = ENODEV;
	*ret_bridge = (struct net_link){ 0 };
	if (name[0] != '\0' && strnlen(name, IFNAMSIZ) < IFNAMSIZ) {
		link_put_get(nl, name, 0, ret_bridge, &missing);
		int r = nl_commit(nl, ret_error);
		if (r < 0)
			return r;
	}
	if (missing == 0 && ret_bridge->is_bridge)
		return 0;
	_cleanup_free_ char *quoted = str_quote(name);
	return err_plain(ret_error, VE_ERR_CONFIG, missing ?: ENOTSUP, "network",
			 missing ? "the bridge '%s' does not exist" : "'%s' is no bridge", quoted ?: "?");
}

int bridge_ensure_own(struct nl *nl, ve_error **ret_error)
{
	struct net_link bridge;
	int missing;
	link_put_get(nl, NET_OWN_BRIDGE, 0, &bridge, &missing);
	int r = nl_commit(nl, ret_error);
	if (r < 0 || missing == 0)
		return r;
	struct nlmsghdr *m =
		nl_add(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "make the bridge '" NET_OWN_BRIDGE "'");
	put_ifinfo(m, AF_UNSPEC, 0)->ifi_flags = 0;
	mnl_attr_put_strz(m, IFLA_IFNAME, NET_OWN_BRIDGE);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(m, info);
	m = nl_add(nl, RTM_SETLINK, 0, "bring up the bridge '" NET_OWN_BRIDGE "'");
	struct ifinfomsg *i = put_ifinfo(m, AF_UNSPEC, 0);
	i->ifi_flags = i->ifi_change = IFF_UP;
	mnl_attr_put_strz(m, IFLA_IFNAME, NET_OWN_BRIDGE);
	mnl_attr_put_strz(m, IFLA_IFALIAS, link_own_alias);
	return nl_commit(nl, ret_error);
}

struct port_count {
	int bridge;
	unsigned n;
};

static void count_port(const struct nlmsghdr *nlh, void *data)
{
	struct port_count *c = data;
	const struct nlattr *attr;
	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == IFLA_MASTER && (int)mnl_attr_get_u32(attr) == c->bridge)
			c->n++;
}

int bridge_drop_own(struct nl *nl, ve_error **ret_error)
{
	struct net_link bridge;
	int missing;
	link_put_get(nl, NET_OWN_BRIDGE, 0, &bridge, &missing);
	int r = nl_commit(nl, ret_error);
	if (r < 0 || missing != 0 || !bridge.is_bridge || !bridge.is_ours)
		return r;
	struct port_count ports = { .bridge = bridge.index };
	struct nlmsghdr *m =
		nl_add(nl, RTM_GETLINK, NLM_F_DUMP, "look for ports of the bridge '" NET_OWN_BRIDGE "'");
	put_ifinfo(m, AF_UNSPEC, 0);
	mnl_attr_put_u32(m, IFLA_MASTER, (uint32_t)bridge.index);
	nl_on_reply(nl, count_port, &ports);
	r = nl_commit(nl, ret_error);
	if (r < 0 || ports.n > 0)
		return r;
	link_put_delete(nl, NET_OWN_BRIDGE);
	return nl_commit(nl, ret_error);
}

/* ---- ports --------------------------------------------------------------------------------------- */

static void put_port_settings(struct nl *nl, const struct bridge_port *p)
{
	const struct {
		uint16_t id;
		uint8_t value;
	} settings[] = {
		/* Behind the port is one MAC, which is entered below: a VE that sends from another one neither draws
		 * its traffic here nor sees what is not for it. */
		{ IFLA_BRPORT_LEARNING, 0 },
		{ IFLA_BRPORT_UNICAST_FLOOD, 0 },
		/* No spanning tree out of a VE, also where the rules are gone. */
		{ IFLA_BRPORT_GUARD, 1 },
		{ IFLA_BRPORT_PROTECT, 1 },
		{ IFLA_BRPORT_MULTICAST_ROUTER, 0 },
		{ IFLA_BRPORT_MODE, 0 },
	};
	struct nlmsghdr *m = nl_add(nl, RTM_SETLINK, 0, "configure the port '%s' of the bridge '%s'", p->link->name,
				    p->bridge->name);
	put_ifinfo(m, AF_BRIDGE, p->link->index);
	struct nlattr *nest = mnl_attr_nest_start(m, IFLA_PROTINFO);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		mnl_attr_put_u8(m, settings[i].id, settings[i].value);
	mnl_attr_nest_end(m, nest);
}

static void put_fixed_mac(struct nl *nl, const struct bridge_port *p)
{
	/* Not in the place of another's, whose traffic it would draw. */
	struct nlmsghdr *m = nl_add(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL,
				    "enter the VE's MAC in the bridge '%s'", p->bridge->name);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(m, sizeof(*n));
	n->ndm_family = AF_BRIDGE;
	n->ndm_ifindex = p->link->index;
	n->ndm_state = NUD_NOARP;
	n->ndm_flags = NTF_MASTER;
	mnl_attr_put(m, NDA_LLADDR, 6, p->mac);
	/* Without one it is entered in the VLANs that the port is in now, and not in those that it comes to be in. */
	if (p->vlan > 0)
		mnl_attr_put_u16(m, NDA_VLAN, (uint16_t)p->vlan);
	if (p->again)
		nl_tolerate(nl, EEXIST);
}

static void put_vlan(struct nl *nl, const struct bridge_port *p, uint16_t type, uint16_t vid, uint16_t flags)
{
	struct bridge_vlan_info v = { .flags = flags, .vid = vid };
	struct nlmsghdr *m = nl_add(nl, type, 0, "%s VLAN %u at the port '%s' of the bridge '%s'",
				    type == RTM_SETLINK ? "set" : "remove", vid, p->link->name, p->bridge->name);
	put_ifinfo(m, AF_BRIDGE, p->link->index);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	mnl_attr_put(m, IFLA_BRIDGE_VLAN_INFO, sizeof(v), &v);
	mnl_attr_nest_end(m, spec);
}

/* The bridge of ours filters from the first VE on that needs it; until then all are in one. */
static void put_filtering(struct nl *nl, const struct net_link *bridge)
{
	struct nlmsghdr *m =
		nl_add(nl, RTM_NEWLINK, 0, "switch on VLAN filtering in the bridge '%s'", bridge->name);
	put_ifinfo(m, AF_UNSPEC, bridge->index);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "bridge");
	struct nlattr *data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	mnl_attr_put_u8(m, IFLA_BR_VLAN_FILTERING, 1);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
}

static int set_vlan(struct nl *nl, const struct bridge_port *p, ve_error **ret_error)
{
	_cleanup_err_ ve_error *error = NULL;
	struct net_link now;
	if (p->bridge->is_ours && !p->bridge->filters_vlans)
		put_filtering(nl, p->bridge);
	/* The bridge has put the port into its default VLAN (1, or another one, or none). */
	put_vlan(nl, p, RTM_SETLINK, (uint16_t)p->vlan, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	if (p->vlan != 1) {
		put_vlan(nl, p, RTM_DELLINK, 1, 0);
		nl_tolerate(nl, ENOENT);
	}
	int r = nl_commit(nl, &error);
	if (r == 0) {
		/* A kernel without it takes the word and does nothing. */
		link_put_get(nl, p->bridge->name, 0, &now, NULL);
		r = nl_commit(nl, &error);
	}
	if (r == -EOPNOTSUPP || (r == 0 && !now.filters_vlans)) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "network",
			      "cannot put '%s' into VLAN %u: " LACK_VLAN, p->link->name, p->vlan);
		err_hint(ret_error, LACK_VLAN_HINT);
	} else {
		err_propagate(ret_error, &error);
	}
	return r;
}

int bridge_add_port(struct nl *nl, const struct bridge_port *p, ve_error **ret_error)
{
	struct nlmsghdr *m = nl_add(nl, RTM_SETLINK, 0, "put '%s' into the bridge '%s'", p->link->name, p->bridge->name);
	put_ifinfo(m, AF_UNSPEC, p->link->index);
	mnl_attr_put_u32(m, IFLA_MASTER, (uint32_t)p->bridge->index);
	put_port_settings(nl, p);
	if (p->vlan == 0)
		put_fixed_mac(nl, p);
	int r = nl_commit(nl, ret_error);
	if (r < 0 || p->vlan == 0)
		return r;
	r = set_vlan(nl, p, ret_error);
	if (r < 0)
		return r;
	put_fixed_mac(nl, p);
	return nl_commit(nl, ret_error);
}
