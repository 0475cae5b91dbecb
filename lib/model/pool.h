/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's pool of addresses (ip.pool), of which `auto` takes the next free one: networks, ranges and single ones. */
#ifndef MODEL_POOL_H
#define MODEL_POOL_H

#include <stdbool.h>

#include "base/error.h"
#include "model/address.h"

struct pool_range {
	struct address first, last; /* what may be given out; their prefixes are those of the network, or full */
};

/* "192.0.2.0/28" (without the network's own and the broadcast address), "192.0.2.10-192.0.2.20", "2001:db8::10". */
int pool_parse(const char *text, struct pool_range *ret_range, ve_error **ret_error);
/* For the schema: the one spelling; the caller frees. */
int pool_canonical(const char *text, char **ret_text, ve_error **ret_error);
/* The address behind A; false: A is the range's last. */
bool pool_next(const struct pool_range *r, struct address *a);

/* The words that stand for an address of the pool: "auto" (IPv4 where the pool has it), "auto4", "auto6". *RET_FAMILY
 * (may be NULL): AF_UNSPEC, AF_INET, AF_INET6. */
bool pool_is_auto(const char *text, int *ret_family);

#endif
