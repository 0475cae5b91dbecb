/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nfnetlink transactions, over libmnl: requests are collected, go to the kernel as one batch, and take effect all
 * together or not at all. (sys/netlink.h is for everything that is not nftables: there each request stands for itself.)
 */
#ifndef SYS_NFBATCH_H
#define SYS_NFBATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/netlink.h"

struct nfb;

/* For SUBSYSTEM (NFNL_SUBSYS_NFTABLES). NULL: out of memory. Opens nothing yet. */
struct nfb *nfb_new(uint8_t subsystem);
void nfb_free(struct nfb *b); /* NULL is allowed */
void nfb_freep(struct nfb **b);
#define _cleanup_nfb_ __attribute__((cleanup(nfb_freep)))

/* Adds a request with its nfgenmsg; the caller puts at most NFB_REQUEST_MAX bytes of attributes behind it, before the
 * next request is added. WHAT words the error: "cannot WHAT: ...". Out of memory is told by the commit: the request
 * then goes nowhere. Never NULL. */
enum { NFB_REQUEST_MAX = 16384 };
struct nlmsghdr *nfb_add(struct nfb *b, unsigned type, uint16_t flags, uint8_t family, const char *what, ...)
	ATTR_PRINTF(5, 6);
/* The request added last is a deletion of what may be gone: where the kernel says ENOENT, the rest is done without it. */
void nfb_may_miss(struct nfb *b);
bool nfb_empty(const struct nfb *b);
/* Calls FN for each request that was added, in their order. */
typedef void (*nfb_each_fn)(const struct nlmsghdr *request, void *data);
void nfb_each(struct nfb *b, nfb_each_fn fn, void *data);

/* In the network namespace of the calling thread. On failure nothing has changed. The batch is empty afterwards, and may be
 * filled again. */
int nfb_commit(struct nfb *b, ve_error **ret_error);

#endif
