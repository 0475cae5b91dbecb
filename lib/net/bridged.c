/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An interface of type bridged: the VE is in a network of layer 2, as a machine of its own.
 *
 *   VE, ethN                              host, vzID.N
 *   192.0.2.10/24                         port of the bridge, without any address
 *   default via the configured gateway
 *
 * The bridge is one that the host has (network.N.bridge), or NET_OWN_BRIDGE, which vectl makes with the first VE that is
 * to be in it and removes with the last; the host may put an uplink or an address of its own on it. With network.N.vlan
 * the port is in that VLAN alone, untagged.
 */
#include <errno.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

static const char *bridge_name(const struct net_if *i)
{
	return i->bridge ?: NET_OWN_BRIDGE;
}

static bool is_own(const struct net_if *i)
{
	return strcmp(bridge_name(i), NET_OWN_BRIDGE) == 0;
}

int bridged_check(struct nl *nl, const struct net_if *i, ve_error **ret_error)
{
	struct net_link bridge;
	if (is_own(i))
		return 0;
	int r = bridge_find(nl, bridge_name(i), &bridge, ret_error);
	if (r == 0 && i->vlan > 0 && !bridge.filters_vlans) {
		r = err_plain(ret_error, VE_ERR_CONFIG, ENOTSUP, "network",
			      "cannot put 'eth%u' into VLAN %u: the bridge '%s' filters no VLANs", i->label, i->vlan,
			      bridge.name);
		err_hint(ret_error, "switch it on: ip link set %s type bridge vlan_filtering 1", bridge.name);
	}
	return r;
}

/* ---- attach -------------------------------------------------------------------------------------- */

static void drop_own_bridge(void)
{
	_cleanup_nl_ struct nl *nl = NULL;
	_cleanup_close_ int lock = bridge_lock(NULL);
	if (lock >= 0 && nl_open(NETLINK_ROUTE, &nl, NULL) == 0)
		bridge_drop_own(nl, NULL);
}

static void undo_bridge(void *data)
{
	(void)data;
	drop_own_bridge();
}

static int configure_guest(struct net_job *j, const struct net_if *i, const struct ends *e, ve_error **ret_error)
{
	link_put_promote(j->guest, e->host.peer_index, e->guest_name);
	link_put_up(j->guest, e->host.peer_index, e->guest_name);
	for (unsigned k = 0; k < i->n_addrs; k++)
		ends_put_guest_address(j, e, &i->addrs[k]);
	for (unsigned k = 0; k < ARRAY_SIZE(i->gateway); k++)
		if (i->gateway[k].family != 0 && net_if_has(i, i->gateway[k].family))
			route_put_default_via(j->guest, e->host.peer_index, e->guest_name, i->label, &i->gateway[k]);
	return nl_commit(j->guest, ret_error);
}

/* Holding the lock: from here on the bridge has a port, and stays. */
static int join_bridge(struct net_job *j, const struct net_if *i, struct undo *undo, struct ends *e,
		       ve_error **ret_error)
{
	struct net_link bridge;
	int r = is_own(i) ? bridge_ensure_own(j->host, ret_error) : 0;
	if (r == 0)
		r = bridge_find(j->host, bridge_name(i), &bridge, ret_error);
	if (r == 0)
		r = ends_make(j, i, bridge.mtu, undo, e, ret_error);
	if (r < 0)
		return r;
	struct bridge_port port = { .link = &e->host, .bridge = &bridge, .mac = i->mac, .vlan = i->vlan };
	return bridge_add_port(j->host, &port, ret_error);
}

int bridged_attach(struct net_job *j, const struct net_if *i, struct undo *undo, ve_error **ret_error)
{
	struct ends e = { 0 };
	/* Undone after the link. */
	if (is_own(i) && undo_push(undo, undo_bridge, NULL) < 0)
		return err_nomem(ret_error);
	_cleanup_close_ int lock = bridge_lock(ret_error);
	int r = lock < 0 ? lock : join_bridge(j, i, undo, &e, ret_error);
	/* Nothing of the host's answers on the port itself. */
	if (r == 0)
		r = ends_settle_ipv6(&e.host, false, ret_error);
	if (r == 0)
		r = configure_guest(j, i, &e, ret_error);
	if (r < 0)
		return r;
	link_put_no_own_ipv6(j->host, e.host.index, e.host.name);
	link_put_up(j->host, e.host.index, e.host.name);
	r = nl_commit(j->host, ret_error);
	if (r == 0)
		announce_from_inside(j, e.host.peer_index, NULL, i);
	return r;
}

