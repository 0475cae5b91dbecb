/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Neighbour entries: fixed ones behind the VEs' interfaces, proxy ones on the uplink. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "net/priv.h"

static void put_neigh(struct nlmsghdr *m, int index, const struct net_addr *a, uint16_t state, uint8_t flags)
{
	struct ndmsg *n = mnl_nlmsg_put_extra_header(m, sizeof(*n));
	n->ndm_family = (unsigned char)a->family;
	n->ndm_ifindex = index;
	n->ndm_state = state;
	n->ndm_flags = flags;
	mnl_attr_put(m, NDA_DST, net_addr_size(a), &a->v6);
}

/* Fixed entries do not count against the kernel's gc_thresh (1024 neighbours), which hundreds of VEs with some
 * addresses each would reach, and cannot be changed by what a VE sends. */
void neigh_put_fixed(struct nl *nl, int index, const char *name, const struct net_addr *a,
		     const unsigned char mac[6])
{
	struct nlmsghdr *m = nl_add(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "add %s as neighbour on '%s'",
				    addr_text(a).s, name);
	put_neigh(m, index, a, NUD_PERMANENT, 0);
	mnl_attr_put(m, NDA_LLADDR, 6, mac);
}

static void read_found(const struct nlmsghdr *nlh, void *data)
{
	struct neigh_found *f = data;
	const struct ndmsg *n = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	f->permanent = n->ndm_state & NUD_PERMANENT;
	mnl_attr_for_each(attr, nlh, sizeof(*n))
		if (mnl_attr_get_type(attr) == NDA_LLADDR && mnl_attr_get_payload_len(attr) == sizeof(f->mac))
			memcpy(f->mac, mnl_attr_get_payload(attr), sizeof(f->mac));
}

void neigh_put_lookup(struct nl *nl, int index, const struct net_addr *a, bool proxy, struct neigh_found *ret)
{
	*ret = (struct neigh_found){ 0 };
	struct nlmsghdr *m = nl_add(nl, RTM_GETNEIGH, 0, "look up the neighbour %s", addr_text(a).s);
	put_neigh(m, index, a, 0, proxy ? NTF_PROXY : 0);
	nl_on_reply(nl, read_found, ret);
	nl_result_into(nl, &ret->errnum);
}

void neigh_put_fixed_delete(struct nl *nl, int index, const char *name, const struct net_addr *a)
{
	struct nlmsghdr *m = nl_add(nl, RTM_DELNEIGH, 0, "remove the neighbour %s on '%s'", addr_text(a).s, name);
	put_neigh(m, index, a, 0, 0);
	nl_tolerate(nl, ENOENT);
	nl_tolerate(nl, ENODEV);
}

void neigh_put_proxy(struct nl *nl, const struct net_link *uplink, const struct net_addr *a)
{
	struct nlmsghdr *m = nl_add(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
				    "answer for %s on the uplink '%s'", addr_text(a).s, uplink->name);
	put_neigh(m, uplink->index, a, 0, NTF_PROXY);
}

/* ---- taking proxies away --------------------------------------------------------------------------- */

static void put_proxy_delete(struct nl *nl, int index, const struct net_addr *a)
{
	struct nlmsghdr *m = nl_add(nl, RTM_DELNEIGH, 0, "stop answering for %s on the uplink", addr_text(a).s);
	put_neigh(m, index, a, 0, NTF_PROXY);
}

struct proxies {
	const struct net_addr *addrs;
	unsigned n;
	const struct uplinks *but; /* not on these */
	struct proxy {
		int index;
		struct net_addr addr;
	} * found;
	size_t n_found, cap;
	bool oom;
};

static void keep_proxy(struct proxies *p, int index, const struct net_addr *a)
{
	if (p->n_found == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 16;
		struct proxy *found = reallocarray(p->found, cap, sizeof(*found));
		if (!found) {
			p->oom = true;
			return;
		}
		p->found = found;
		p->cap = cap;
	}
	p->found[p->n_found++] = (struct proxy){ index, *a };
}

