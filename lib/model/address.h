/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses as configuration holds them: checked, in their one canonical spelling (inet_ntop(3), RFC 5952). Rooms
 * above may call this instead of parsing text of their own; a stored address has passed it already.
 */
#ifndef MODEL_ADDRESS_H
#define MODEL_ADDRESS_H

#include <stdbool.h>

#include "base/error.h"

struct address {
	int family;		 /* AF_INET or AF_INET6 */
	unsigned char bytes[16]; /* network order; 4 of them for AF_INET */
	unsigned char prefix;	 /* 32 and 128 where none was given */
};

enum address_flags {
	ADDRESS_PREFIX = 1 << 0,   /* "/LEN" may follow */
	ADDRESS_LOOPBACK = 1 << 1, /* loopback is accepted (a VE's own resolver) */
	ADDRESS_NETWORK = 1 << 2,  /* with ADDRESS_PREFIX: a network is meant, not an address in it; "/0" is one too */
	ADDRESS_ANY_KIND = 1 << 3, /* not a VE's own: whatever can stand in a packet (firewall rules) */
};

/* ADDR[/LEN]. Refused (VE_ERR_CONFIG), in words: unspecified, multicast, broadcast and reserved, link-local,
 * IPv4-mapped, and loopback unless FLAGS say so: none of them can be an address of a VE's own. Nor can a network's own
 * address (192.0.2.0/24) or, of IPv4, its broadcast address; with ADDRESS_NETWORK nothing but the former will do. */
int address_parse(const char *text, unsigned flags, struct address *ret_address, ve_error **ret_error);
/* The canonical spelling; "/LEN" only where WITH_PREFIX and LEN is not the full length. The caller frees. */
char *address_format(const struct address *a, bool with_prefix);
/* Is A, as a network, wide enough to hold the address B (whatever B's prefix is)? */
bool address_covers(const struct address *a, const struct address *b);
/* The same address, whatever the prefixes are. */
bool address_same(const struct address *a, const struct address *b);

#endif
