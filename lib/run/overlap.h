/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses that are in somebody else's prefix. Each address of a VE is a claim of its own (claims.c); a prefix that is routed to
 * a VE as a whole is one more, of the kind CLAIM_PREFIX. Who takes an address claims it first and looks for prefixes then, and
 * the other way round, so that of two at the same time at least one sees the other.
 */
#ifndef RUN_OVERLAP_H
#define RUN_OVERLAP_H

#include "model/address.h"
#include "run/handle.h"

/* The claim's key of the prefix that A is in; the caller frees. NULL: out of memory. */
char *overlap_key(const struct address *a);
/* VE_ERR_EXISTS, naming the other VE, where A, with its prefix, and what another VE has share an address. RET_ERROR NULL: -EEXIST
 * alone. */
int overlap_check(struct ve *v, const struct address *a, ve_error **ret_error);

#endif
