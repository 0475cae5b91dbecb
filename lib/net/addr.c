/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as text and as bytes: what a VE may be given, its MAC, its host ends' names. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

/* What no VE can be given, and why. In the order of look-up: the first that contains the address speaks. */
static const struct {
	int family;
	const char *base;
	unsigned prefix;
	const char *why;
} refused[] = {
	{ AF_INET, "0.0.0.0", 8, "it is the unspecified address or its network" },
	{ AF_INET, "127.0.0.0", 8, "it is a loopback address" },
	{ AF_INET, "169.254.0.0", 16, "it is a link-local address" },
	{ AF_INET, "224.0.0.0", 4, "it is a multicast address" },
	{ AF_INET, "240.0.0.0", 4, "it is reserved or the broadcast address" },
	{ AF_INET6, "::", 128, "it is the unspecified address" },
	{ AF_INET6, "::1", 128, "it is the loopback address" },
	{ AF_INET6, "::ffff:0:0", 96, "it is an IPv4 address in IPv6 spelling" },
	{ AF_INET6, "::", 96, "it is an IPv4 address in IPv6 spelling" },
	{ AF_INET6, "fe80::", 10, "it is a link-local address" },
	{ AF_INET6, "ff00::", 8, "it is a multicast address" },
};

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

/* Is ADDRESS the first or, for IPv4, the last of its network, and the network larger than a pair? */
static bool names_network(const struct net_addr *a)
{
	if (a->prefix + 2u > net_addr_bits(a))
		return false;
	struct net_addr network;
	net_addr_network(a, &network);
	if (net_bits_equal(&network.v6, &a->v6, net_addr_bits(a)))
		return true;
	uint32_t host_mask = a->family == AF_INET ? UINT32_MAX >> a->prefix : 0;
	return a->family == AF_INET && (ntohl(a->v4.s_addr) & host_mask) == host_mask;
}

static int bad(const char *text, const char *why, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(text);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "network", "'%s' cannot be an address of a VE: %s",
			 quoted ?: "?", why);
}

/* "24" -> 24; -1 unless it is one to three digits and at most MAX. */
static int parse_prefix(const char *text, unsigned max)
{
	unsigned value = 0, n = 0;
	for (; text[n] >= '0' && text[n] <= '9' && n < 4; n++)
		value = value * 10 + (unsigned)(text[n] - '0');
	return n == 0 || n > 3 || text[n] != '\0' || value > max ? -1 : (int)value;
}

/* Address and prefix, whatever they mean. 0 or -EINVAL, with *RET_WHY set. */
static int parse_text(const char *text, struct net_addr *ret, const char **ret_why)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	*ret_why = "expected an IPv4 or IPv6 address such as 192.0.2.10 or 2001:db8::10";
	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';

	struct net_addr a = { .family = strchr(host, ':') ? AF_INET6 : AF_INET };
	if (inet_pton(a.family, host, &a.v6) != 1)
		return -EINVAL;
	int prefix = slash ? parse_prefix(slash + 1, net_addr_bits(&a)) : (int)net_addr_bits(&a);
	if (prefix < 0) {
		*ret_why = a.family == AF_INET ? "expected a prefix length of at most 32 behind the '/'" :
						 "expected a prefix length of at most 128 behind the '/'";
		return -EINVAL;
	}
	a.prefix = (unsigned char)prefix;
	*ret = a;
	return 0;
}

int net_addr_parse(const char *text, struct net_addr *ret_addr, ve_error **ret_error)
{
	struct net_addr a;
	const char *why;
	if (parse_text(text, &a, &why) < 0)
		return bad(text, why, ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct in6_addr base;
		if (refused[i].family == a.family && inet_pton(a.family, refused[i].base, &base) == 1 &&
		    net_bits_equal(&base, &a.v6, refused[i].prefix))
			return bad(text, refused[i].why, ret_error);
	}
	/* A prefix is routed to the VE as a whole, so a slip of the hand must not take half the Internet. */
	if (a.prefix < (a.family == AF_INET ? 8 : 32))
		return bad(text, "the prefix is too short", ret_error);
	if (names_network(&a))
		return bad(text, "with this prefix it names the network, not an address in it", ret_error);
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
	/* FNV-1a, 64 bits. A VE keeps its MAC for ever and everywhere, so this must never change. */
	uint64_t h = 14695981039346656037u;
	for (const char *p = uuid; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	for (unsigned i = 0; i < 4; i++)
		h = (h ^ (label >> (8 * i) & 0xff)) * 1099511628211u;
	h ^= h >> 40; /* what the 40 bits below would leave out */
	ret_mac[0] = 0x02; /* locally administered, one station */
	for (unsigned i = 0; i < 5; i++)
		ret_mac[1 + i] = (unsigned char)(h >> (32 - 8 * i));
}

void net_if_name(uint32_t link_id, unsigned label, char ret_name[IFNAMSIZ])
{
	/* At the most "vz4294967295.99": 15 characters, as many as there may be. */
	snprintf(ret_name, IFNAMSIZ, "vz%u.%u", link_id, label % 100);
}

int net_range_parse(const char *text, struct net_addr *ret_range, ve_error **ret_error)
{
	struct net_addr range, network;
	const char *why;
	if (parse_text(text, &range, &why) == 0 && range.family == AF_INET && range.prefix >= 8) {
		net_addr_network(&range, &network);
		if (network.v4.s_addr == range.v4.s_addr) {
			*ret_range = range;
			return 0;
		}
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
		return err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "network", "nat.range %s is used up", nat_range);
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