/* ---- detach, change ------------------------------------------------------------------------------- */

int bridged_detach(struct net_job *j, const struct net_if *i, ve_error **ret_error)
{
	char name[IFNAMSIZ];
	net_if_name(j->plan->link_id, i->label, name);
	link_put_delete(j->host, name);
	int r = nl_commit(j->host, ret_error);
	if (r == 0 && is_own(i)) {
		_cleanup_close_ int lock = bridge_lock(ret_error);
		r = lock < 0 ? lock : bridge_drop_own(j->host, ret_error);
	}
	return r;
}

static void put_difference(struct net_job *j, const struct net_if *from, const struct net_if *to, const struct ends *e,
			   bool adding)
{
	const struct net_if *has = adding ? to : from, *lacks = adding ? from : to;
	for (unsigned k = 0; k < has->n_addrs; k++) {
		if (net_if_contains(lacks, &has->addrs[k], net_addr_equal))
			continue;
		if (adding)
			ends_put_guest_address(j, e, &has->addrs[k]);
		else
			link_put_address_delete(j->guest, e->host.peer_index, e->guest_name, &has->addrs[k]);
	}
}

/* The first address of a family brings its default route, the last takes it along. */
static void put_gateways(struct net_job *j, const struct net_if *from, const struct net_if *to, const struct ends *e, bool adding)
{
	const struct net_if *has = adding ? to : from, *lacks = adding ? from : to;
	for (unsigned k = 0; k < ARRAY_SIZE(has->gateway); k++) {
		int family = has->gateway[k].family;
		if (family == 0 || !net_if_has(has, family) || net_if_has(lacks, family))
			continue;
		(adding ? route_put_default_via : route_put_default_via_delete)(j->guest, e->host.peer_index, e->guest_name,
										 has->label, &has->gateway[k]);
	}
}

int bridged_change(struct net_job *j, const struct net_if *from, const struct net_if *to, ve_error **ret_error)
{
	struct ends e = { 0 };
	int r = ends_find(j, to, &e, ret_error);
	if (r < 0)
		return r;
	link_put_promote(j->guest, e.host.peer_index, e.guest_name); /* the VE's root may have changed it */
	put_difference(j, from, to, &e, true);
	put_gateways(j, from, to, &e, true);
	r = nl_commit(j->guest, ret_error);
	if (r == 0) {
		put_gateways(j, from, to, &e, false);
		put_difference(j, from, to, &e, false);
		r = nl_commit(j->guest, ret_error);
	}
	if (r < 0) {
		put_difference(j, to, from, &e, true);
		put_gateways(j, to, from, &e, true);
		put_gateways(j, to, from, &e, false);
		put_difference(j, to, from, &e, false);
		nl_commit(j->guest, NULL);
	} else {
		announce_from_inside(j, e.host.peer_index, from, to);
	}
	return r;
}

/* ---- what somebody has taken away ----------------------------------------------------------------- */

int bridged_look(struct net_job *j, const struct net_if *i, struct net_missing *m, ve_error **ret_error)
{
	struct net_link host, bridge;
	char name[IFNAMSIZ];
	int absent, no_bridge;
	net_if_name(j->plan->link_id, i->label, name);
	link_put_get(j->host, name, 0, &host, &absent);
	link_put_get(j->host, bridge_name(i), 0, &bridge, &no_bridge);
	int r = nl_commit(j->host, ret_error);
	if (r < 0 || absent != 0)
		return r;
	if (no_bridge != 0)
		missing_add(m, "the bridge '%s'", bridge_name(i));
	else if (host.master != bridge.index)
		missing_add(m, "its place in the bridge '%s'", bridge_name(i));
	return 0;
}

int bridged_mend(struct net_job *j, const struct net_if *i, ve_error **ret_error)
{
	struct ends e = { 0 };
	struct net_link bridge;
	int r = ends_find(j, i, &e, ret_error);
	_cleanup_close_ int lock = r == 0 ? bridge_lock(ret_error) : -1;
	if (r == 0)
		r = lock < 0 ? lock : is_own(i) ? bridge_ensure_own(j->host, ret_error) : 0;
	if (r == 0)
		r = bridge_find(j->host, bridge_name(i), &bridge, ret_error);
	if (r < 0 || e.host.master == bridge.index)
		return r;
	struct bridge_port port = { .link = &e.host, .bridge = &bridge, .mac = i->mac, .vlan = i->vlan, .again = true };
	return bridge_add_port(j->host, &port, ret_error);
}
