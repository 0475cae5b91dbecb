/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The uplink: the interface by which the host reaches the rest of the world, for each family apart. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

/* Addresses that only a default route leads to: the IPv4 dummy address (RFC 7600), and the first of 2000::/3.
 * Asking for them costs the same with one VE as with thousand; reading all routes does not. */
static const struct net_addr nowhere4 = { .family = AF_INET, .v6.s6_addr = { 192, 0, 0, 8 }, .prefix = 32 };
static const struct net_addr nowhere6 = { .family = AF_INET6, .v6.s6_addr = { 0x20, [15] = 1 }, .prefix = 128 };

static void keep_best(const struct route_default *d, void *data)
{
	struct route_default *best = data;
	if (best->index == 0 || d->metric < best->metric)
		*best = *d;
}

/* What the look-up of a nowhere address says: the uplink's index, or 0. */
static int default_index(struct nl *nl, int family, const struct route_found *f, int *ret_index,
			 ve_error **ret_error)
{
	*ret_index = 0;
	if (f->errnum != 0)
		return 0; /* no route at all, or not even the family */
	if (f->type == RTN_UNICAST && f->prefix == 0) {
		*ret_index = f->index;
		return 0;
	}
	/* Something more special leads there (half-Internet routes of a VPN, a blackhole): look at them all. */
	struct route_default best = { 0 };
	int r = route_each_default(nl, family, keep_best, &best, ret_error);
	*ret_index = best.index;
	return r;
}

static int find_named(struct nl *nl, const char *name, struct uplinks *ret_uplinks, ve_error **ret_error)
{
	struct net_link link = { 0 };
	int missing = ENODEV;
	if (name[0] != '\0' && strnlen(name, IFNAMSIZ) < IFNAMSIZ) {
		link_put_get(nl, name, 0, &link, &missing);
		int r = nl_commit(nl, ret_error);
		if (r < 0)
			return r;
	}
	if (missing != 0) {
		_cleanup_free_ char *quoted = str_quote(name);
		int r = err_plain(ret_error, VE_ERR_CONFIG, missing, "network", "the uplink '%s' does not exist",
				  quoted ?: "?");
		err_hint(ret_error, "set the host's uplink to one of the interfaces in /sys/class/net");
		return r;
	}
	ret_uplinks->v4 = ret_uplinks->v6 = link;
	return 0;
}

int uplink_find(struct nl *nl, const char *name, struct uplinks *ret_uplinks, ve_error **ret_error)
{
	*ret_uplinks = (struct uplinks){ 0 };
	if (name)
		return find_named(nl, name, ret_uplinks, ret_error);

	struct route_found f4, f6;
	route_put_lookup(nl, &nowhere4, &f4);
	route_put_lookup(nl, &nowhere6, &f6);
	int r = nl_commit(nl, ret_error), index4 = 0, index6 = 0, gone;
	if (r < 0)
		return r;
	r = default_index(nl, AF_INET, &f4, &index4, ret_error);
	if (r == 0)
		r = default_index(nl, AF_INET6, &f6, &index6, ret_error);
	if (r < 0)
		return r;
	/* One that goes away meanwhile is none. */
	if (index4 > 0)
		link_put_get(nl, NULL, index4, &ret_uplinks->v4, &gone);
	if (index6 > 0)
		link_put_get(nl, NULL, index6, &ret_uplinks->v6, &gone);
	return nl_commit(nl, ret_error);
}

struct uplinks uplink_answering(const struct uplinks *u, const struct net_plan *plan)
{
	struct uplinks answering = { 0 };
	if (plan->answers4)
		answering.v4 = u->v4;
	if (plan->answers6)
		answering.v6 = u->v6;
	return answering;
}

int uplink_find_for(struct net_job *j, ve_error **ret_error)
{
	int r = uplink_find(j->host, j->plan->uplink, &j->uplinks, ret_error);
	j->answering = uplink_answering(&j->uplinks, j->plan);
	return r;
}

unsigned uplink_mtu(const struct uplinks *u)
{
	unsigned mtu = u->v4.index ? u->v4.mtu : u->v6.index ? u->v6.mtu : 1500;
	return u->v6.index && u->v6.mtu < mtu ? u->v6.mtu : mtu;
}
