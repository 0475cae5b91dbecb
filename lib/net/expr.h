/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expressions of nftables rules, put into a request of nfnetlink behind its NFTA_RULE_EXPRESSIONS. What they compare
 * is in the packet's byte order. All work on register 1; a comparison that fails ends the rule.
 */
#ifndef NET_EXPR_H
#define NET_EXPR_H

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdint.h>

#include "sys/netlink.h"

/* Begins and ends the list of a rule's expressions. COMMENT (may be NULL) is what `nft list` shows beside it. */
struct nlattr *expr_begin(struct nlmsghdr *m);
void expr_end(struct nlmsghdr *m, struct nlattr *list, const char *comment);

/* Loads */
void expr_meta(struct nlmsghdr *m, enum nft_meta_keys key);
void expr_payload(struct nlmsghdr *m, enum nft_payload_bases base, unsigned offset, unsigned size);
void expr_ct_state(struct nlmsghdr *m);

/* Comparisons */
void expr_cmp(struct nlmsghdr *m, enum nft_cmp_ops op, const void *value, unsigned size);
static inline void expr_is8(struct nlmsghdr *m, uint8_t value)
{
	expr_cmp(m, NFT_CMP_EQ, &value, sizeof(value));
}
/* FIRST to LAST, both in the packet's byte order. */
void expr_range(struct nlmsghdr *m, const void *first, const void *last, unsigned size);
/* The register's first BITS bits are those of VALUE (SIZE bytes). */
void expr_prefix(struct nlmsghdr *m, const void *value, unsigned bits, unsigned size);
/* Any of MASK is set in the 32 bits of the register, in the host's byte order. */
void expr_any_bit(struct nlmsghdr *m, uint32_t mask);

/* Go on only where there are more than COUNT connections through this rule; where there are more than RATE packets a
 * second, BURST at a time. */
void expr_connections_over(struct nlmsghdr *m, uint32_t count);
void expr_packets_over(struct nlmsghdr *m, uint64_t rate, uint32_t burst);

/* CODE: NF_ACCEPT, NF_DROP, NFT_RETURN, or NFT_JUMP to CHAIN. */
void expr_verdict(struct nlmsghdr *m, int code, const char *chain);
/* The same as an attribute TYPE (an element's data). */
void expr_put_verdict(struct nlmsghdr *m, uint16_t type, int code, const char *chain);

#endif
