/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"

/* Networks that no VE can have an address of. The first match names the kind. */
static const struct {
	int family;
	unsigned char bits;
	unsigned char net[16];
	unsigned exempt; /* with this flag it is accepted */
	const char *kind;
} refused[] = {
	{ AF_INET, 32, { 255, 255, 255, 255 }, 0, "the broadcast address" },
	{ AF_INET, 8, { 0 }, 0, "an unspecified address" },
	{ AF_INET, 8, { 127 }, ADDRESS_LOOPBACK, "a loopback address" },
	{ AF_INET, 16, { 169, 254 }, 0, "a link-local address" },
	{ AF_INET, 4, { 224 }, 0, "a multicast address" },
	{ AF_INET, 4, { 240 }, 0, "a reserved address" },
	{ AF_INET6, 128, { 0 }, 0, "the unspecified address" },
	{ AF_INET6, 128, { [15] = 1 }, ADDRESS_LOOPBACK, "the loopback address" },
	{ AF_INET6, 96, { [10] = 0xFF, [11] = 0xFF }, 0, "an IPv4-mapped address" },
	{ AF_INET6, 10, { 0xFE, 0x80 }, 0, "a link-local address" },
	{ AF_INET6, 8, { 0xFF }, 0, "a multicast address" },
};

static bool in_net(const unsigned char *address, const unsigned char *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(address, net, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ net[whole]) >> (8 - rest)) == 0;
}

static unsigned full_length(const struct address *a)
{
	return a->family == AF_INET ? 32 : 128;
}

/* Are all bits of A behind its prefix VALUE (0 or 1)? */
static bool rest_is(const struct address *a, unsigned value)
{
	for (unsigned bit = a->prefix; bit < full_length(a); bit++)
		if ((a->bytes[bit / 8] >> (7 - bit % 8) & 1u) != value)
			return false;
	return true;
}

static int bad(const char *text, const char *why, ve_error **ret_error)
{
	_cleanup_free_ char *head = strndup(text, 64);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	if (!quoted)
		return err_nomem(ret_error);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "address", "'%s' %s", quoted, why);
}

/* A decimal number of one to three digits without leading zeros, at most MAX; -1: it is none. */
static int scan_prefix(const char *text, int max)
{
	int n = 0;
	size_t length = strlen(text);
	if (length == 0 || length > 3 || (length > 1 && text[0] == '0') || strspn(text, "0123456789") != length)
		return -1;
	for (; *text; text++)
		n = n * 10 + (*text - '0');
	return n <= max ? n : -1;
}

/* The kinds that a VE cannot have. */
static int check_kind(const char *text, const struct address *a, unsigned flags, ve_error **ret_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (refused[i].family != a->family || !in_net(a->bytes, refused[i].net, refused[i].bits))
			continue;
		if (refused[i].exempt & flags)
			return 0;
		_cleanup_free_ char *why = str_printf("is %s and cannot be used here", refused[i].kind);
		return why ? bad(text, why, ret_error) : err_nomem(ret_error);
	}
	return 0;
}

/* An address in a network, or the network itself, whichever is wanted. A pair of addresses (/31, /127) has neither a
 * network's nor a broadcast address (RFC 3021, RFC 6164). */
static int check_place(const char *text, const struct address *a, unsigned flags, ve_error **ret_error)
{
	if (flags & ADDRESS_NETWORK)
		return rest_is(a, 0) ? 0 : bad(text, "is an address in a network, where the network itself is expected", ret_error);
	if (a->prefix + 2u > full_length(a))
		return 0;
	if (rest_is(a, 0))
		return bad(text, "names the network, not an address in it", ret_error);
	if (a->family == AF_INET && rest_is(a, 1))
		return bad(text, "is the broadcast address of its network", ret_error);
	return 0;
}

int address_parse(const char *text, unsigned flags, struct address *ret_address, ve_error **ret_error)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN];
	if (n == 0 || n >= sizeof(host))
		return bad(text, "is no address: expected something like 192.0.2.10 or 2001:db8::10", ret_error);
	memcpy(host, text, n);
	host[n] = '\0';
	struct address a = { .family = strchr(host, ':') ? AF_INET6 : AF_INET };
	if (inet_pton(a.family, host, a.bytes) != 1)
		return bad(text, "is no address: expected something like 192.0.2.10 or 2001:db8::10", ret_error);
	int full = (int)full_length(&a);
	a.prefix = (unsigned char)full;
	if (slash && !(flags & ADDRESS_PREFIX))
		return bad(text, "has a prefix length, where a single address is expected", ret_error);
	if (slash) {
		int prefix = scan_prefix(slash + 1, full);
		if (prefix < (flags & ADDRESS_NETWORK ? 0 : 1))
			return bad(text, full == 32 ? "has a bad prefix length: expected 1 to 32" :
						      "has a bad prefix length: expected 1 to 128", ret_error);
		a.prefix = (unsigned char)prefix;
	}
	int r = flags & ADDRESS_ANY_KIND ? 0 : check_kind(text, &a, flags, ret_error);
	if (r == 0)
		r = check_place(text, &a, flags, ret_error);
	if (r < 0)
		return r;
	*ret_address = a;
	return 0;
}

char *address_format(const struct address *a, bool with_prefix)
{
	char host[INET6_ADDRSTRLEN];
	if (!inet_ntop(a->family, a->bytes, host, sizeof(host)))
		return NULL;
	if (!with_prefix || a->prefix == (a->family == AF_INET ? 32 : 128))
		return strdup(host);
	return str_printf("%s/%u", host, a->prefix);
}

bool address_covers(const struct address *a, const struct address *b)
{
	return a->family == b->family && in_net(b->bytes, a->bytes, a->prefix);
}

bool address_same(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == AF_INET ? 4 : 16) == 0;
}
