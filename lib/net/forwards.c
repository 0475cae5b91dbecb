/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Port forwards to VEs of type nat: elements of the map `forwards` of vectl-nat.nft, one a port, as an exact key is found
 * in the same time among one and among thousands. An address with forwards is in `hairpin` too, with itself.
 */
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "net/elements.h"
#include "net/priv.h"

static const struct net_addr *private_address(const struct net_if *i)
{
	for (unsigned k = 0; k < i->n_addrs; k++)
		if (i->addrs[k].family == AF_INET)
			return &i->addrs[k];
	return NULL;
}

static bool has_port(const struct net_if *i, uint8_t protocol, uint16_t port, uint16_t to)
{
	for (unsigned k = 0; i && k < i->n_forwards; k++) {
		const struct portforward *f = &i->forwards[k];
		if (f->protocol == protocol && port >= f->first && port < f->first + f->n &&
		    f->to + (port - f->first) == to)
			return true;
	}
	return false;
}

static void put_port(struct nfb *b, enum nft_op op, uint8_t protocol, uint16_t port, const struct net_addr *a, uint16_t to)
{
	struct nft_elem e = { .family = NFPROTO_IPV4, .table = NFT_NAT_TABLE, .set = "forwards" };
	uint16_t port_n = htons(port), to_n = htons(to);
	nft_key_put(&e.key, &protocol, 1);
	nft_key_put(&e.key, &port_n, 2);
	nft_key_put(&e.data, &a->v4, 4);
	nft_key_put(&e.data, &to_n, 2);
	nft_put_elem(b, op, &e);
}

static void put_hairpin(struct nfb *b, enum nft_op op, const struct net_addr *a)
{
	struct nft_elem e = { .family = NFPROTO_IPV4, .table = NFT_NAT_TABLE, .set = "hairpin" };
	nft_key_put(&e.key, &a->v4, 4);
	nft_key_put(&e.key, &a->v4, 4);
	nft_put_elem(b, op, &e);
}

/* What I forwards and OTHER (NULL: nothing) does not. */
static void put_surplus(struct nfb *b, enum nft_op op, const struct net_if *i, const struct net_if *other)
{
	const struct net_addr *a = private_address(i);
	if (!net_types[i->type].masqueraded || !a || i->n_forwards == 0)
		return;
	for (unsigned k = 0; k < i->n_forwards; k++)
		for (unsigned p = 0; p < i->forwards[k].n; p++) {
			const struct portforward *f = &i->forwards[k];
			uint16_t port = (uint16_t)(f->first + p), to = (uint16_t)(f->to + p);
			if (!has_port(other, f->protocol, port, to))
				put_port(b, op, f->protocol, port, a, to);
		}
	if (!other || other->n_forwards == 0)
		put_hairpin(b, op, a);
}

int forwards_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	(void)plan;
	(void)ret_error;
	put_surplus(b, op, i, NULL);
	return 0;
}

void forwards_put_change(struct nfb *b, const struct net_if *from, const struct net_if *to)
{
	put_surplus(b, NFT_DEL, from, to);
	put_surplus(b, NFT_ADD, to, from);
}

/* ---- is a port taken by the host itself? ------------------------------------------------------------- */

struct listeners {
	const struct net_if *nif;
	uint8_t protocol;
	bool six;
};

/* A line of /proc/net/tcp and the like: "0: 0100007F:1F90 00000000:0000 0A ...". The port of a socket that others reach,
 * or 0. */
static unsigned listening_port(const char *line, const struct listeners *l)
{
	char local[33], remote[33];
	unsigned port, remote_port, state;
	if (sscanf(line, " %*u: %32[0-9A-F]:%4x %32[0-9A-F]:%4x %2x", local, &port, remote, &remote_port, &state) != 5)
		return 0;
	enum { LISTEN = 10 };
	bool waits = l->protocol == IPPROTO_TCP ? state == LISTEN : remote_port == 0;
	bool loopback = l->six ? strcmp(local, "00000000000000000000000001000000") == 0 :
				 strcmp(local + 6, "7F") == 0; /* little-endian */
	return waits && !loopback ? port : 0;
}

static int check_table(const struct listeners *l, const char *path, ve_error **ret_error)
{
	FILE *f = fopen(path, "re");
	char line[256];
	int r = 0;
	if (!f)
		return 0; /* a host without IPv6, or without /proc: nothing that could be told */
	while (r == 0 && fgets(line, sizeof(line), f)) {
		unsigned port = listening_port(line, l);
		for (unsigned k = 0; port && r == 0 && k < l->nif->n_forwards; k++) {
			const struct portforward *p = &l->nif->forwards[k];
			if (p->protocol != l->protocol || port < p->first || port >= p->first + p->n)
				continue;
			r = err_plain(ret_error, VE_ERR_EXISTS, EADDRINUSE, "network",
				      "the port %s %u of the host is taken: a program of the host's listens there",
				      portforward_protocol(p), port);
			err_hint(ret_error, "ss -lnp shows which; forward another port");
		}
	}
	fclose(f);
	return r;
}

int forwards_check(const struct net_if *i, ve_error **ret_error)
{
	static const struct {
		const char *path;
		uint8_t protocol;
		bool six;
	} tables[] = {
		{ "/proc/thread-self/net/tcp", IPPROTO_TCP, false },
		{ "/proc/thread-self/net/tcp6", IPPROTO_TCP, true },
		{ "/proc/thread-self/net/udp", IPPROTO_UDP, false },
		{ "/proc/thread-self/net/udp6", IPPROTO_UDP, true },
	};
	int r = 0;
	for (size_t k = 0; i->n_forwards > 0 && r == 0 && k < ARRAY_SIZE(tables); k++) {
		struct listeners l = { i, tables[k].protocol, tables[k].six };
		r = check_table(&l, tables[k].path, ret_error);
	}
	return r;
}