static void match_proxy(const struct nlmsghdr *nlh, void *data)
{
	struct proxies *p = data;
	const struct ndmsg *n = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	if (!(n->ndm_flags & NTF_PROXY) || (n->ndm_family != AF_INET && n->ndm_family != AF_INET6) ||
	    n->ndm_ifindex == uplink_of(p->but, n->ndm_family)->index)
		return;
	struct net_addr a = { .family = n->ndm_family };
	a.prefix = (unsigned char)net_addr_bits(&a);
	mnl_attr_for_each(attr, nlh, sizeof(*n)) {
		if (mnl_attr_get_type(attr) != NDA_DST || mnl_attr_get_payload_len(attr) != net_addr_size(&a))
			continue;
		memcpy(&a.v6, mnl_attr_get_payload(attr), net_addr_size(&a));
		for (unsigned i = 0; i < p->n; i++)
			if (net_addr_same_host(&p->addrs[i], &a))
				keep_proxy(p, n->ndm_ifindex, &a);
	}
}

int neigh_delete_proxies_elsewhere(struct nl *nl, const struct uplinks *uplinks, const struct net_addr *addrs, unsigned n,
				   ve_error **ret_error)
{
	struct proxies p = { .addrs = addrs, .n = n, .but = uplinks };
	struct nlmsghdr *m = nl_add(nl, RTM_GETNEIGH, NLM_F_DUMP, "read the host's proxy entries");
	struct ndmsg *h = mnl_nlmsg_put_extra_header(m, sizeof(*h));
	h->ndm_flags = NTF_PROXY;
	nl_on_reply(nl, match_proxy, &p);
	int r = nl_commit(nl, ret_error);
	for (size_t i = 0; i < p.n_found; i++) {
		put_proxy_delete(nl, p.found[i].index, &p.found[i].addr);
		nl_tolerate(nl, ENOENT);
		nl_tolerate(nl, ENODEV);
	}
	free(p.found);
	int r2 = nl_commit(nl, r == 0 ? ret_error : NULL);
	if (r == 0 && r2 == 0 && p.oom)
		return err_nomem(ret_error);
	return r < 0 ? r : r2;
}

/* Asked for by name where they are expected: a look at all of the host's would take the longer the more VEs there are. Whoever
 * makes one on another uplink takes it off the old one (routed_mend()), so that an address is answered for in one place. */
int neigh_delete_proxies(struct nl *nl, const struct uplinks *uplinks, const struct uplinks *answering, const struct net_addr *addrs,
			 unsigned n, ve_error **ret_error)
{
	_cleanup_free_ int *results = calloc(n ?: 1, sizeof(*results));
	if (!results)
		return err_nomem(ret_error);
	for (unsigned i = 0; i < n; i++) {
		const struct net_link *uplink = uplink_of(uplinks, addrs[i].family);
		results[i] = ENODEV;
		if (uplink->index == 0)
			continue;
		put_proxy_delete(nl, uplink->index, &addrs[i]);
		nl_result_into(nl, &results[i]);
	}
	int r = nl_commit(nl, ret_error);
	bool all = true;
	for (unsigned i = 0; i < n; i++)
		all &= results[i] == 0 ||
		       (results[i] == ENOENT && uplink_of(answering, addrs[i].family)->index == 0);
	static const struct uplinks none;
	return r < 0 || all ? r : neigh_delete_proxies_elsewhere(nl, &none, addrs, n, ret_error);
}

/* Both settings concern nothing but proxied answers, and are left on with the forwarding. */
int neigh_prepare_uplink(const struct net_link *uplink, int family, ve_error **ret_error)
{
	const char *ip = family == AF_INET ? "ipv4" : "ipv6";
	/* Of a random time up to 0.8 s before each answer to a broadcast: meant for proxies that answer for hosts
	 * which might answer themselves. */
	sysctl_try_set(0, "%s/neigh/%s/proxy_delay", ip, uplink->name);
	if (family == AF_INET)
		return 0; /* single entries need no proxy_arp, which would answer for everything */
	return sysctl_set(1, ret_error, "ipv6/conf/%s/proxy_ndp", uplink->name);
}
