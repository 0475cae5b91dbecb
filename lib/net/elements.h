/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a VE is in the firewall: elements of the sets and maps of vectl.nft, and, where it has rules of its own, chains.
 * All of a VE's are written as one transaction (sys/nfbatch.h). Each topic has a putter in a file of its own.
 */
#ifndef NET_ELEMENTS_H
#define NET_ELEMENTS_H

#include <string.h>

#include "net/net.h"
#include "sys/nfbatch.h"

#define NFT_TABLE "vectl"	   /* of the families inet, arp and bridge, as in vectl.nft */
#define NFT_NAT_TABLE "vectl_nat" /* of the family ip */
#define NFT_BLOCKED_TABLE "vectl_blocked" /* of the family inet */

/* The deletion of what is gone is no failure, the addition of what is there neither. */
enum nft_op { NFT_ADD, NFT_DEL };

/* ---- nft_batch.c: messages ----------------------------------------------------------------------- */

/* The parts of a concatenated key (or of data), each filled up to 4 bytes, as nftables has them. */
struct nft_key {
	unsigned char bytes[64];
	unsigned len;
};
static inline void nft_key_put(struct nft_key *k, const void *part, unsigned len)
{
	memcpy(k->bytes + k->len, part, len);
	k->len += (len + 3) & ~3u;
}
/* An interface's name: `type ifname`. */
void nft_key_name(struct nft_key *k, const char *name);

struct nft_elem {
	uint8_t family; /* NFPROTO_INET, NFPROTO_ARP, NFPROTO_BRIDGE, NFPROTO_IPV4 */
	const char *table, *set;
	struct nft_key key;
	struct nft_key data;	 /* of a map of values; len 0: none */
	const char *jump_chain;	 /* of a verdict map; NULL: none */
	const char *counter;	 /* of a map of counters: the name of one that is there; NULL: none */
};
void nft_put_elem(struct nfb *b, enum nft_op op, const struct nft_elem *e);

/* A named counter; adding one that is there leaves it as it is. COMMENT: at most 127 characters. */
void nft_put_counter(struct nfb *b, enum nft_op op, uint8_t family, const char *table, const char *name,
		     const char *comment);

/* Chains that no hook calls; deleting one needs it empty and not gone to, within the transaction. */
void nft_put_chain(struct nfb *b, enum nft_op op, uint8_t family, const char *table, const char *chain);
/* Takes all rules out of a chain. */
void nft_put_flush_chain(struct nfb *b, uint8_t family, const char *table, const char *chain);
/* Appends a rule: the caller puts expressions (nests NFTA_LIST_ELEM), then calls mnl_attr_nest_end(m, *ret_expressions). */
struct nlmsghdr *nft_put_rule(struct nfb *b, uint8_t family, const char *table, const char *chain,
			      struct nlattr **ret_expressions);

/* ---- elements.c: all of a VE's --------------------------------------------------------------------- */

/* The family of tables an interface is looked at in. */
uint8_t elements_family(const struct net_if *i);

/* A putter adds what interface I of PLAN has of its topic; a new one is a row in elements.c. */
typedef int (*elements_put_fn)(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i,
			       ve_error **ret_error);
int forwards_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error);
int antispoof_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error);
/* The counters that antispoof's elements lead to. */
int account_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error);

/* The VE's own chains come with its first interface, and go with its last. */
int firewall_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error);
int blocked_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error);
/* The chain that what is forwarded to I (or from it) has to pass: of one that is blocked blocked_put()'s, else firewall_put()'s. */
void forwarded_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i, enum firewall_way way,
		   const char *chain);
/* Of an interface that is not blocked, with the chains of PLAN's rules, which are there. */
void firewall_put_forwarded(struct nfb *b, const struct net_plan *plan, const struct net_if *i);

/* All of PLAN's, into a batch. */
int elements_put(struct nfb *b, enum nft_op op, const struct net_plan *plan, ve_error **ret_error);
/* All of PLAN's, as one transaction. */
int elements_write(enum nft_op op, const struct net_plan *plan, ve_error **ret_error);
/* The same, with its undo. */
int elements_attach(const struct net_plan *plan, struct undo *undo, ve_error **ret_error);

/* Live changes: what I of PLAN has and the same interface, OTHER of OTHER_PLAN, has not. */
int antispoof_put_surplus(struct nfb *b, enum nft_op op, const struct net_plan *plan, const struct net_if *i,
			  const struct net_plan *other_plan, const struct net_if *other, ve_error **ret_error);
/* Takes FROM's forwards away and adds TO's, but for those in both. */
void forwards_put_change(struct nfb *b, const struct net_if *from, const struct net_if *to);

#endif
