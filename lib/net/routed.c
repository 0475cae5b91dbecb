/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An interface of type routed or nat: a veth pair and host routes; no address of a network is used up for it, and
 * nothing of layer 2 reaches the VE or leaves it.
 *
 *   VE, ethN                                  host, vzID.N
 *   192.0.2.10/32                             169.254.1.7/32, fe80::7/128: the next hop (route_gateway())
 *   169.254.1.7 dev ethN scope link           192.0.2.10 dev vzID.N
 *   default via 169.254.1.7, via fe80::7      192.0.2.10 lladdr of ethN, permanent
 *                                             the VE's link-local address dev vzID.N
 *                                             uplink: proxy entry for 192.0.2.10 (routed only, and
 *                                             where the host's key `proxy` has it)
 *
 * An address with a shorter prefix has that whole prefix routed to the VE; the uplink answers for the address
 * itself only, as whoever hands out prefixes routes them.
 *
 * The host's end is made ready first, and the guest's comes up as the last that needs the kernel's lock (rtnl), but for one route:
 * with both up there is a carrier, upon which a worker of the kernel's walks through all IPv6 routes of the host, with that lock.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "net/fastpath.h"
#include "net/priv.h"

static bool proxied(const struct net_if *i)
{
	return net_types[i->type].proxied;
}

/* ---- undo ---------------------------------------------------------------------------------------- */

/* Undo data is one block of malloc(3) each, so that a commit may free it as such. */
struct undo_proxies {
	struct uplinks answering;
	unsigned n;
	struct net_addr addrs[];
};

static void undo_proxies(void *data)
{
	struct undo_proxies *p = data;
	_cleanup_nl_ struct nl *nl = NULL;
	if (nl_open(NETLINK_ROUTE, &nl, NULL) == 0)
		neigh_delete_proxies(nl, &p->answering, &p->answering, p->addrs, p->n, NULL);
	free(p);
}

static int push_proxies(struct undo *undo, const struct uplinks *answering, const struct net_if *i, ve_error **ret_error)
{
	struct undo_proxies *p = malloc(sizeof(*p) + i->n_addrs * sizeof(p->addrs[0]));
	if (!p)
		return err_nomem(ret_error);
	p->answering = *answering;
	p->n = i->n_addrs;
	if (i->n_addrs > 0)
		memcpy(p->addrs, i->addrs, i->n_addrs * sizeof(p->addrs[0]));
	return undo_push_owned(undo, undo_proxies, free, p) < 0 ? err_nomem(ret_error) : 0;
}

/* ---- both ends ----------------------------------------------------------------------------------- */

/* ROUTE_FLAGS: see route_put_to(). */
static void host_put_address(struct net_job *j, const struct net_if *i, const struct ends *e,
			     const struct net_addr *a, uint16_t route_flags)
{
	/* A route of global scope makes the kernel take one of the host's real addresses as the source of what the
	 * host itself sends; with scope link it would take the next hop's. A host without an uplink may have no
	 * other. */
	unsigned char scope = a->family == AF_INET && j->uplinks.v4.index == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	route_put_to(j->host, e->host.index, e->host.name, a, scope, route_flags);
	neigh_put_fixed(j->host, e->host.index, e->host.name, a, i->mac);
	const struct net_link *uplink = uplink_of(&j->answering, a->family);
	if (proxied(i) && uplink->index > 0)
		neigh_put_proxy(j->host, uplink, a);
}

static int prepare_uplinks(struct net_job *j, const struct net_if *i, ve_error **ret_error)
{
	static const int families[] = { AF_INET, AF_INET6 };
	for (size_t k = 0; k < ARRAY_SIZE(families); k++) {
		const struct net_link *uplink = uplink_of(&j->answering, families[k]);
		if (!proxied(i) || uplink->index == 0 || !net_if_has(i, families[k]))
			continue;
		int r = neigh_prepare_uplink(uplink, families[k], ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

static void put_gateway_address(struct net_job *j, const struct ends *e, int family)
{
	const struct net_addr gateway = route_gateway(j->plan->link_id, family);
	link_put_address(j->host, e->host.index, e->host.name, &gateway, RT_SCOPE_LINK);
}

static void put_guest_default(struct net_job *j, const struct net_if *i, const struct ends *e, int family)
{
	const struct net_addr gateway = route_gateway(j->plan->link_id, family);
	route_put_default(j->guest, e->host.peer_index, e->guest_name, i->label, &gateway);
}

static void put_guest_default_delete(struct net_job *j, const struct net_if *i, const struct ends *e, int family)
{
	const struct net_addr gateway = route_gateway(j->plan->link_id, family);
	route_put_default_delete(j->guest, e->host.peer_index, e->guest_name, i->label, &gateway);
}

/* The way to the VE's link-local address. */
static void put_guest_route(struct net_job *j, const struct net_if *i, const struct ends *e)
{
	struct net_addr own;
	net_link_local(i->mac, &own);
	route_put_to(j->host, e->host.index, e->host.name, &own, RT_SCOPE_UNIVERSE, NLM_F_EXCL);
	nl_tolerate(j->host, EEXIST); /* from when it had IPv6 addresses before */
}

/* ---- attach -------------------------------------------------------------------------------------- */

/* From its coming up on there is a carrier. */
static int configure_guest(struct net_job *j, const struct net_if *i, const struct ends *e, ve_error **ret_error)
{
	for (unsigned k = 0; k < i->n_addrs; k++)
		ends_put_guest_address(j, e, &i->addrs[k]);
	link_put_up(j->guest, e->host.peer_index, e->guest_name);
	if (net_if_has(i, AF_INET))
		put_guest_default(j, i, e, AF_INET);
	if (net_if_has(i, AF_INET6))
		put_guest_default(j, i, e, AF_INET6);
	return nl_commit(j->guest, ret_error);
}

static int configure_host(struct net_job *j, const struct net_if *i, const struct ends *e, ve_error **ret_error)
{
	bool ipv6 = net_if_has(i, AF_INET6);
	link_put_host_settings(j->host, &e->host, j->plan->n_ifs == 1);
	link_put_no_own_ipv6(j->host, e->host.index, e->host.name);
	fastpath_put_join(j->host, j->fastpath, j->plan, i, &e->host, &j->joined);
	/* Before it comes up: the kernel makes the route for multicast then, and later, among all the others. */
	put_gateway_address(j, e, AF_INET);
	if (ipv6)
		put_gateway_address(j, e, AF_INET6);
	link_put_up(j->host, e->host.index, e->host.name);
	if (ipv6)
		put_guest_route(j, i, e);
	for (unsigned k = 0; k < i->n_addrs; k++)
		host_put_address(j, i, e, &i->addrs[k], NLM_F_EXCL);
	return nl_commit(j->host, ret_error);
}

int routed_attach(struct net_job *j, const struct net_if *i, struct undo *undo, ve_error **ret_error)
{
	struct ends e = { 0 };
	int r = prepare_uplinks(j, i, ret_error);
	if (r == 0)
		r = ends_make(j, i, uplink_mtu(&j->uplinks), undo, &e, ret_error);
	if (r == 0)
		r = ends_settle_ipv6(&e.host, net_if_has(i, AF_INET6), ret_error);
	/* Before they are made: of a batch that fails half-way some would stay. */
	if (r == 0 && proxied(i))
		r = push_proxies(undo, &j->answering, i, ret_error);
	if (r == 0)
		r = configure_host(j, i, &e, ret_error);
	return r == 0 ? configure_guest(j, i, &e, ret_error) : r;
}

/* ---- detach -------------------------------------------------------------------------------------- */

static int delete_proxies(struct net_job *j, const struct net_addr *addrs, unsigned n, ve_error **ret_error)
{
	return neigh_delete_proxies(j->host, &j->uplinks, &j->answering, addrs, n, ret_error);
}

int routed_detach(struct net_job *j, const struct net_if *i, ve_error **ret_error)
{
	char name[IFNAMSIZ];
	net_if_name(j->plan->link_id, i->label, name);
	/* The proxies first: no traffic is drawn here that nobody takes. Addresses, routes and neighbours on the
	 * link go with it. */
	int r = proxied(i) ? delete_proxies(j, i->addrs, i->n_addrs, ret_error) : 0;
	link_put_delete(j->host, name);
	int r2 = nl_commit(j->host, r == 0 ? ret_error : NULL);
	return r < 0 ? r : r2;
}

/* ---- change -------------------------------------------------------------------------------------- */

static int add_missing(struct net_job *j, const struct net_if *from, const struct net_if *to, const struct ends *e,
		       ve_error **ret_error)
{
	static const int families[] = { AF_INET, AF_INET6 };
	for (unsigned k = 0; k < to->n_addrs; k++) {
		if (net_if_contains(from, &to->addrs[k], net_addr_equal))
			continue;
		ends_put_guest_address(j, e, &to->addrs[k]);
		host_put_address(j, to, e, &to->addrs[k], NLM_F_EXCL);
	}
	for (size_t k = 0; k < ARRAY_SIZE(families); k++) {
		if (net_if_has(from, families[k]) || !net_if_has(to, families[k]))
			continue;
		put_gateway_address(j, e, families[k]);
		if (families[k] == AF_INET6)
			put_guest_route(j, to, e);
		put_guest_default(j, to, e, families[k]);
	}
	/* The VE knows its address before the first packet for it comes. */
	int r = nl_commit(j->guest, ret_error);
	int r2 = nl_commit(j->host, r == 0 ? ret_error : NULL);
	return r < 0 ? r : r2;
}

/* Takes away what FROM has and TO has not. CLASHING: only those that TO has with another prefix: of one IPv6
 * address an interface has only one. Goes on to its end; the first failure is the result. */
static int remove_surplus(struct net_job *j, const struct net_if *from, const struct net_if *to,
			  const struct ends *e, bool clashing, ve_error **ret_error)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0, r2;
	for (unsigned k = 0; k < from->n_addrs; k++) {
		const struct net_addr *a = &from->addrs[k];
		if (net_if_contains(to, a, net_addr_equal) || (clashing && !net_if_contains(to, a, net_addr_same_host)))
			continue;
		if (proxied(from) && (r2 = delete_proxies(j, a, 1, r == 0 ? ret_error : NULL)) < 0)
			r = r2;
		neigh_put_fixed_delete(j->host, e->host.index, e->host.name, a);
		route_put_to_delete(j->host, e->host.index, e->host.name, a);
		link_put_address_delete(j->guest, e->host.peer_index, e->guest_name, a);
	}
	for (size_t k = 0; k < ARRAY_SIZE(families) && !clashing; k++)
		if (net_if_has(from, families[k]) && !net_if_has(to, families[k]))
			put_guest_default_delete(j, from, e, families[k]);
	if ((r2 = nl_commit(j->host, r == 0 ? ret_error : NULL)) < 0 && r == 0)
		r = r2;
	if ((r2 = nl_commit(j->guest, r == 0 ? ret_error : NULL)) < 0 && r == 0)
		r = r2;
	return r;
}

int routed_change(struct net_job *j, const struct net_if *from, const struct net_if *to, ve_error **ret_error)
{
	struct ends e = { 0 };
	int r = ends_find(j, to, &e, ret_error);
	if (r == 0)
		r = prepare_uplinks(j, to, ret_error);
	if (r == 0 && net_if_has(to, AF_INET6) && !net_if_has(from, AF_INET6))
		r = ends_settle_ipv6(&e.host, true, ret_error);
	if (r < 0)
		return r;
	r = remove_surplus(j, from, to, &e, true, ret_error);
	if (r == 0)
		r = add_missing(j, from, to, &e, ret_error);
	if (r == 0)
		r = remove_surplus(j, from, to, &e, false, ret_error);
	if (r < 0) {
		/* Back to what was: the same, the other way round. What is there still is only said to be. */
		remove_surplus(j, to, from, &e, false, NULL);
		add_missing(j, to, from, &e, NULL);
	}
	return r;
}

/* ---- what somebody has taken away ----------------------------------------------------------------- */

static int look_at_address(struct net_job *j, const struct net_if *i, const struct net_link *host, const struct net_addr *a,
			   struct net_missing *m, ve_error **ret_error)
{
	const struct net_link *uplink = uplink_of(&j->uplinks, a->family);
	bool wanted = proxied(i) && uplink_of(&j->answering, a->family)->index > 0;
	struct route_found route;
	struct neigh_found neighbour, answer = { .errnum = ENOENT };
	route_put_lookup(j->host, a, &route);
	neigh_put_lookup(j->host, host->index, a, false, &neighbour);
	if (proxied(i) && uplink->index > 0)
		neigh_put_lookup(j->host, uplink->index, a, true, &answer);
	int r = nl_commit(j->host, ret_error);
	if (r < 0)
		return r;
	if (route.errnum != 0 || route.index != host->index)
		missing_add(m, "the route to %s", addr_text(a).s);
	if (neighbour.errnum != 0 || !neighbour.permanent || memcmp(neighbour.mac, i->mac, 6) != 0)
		missing_add(m, "the fixed neighbour %s", addr_text(a).s);
	if (wanted && answer.errnum != 0)
		missing_add(m, "the answer for %s on the uplink '%s'", addr_text(a).s, uplink->name);
	else if (!wanted && answer.errnum == 0)
		missing_add(m, "that the uplink '%s' does not answer for %s", uplink->name, addr_text(a).s);
	return 0;
}

int routed_look(struct net_job *j, const struct net_if *i, struct net_missing *m, ve_error **ret_error)
{
	struct net_link host;
	char name[IFNAMSIZ];
	int absent;
	net_if_name(j->plan->link_id, i->label, name);
	link_put_get(j->host, name, 0, &host, &absent);
	int r = nl_commit(j->host, ret_error);
	for (unsigned k = 0; r == 0 && absent == 0 && k < i->n_addrs; k++)
		r = look_at_address(j, i, &host, &i->addrs[k], m, ret_error);
	return r;
}

int routed_mend(struct net_job *j, const struct net_if *i, ve_error **ret_error)
{
	struct ends e = { 0 };
	int r = ends_find(j, i, &e, ret_error);
	if (r == 0)
		r = prepare_uplinks(j, i, ret_error);
	/* The host's default route may have moved since. */
	if (r == 0 && proxied(i))
		r = neigh_delete_proxies_elsewhere(j->host, &j->answering, i->addrs, i->n_addrs, ret_error);
	if (r < 0)
		return r;
	put_gateway_address(j, &e, AF_INET);
	if (net_if_has(i, AF_INET6)) {
		put_gateway_address(j, &e, AF_INET6);
		put_guest_route(j, i, &e);
	}
	for (unsigned k = 0; k < i->n_addrs; k++)
		host_put_address(j, i, &e, &i->addrs[k], NLM_F_REPLACE);
	return nl_commit(j->host, ret_error);
}
