/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "net/expr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

enum { COMMENT_MAX = 127, COMMENT_TYPE = 0 /* libnftnl's NFTNL_UDATA_RULE_COMMENT */ };

struct nlattr *expr_begin(struct nlmsghdr *m)
{
	return mnl_attr_nest_start(m, NFTA_RULE_EXPRESSIONS);
}

/* User data of a rule is a list of type, length, value; nft(8) shows the one of type 0. */
static void put_comment(struct nlmsghdr *m, const char *comment)
{
	unsigned char tlv[2 + COMMENT_MAX + 1];
	size_t n = strnlen(comment, COMMENT_MAX);
	tlv[0] = COMMENT_TYPE;
	tlv[1] = (unsigned char)(n + 1);
	memcpy(tlv + 2, comment, n);
	tlv[2 + n] = '\0';
	mnl_attr_put(m, NFTA_RULE_USERDATA, 2 + n + 1, tlv);
}

void expr_end(struct nlmsghdr *m, struct nlattr *list, const char *comment)
{
	mnl_attr_nest_end(m, list);
	if (comment)
		put_comment(m, comment);
}

struct open_expr {
	struct nlattr *element, *data;
};

static struct open_expr begin(struct nlmsghdr *m, const char *name)
{
	struct open_expr e;
	e.element = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	mnl_attr_put_strz(m, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(m, NFTA_EXPR_DATA);
	return e;
}

static void end(struct nlmsghdr *m, struct open_expr e)
{
	mnl_attr_nest_end(m, e.data);
	mnl_attr_nest_end(m, e.element);
}

static void put32(struct nlmsghdr *m, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(m, type, htonl(value));
}

static void put_value(struct nlmsghdr *m, uint16_t type, const void *value, unsigned size)
{
	struct nlattr *data = mnl_attr_nest_start(m, type);
	mnl_attr_put(m, NFTA_DATA_VALUE, size, value);
	mnl_attr_nest_end(m, data);
}

/* ---- loads ------------------------------------------------------------------------------------------- */

void expr_meta(struct nlmsghdr *m, enum nft_meta_keys key)
{
	struct open_expr e = begin(m, "meta");
	put32(m, NFTA_META_DREG, NFT_REG_1);
	put32(m, NFTA_META_KEY, key);
	end(m, e);
}

void expr_payload(struct nlmsghdr *m, enum nft_payload_bases base, unsigned offset, unsigned size)
{
	struct open_expr e = begin(m, "payload");
	put32(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put32(m, NFTA_PAYLOAD_BASE, base);
	put32(m, NFTA_PAYLOAD_OFFSET, offset);
	put32(m, NFTA_PAYLOAD_LEN, size);
	end(m, e);
}

void expr_ct_state(struct nlmsghdr *m)
{
	struct open_expr e = begin(m, "ct");
	put32(m, NFTA_CT_DREG, NFT_REG_1);
	put32(m, NFTA_CT_KEY, NFT_CT_STATE);
	end(m, e);
}

/* ---- comparisons ------------------------------------------------------------------------------------- */

void expr_cmp(struct nlmsghdr *m, enum nft_cmp_ops op, const void *value, unsigned size)
{
	struct open_expr e = begin(m, "cmp");
	put32(m, NFTA_CMP_SREG, NFT_REG_1);
	put32(m, NFTA_CMP_OP, op);
	put_value(m, NFTA_CMP_DATA, value, size);
	end(m, e);
}

void expr_range(struct nlmsghdr *m, const void *first, const void *last, unsigned size)
{
	if (memcmp(first, last, size) == 0) {
		expr_cmp(m, NFT_CMP_EQ, first, size);
		return;
	}
	expr_cmp(m, NFT_CMP_GTE, first, size);
	expr_cmp(m, NFT_CMP_LTE, last, size);
}

static void mask_register(struct nlmsghdr *m, const void *mask, unsigned size)
{
	static const unsigned char zero[16];
	struct open_expr e = begin(m, "bitwise");
	put32(m, NFTA_BITWISE_SREG, NFT_REG_1);
	put32(m, NFTA_BITWISE_DREG, NFT_REG_1);
	put32(m, NFTA_BITWISE_LEN, size);
	put_value(m, NFTA_BITWISE_MASK, mask, size);
	put_value(m, NFTA_BITWISE_XOR, zero, size);
	end(m, e);
}

void expr_prefix(struct nlmsghdr *m, const void *value, unsigned bits, unsigned size)
{
	unsigned char mask[16] = { 0 };
	for (unsigned bit = 0; bit < bits; bit++)
		mask[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
	if (bits < 8 * size)
		mask_register(m, mask, size);
	expr_cmp(m, NFT_CMP_EQ, value, size);
}

void expr_any_bit(struct nlmsghdr *m, uint32_t mask)
{
	static const uint32_t zero;
	mask_register(m, &mask, sizeof(mask));
	expr_cmp(m, NFT_CMP_NEQ, &zero, sizeof(zero));
}

/* ---- limits ------------------------------------------------------------------------------------------ */

void expr_connections_over(struct nlmsghdr *m, uint32_t count)
{
	struct open_expr e = begin(m, "connlimit");
	put32(m, NFTA_CONNLIMIT_COUNT, count);
	put32(m, NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	end(m, e);
}

void expr_packets_over(struct nlmsghdr *m, uint64_t rate, uint32_t burst)
{
	struct open_expr e = begin(m, "limit");
	mnl_attr_put_u64(m, NFTA_LIMIT_RATE, htobe64(rate));
	mnl_attr_put_u64(m, NFTA_LIMIT_UNIT, htobe64(1)); /* seconds */
	put32(m, NFTA_LIMIT_BURST, burst);
	put32(m, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	put32(m, NFTA_LIMIT_FLAGS, NFT_LIMIT_F_INV);
	end(m, e);
}

/* ---- verdicts ---------------------------------------------------------------------------------------- */

void expr_put_verdict(struct nlmsghdr *m, uint16_t type, int code, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(m, type);
	struct nlattr *verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);
	put32(m, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		mnl_attr_put_strz(m, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(m, verdict);
	mnl_attr_nest_end(m, data);
}

void expr_verdict(struct nlmsghdr *m, int code, const char *chain)
{
	struct open_expr e = begin(m, "immediate");
	put32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	expr_put_verdict(m, NFTA_IMMEDIATE_DATA, code, chain);
	end(m, e);
}
