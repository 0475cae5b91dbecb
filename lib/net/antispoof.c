/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE sends only from its own addresses: what the sets of vectl.nft hold of an interface. Each address is an element of two
 * sets, with the interface and its MAC:
 *
 *   routed, nat   inet own4, arp ve4          inet own6, inet nd6
 *   bridged       bridge own4, bridge vea     bridge own6, bridge nd6
 *
 * own4 and own6 lead to the interface's counter of what it sends (account.c), so that a packet is looked up once for both.
 * An interface with IPv6 has its link-local address there, the one that the kernel makes from the MAC, and its MAC in ndmac.
 * An interface that has whole prefixes routed to it is in vmac, and their first bits are in ve4net and nd6net: what is
 * further claimed there stays on the cable between VE and host. A bridged interface's prefix is only a netmask.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

#include "net/elements.h"
#include "net/priv.h"
#include "sys/counters.h"

struct target {
	struct nfb *b;
	enum nft_op op;
	uint8_t family; /* NFPROTO_INET or NFPROTO_BRIDGE */
	const struct net_if *nif;
	char name[IFNAMSIZ];
};

static struct target target_of(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i)
{
	struct target t = { .b = b, .op = op, .family = elements_family(i), .nif = i };
	net_if_name(plan->link_id, i->label, t.name);
	return t;
}

/* Interface, N_MACS times its MAC, PART; COUNTER NULL: not a map. */
static void put_counted(const struct target *t, uint8_t family, const char *set, unsigned n_macs, const void *part,
			unsigned len, const char *counter)
{
	struct nft_elem e = { .family = family, .table = NFT_TABLE, .set = set, .counter = counter };
	nft_key_name(&e.key, t->name);
	for (unsigned k = 0; k < n_macs; k++)
		nft_key_put(&e.key, t->nif->mac, 6);
	if (len > 0)
		nft_key_put(&e.key, part, len);
	nft_put_elem(t->b, t->op, &e);
}

static void put(const struct target *t, uint8_t family, const char *set, unsigned n_macs, const void *part,
		unsigned len)
{
	put_counted(t, family, set, n_macs, part, len, NULL);
}

static bool routes_prefix(const struct target *t, const struct net_addr *a)
{
	return t->family == NFPROTO_INET && !net_addr_is_host(a);
}

enum { PREFIX_BITS4 = 8, PREFIX_BITS6 = 32 };

static void put_own(const struct target *t, int family, const void *address)
{
	char counter[COUNTER_NAME];
	bool v4 = family == AF_INET;
	counter_name(t->name, v4 ? COUNTER_OUT4 : COUNTER_OUT6, counter);
	put_counted(t, t->family, v4 ? "own4" : "own6", 1, address, v4 ? 4 : 16, counter);
}

static void put_address(const struct target *t, const struct net_addr *a)
{
	put_own(t, a->family, &a->v6);
	if (a->family == AF_INET) {
		if (t->family == NFPROTO_BRIDGE)
			put(t, NFPROTO_BRIDGE, "vea", 2, &a->v4, 4);
		else
			put(t, NFPROTO_ARP, "ve4", 2, &a->v4, 4);
		return;
	}
	put(t, t->family, "nd6", 1, &a->v6, 16);
}

static void put_prefix(const struct target *t, const struct net_addr *a)
{
	if (a->family == AF_INET)
		put(t, NFPROTO_ARP, "ve4net", 2, &a->v4, PREFIX_BITS4 / 8);
	else
		put(t, NFPROTO_INET, "nd6net", 1, &a->v6, PREFIX_BITS6 / 8);
}

/* What every interface with IPv6 has. */
static void put_ipv6(const struct target *t)
{
	struct net_addr local;
	net_link_local(t->nif->mac, &local);
	put_own(t, AF_INET6, &local.v6);
	put(t, t->family, "nd6", 1, &local.v6, 16);
	put(t, t->family, "ndmac", 1, NULL, 0);
}

static void put_vmac(const struct target *t)
{
	put(t, NFPROTO_INET, "vmac", 1, NULL, 0);
}

