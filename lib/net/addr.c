/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as text and as bytes: what a VE may be given (the spelling is model/address.h's), its MAC, its host
 * ends' names. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fnv.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/address.h"
#include "net/priv.h"

bool net_bits_equal(const void *a, const void *b, unsigned bits)
{
	const unsigned char *x = a, *y = b;
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(x, y, whole) != 0)
		return false;
	return rest == 0 || ((x[whole] ^ y[whole]) >> (8 - rest)) == 0;
}

void net_addr_network(const struct net_addr *a, struct net_addr *ret_network)
{
	struct net_addr n = *a;
	unsigned char *bytes = (unsigned char *)&n.v6;
	for (unsigned bit = a->prefix; bit < net_addr_bits(a); bit++)
		bytes[bit / 8] &= (unsigned char)~(0x80 >> (bit % 8));
	*ret_network = n;
}

static void from_address(const struct address *a, struct net_addr *ret)
{
	*ret = (struct net_addr){ .family = a->family, .prefix = a->prefix };
	memcpy(&ret->v6, a->bytes, net_addr_size(ret));
}

int net_addr_parse(const char *text, struct net_addr *ret_addr, ve_error **ret_error)
{
	struct address parsed;
	int r = address_parse(text, ADDRESS_PREFIX, &parsed, ret_error);
	if (r < 0)
		return r;
	struct net_addr a;
	from_address(&parsed, &a);
	/* A prefix is routed to the VE as a whole, so a slip of the hand must not take half the Internet. */
	if (a.prefix < (a.family == AF_INET ? 8 : 32)) {
		return err_plain(
			ret_error, VE_ERR_CONFIG, EINVAL, "network",
			"%s cannot be given to a VE: the whole prefix would be routed to it, and it is too large",
			addr_text(&a).s);
	}
	*ret_addr = a;
	return 0;
}

char *net_addr_format(const struct net_addr *a, bool with_prefix)
{
	char host[INET6_ADDRSTRLEN];
	if (!inet_ntop(a->family, &a->v6, host, sizeof(host)))
		return NULL;
	return with_prefix ? str_printf("%s/%u", host, a->prefix) : str_printf("%s", host);
}

void net_mac(const char *uuid, unsigned label, unsigned char ret_mac[6])
{
	/* A VE keeps its MAC for ever and everywhere, so this must never change. */
	const uint32_t le = htole32(label);
	uint64_t h = fnv_add(fnv_add(FNV_BEGIN, uuid, strlen(uuid)), &le, sizeof(le));
	h ^= h >> 40;      /* what the 40 bits below would leave out */
	ret_mac[0] = 0x02; /* locally administered, one station */
	for (unsigned i = 0; i < 5; i++)
		ret_mac[1 + i] = (unsigned char)(h >> (32 - 8 * i));
}

void net_link_local(const unsigned char m[6], struct net_addr *ret_addr)
{
	/* RFC 4291, appendix A. */
	*ret_addr = (struct net_addr){
		.family = AF_INET6,
		.v6.s6_addr = { 0xfe, 0x80, [8] = m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5] },
		.prefix = 128,
	};
}

void net_if_name(uint32_t link_id, unsigned label, char ret_name[IFNAMSIZ])
{
	/* At the most "vz4294967295.99": 15 characters, as many as there may be. */
	snprintf(ret_name, IFNAMSIZ, "vz%u.%u", link_id, label % 100);
}

int net_range_parse(const char *text, struct net_addr *ret_range, ve_error **ret_error)
{
	struct address parsed;
	if (address_parse(text, ADDRESS_PREFIX | ADDRESS_NETWORK, &parsed, NULL) == 0 && parsed.family == AF_INET &&
	    parsed.prefix >= 8) {
		from_address(&parsed, ret_range);
		return 0;
	}
	_cleanup_free_ char *quoted = str_quote(text);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "network",
			 "nat.range '%s' is not an IPv4 network such as 10.77.0.0/16", quoted ?: "?");
}

int net_nat_address(const char *nat_range, uint32_t nr, struct net_addr *ret_addr, ve_error **ret_error)
{
	struct net_addr range;
	int r = net_range_parse(nat_range, &range, ret_error);
	if (r < 0)
		return r;
	uint64_t size = (uint64_t)1 << (32 - range.prefix);
	uint64_t kept = size > 2 ? 1 : 0; /* network and broadcast; a pair has neither (RFC 3021) */
	if (nr >= size - 2 * kept)
		return err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "network", "nat.range %s is used up",
				 nat_range);
	range.v4.s_addr = htonl(ntohl(range.v4.s_addr) + (uint32_t)kept + nr);
	range.prefix = 32;
	*ret_addr = range;
	return 0;
}

struct addr_text addr_text(const struct net_addr *a)
{
	struct addr_text t = { "?" };
	if (inet_ntop(a->family, &a->v6, t.s, INET6_ADDRSTRLEN) && !net_addr_is_host(a)) {
		size_t n = strlen(t.s);
		snprintf(t.s + n, sizeof(t.s) - n, "/%u", a->prefix);
	}
	return t;
}