/* ---- differences ----------------------------------------------------------------------------------- */

static bool has_address(const struct net_if *i, const struct net_addr *a)
{
	for (unsigned k = 0; i && k < i->n_addrs; k++)
		if (net_addr_same_host(&i->addrs[k], a))
			return true;
	return false;
}

/* Among the first N addresses of I: a prefix whose first bits are those of A. */
static bool has_prefix_like(const struct target *t, const struct net_if *i, unsigned n, const struct net_addr *a)
{
	unsigned bits = a->family == AF_INET ? PREFIX_BITS4 : PREFIX_BITS6;
	for (unsigned k = 0; i && k < n; k++)
		if (i->addrs[k].family == a->family && routes_prefix(t, &i->addrs[k]) &&
		    net_bits_equal(&i->addrs[k].v6, &a->v6, bits))
			return true;
	return false;
}

static bool has_prefix(const struct target *t, const struct net_if *i)
{
	for (unsigned k = 0; i && k < i->n_addrs; k++)
		if (routes_prefix(t, &i->addrs[k]))
			return true;
	return false;
}

/* Everything that I has and OTHER (NULL: nothing) has not. */
static void put_surplus(const struct target *t, const struct net_if *i, const struct net_if *other)
{
	unsigned n_other = other ? other->n_addrs : 0;
	for (unsigned k = 0; k < i->n_addrs; k++) {
		const struct net_addr *a = &i->addrs[k];
		if (!has_address(other, a))
			put_address(t, a);
		if (routes_prefix(t, a) && !has_prefix_like(t, i, k, a) && !has_prefix_like(t, other, n_other, a))
			put_prefix(t, a);
	}
	if (net_if_has(i, AF_INET6) && !(other && net_if_has(other, AF_INET6)))
		put_ipv6(t);
	if (has_prefix(t, i) && !has_prefix(t, other))
		put_vmac(t);
}

/* ---- several interfaces ----------------------------------------------------------------------------- */

/* What may come out of I: with several interfaces to the host's routes a VE's answer may leave by another one than the
 * question came in by, so each of them has the addresses of all. The caller frees RET's addrs. */
static int merge(const struct net_plan *plan, const struct net_if *i, struct net_if *ret, ve_error **ret_error)
{
	unsigned n = i->n_addrs;
	for (unsigned k = 0; k < plan->n_ifs; k++)
		n += plan->ifs[k].n_addrs;
	*ret = *i;
	ret->addrs = calloc(n + 1, sizeof(*ret->addrs));
	if (!ret->addrs)
		return err_nomem(ret_error);
	if (i->n_addrs > 0)
		memcpy(ret->addrs, i->addrs, i->n_addrs * sizeof(*i->addrs));
	for (unsigned k = 0; k < plan->n_ifs; k++) {
		const struct net_if *other = &plan->ifs[k];
		for (unsigned a = 0; a < other->n_addrs; a++) {
			if (other->label == i->label || elements_family(other) != NFPROTO_INET ||
			    elements_family(i) != NFPROTO_INET)
				continue;
			struct net_addr *copy = &ret->addrs[ret->n_addrs++];
			*copy = other->addrs[a];
			copy->prefix = (unsigned char)net_addr_bits(copy); /* a prefix has one interface */
		}
	}
	return 0;
}

int antispoof_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	struct target t = target_of(b, op, plan, i);
	struct net_if merged;
	int r = merge(plan, i, &merged, ret_error);
	if (r == 0)
		put_surplus(&t, &merged, NULL);
	free(merged.addrs);
	return r;
}

int antispoof_put_surplus(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i,
			  const struct net_plan *other_plan, const struct net_if *other, ve_error **ret_error)
{
	struct target t = target_of(b, op, plan, i);
	struct net_if merged = { 0 }, other_merged = { 0 };
	int r = merge(plan, i, &merged, ret_error);
	if (r == 0)
		r = merge(other_plan, other, &other_merged, ret_error);
	if (r == 0)
		put_surplus(&t, &merged, &other_merged);
	free(merged.addrs);
	free(other_merged.addrs);
	return r;
}
