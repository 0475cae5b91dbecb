/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nftables messages for a transaction: elements, chains, rules. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "net/elements.h"

void nft_key_name(struct nft_key *k, const char *name)
{
	char padded[IFNAMSIZ] = { 0 };
	strncpy(padded, name, IFNAMSIZ - 1);
	nft_key_put(k, padded, IFNAMSIZ);
}

static const char *op_word(enum nft_op op)
{
	return op == NFT_ADD ? "add" : "remove";
}

static void put_value(struct nlmsghdr *m, uint16_t type, const struct nft_key *k)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);
	mnl_attr_put(m, NFTA_DATA_VALUE, k->len, k->bytes);
	mnl_attr_nest_end(m, nest);
}

static void put_jump(struct nlmsghdr *m, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(m, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(m, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
	mnl_attr_put_strz(m, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(m, verdict);
	mnl_attr_nest_end(m, data);
}

/* As nft(8) writes them: type 0 is the comment, then the length, then the text with its NUL. */
static void put_comment(struct nlmsghdr *m, uint16_t type, const char *comment)
{
	unsigned char tlv[2 + 128] = { 0 };
	size_t len = strnlen(comment, 127);
	tlv[1] = (unsigned char)(len + 1);
	memcpy(tlv + 2, comment, len);
	mnl_attr_put(m, type, 2 + len + 1, tlv);
}

void nft_put_elem(struct nfb *b, enum nft_op op, const struct nft_elem *e)
{
	struct nlmsghdr *m = nfb_add(b, op == NFT_ADD ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
				     op == NFT_ADD ? NLM_F_CREATE : 0, e->family,
				     "%s an element of the set '%s' of the nftables table '%s'", op_word(op), e->set,
				     e->table);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, e->table);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, e->set);
	struct nlattr *list = mnl_attr_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *elem = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	put_value(m, NFTA_SET_ELEM_KEY, &e->key);
	if (op == NFT_ADD && e->jump_chain)
		put_jump(m, e->jump_chain);
	else if (op == NFT_ADD && e->data.len > 0)
		put_value(m, NFTA_SET_ELEM_DATA, &e->data);
	else if (op == NFT_ADD && e->counter)
		mnl_attr_put_strz(m, NFTA_SET_ELEM_OBJREF, e->counter);
	mnl_attr_nest_end(m, elem);
	mnl_attr_nest_end(m, list);
	if (op == NFT_DEL)
		nfb_may_miss(b);
}

void nft_put_counter(struct nfb *b, enum nft_op op, uint8_t family, const char *table, const char *name,
		     const char *comment)
{
	struct nlmsghdr *m = nfb_add(b, op == NFT_ADD ? NFT_MSG_NEWOBJ : NFT_MSG_DELOBJ, op == NFT_ADD ? NLM_F_CREATE : 0,
				     family, "%s the nftables counter '%s'", op_word(op), name);
	mnl_attr_put_strz(m, NFTA_OBJ_TABLE, table);
	mnl_attr_put_strz(m, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(m, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	if (op == NFT_DEL) {
		nfb_may_miss(b);
		return;
	}
	mnl_attr_nest_end(m, mnl_attr_nest_start(m, NFTA_OBJ_DATA)); /* from zero */
	put_comment(m, NFTA_OBJ_USERDATA, comment);
}

void nft_put_chain(struct nfb *b, enum nft_op op, uint8_t family, const char *table, const char *chain)
{
	struct nlmsghdr *m = nfb_add(b, op == NFT_ADD ? NFT_MSG_NEWCHAIN : NFT_MSG_DELCHAIN,
				     op == NFT_ADD ? NLM_F_CREATE : 0, family, "%s the nftables chain '%s'", op_word(op),
				     chain);
	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chain);
	if (op == NFT_DEL)
		nfb_may_miss(b);
}

void nft_put_flush_chain(struct nfb *b, uint8_t family, const char *table, const char *chain)
{
	struct nlmsghdr *m =
		nfb_add(b, NFT_MSG_DELRULE, 0, family, "take the rules out of the nftables chain '%s'", chain);
	mnl_attr_put_strz(m, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
	nfb_may_miss(b);
}

struct nlmsghdr *nft_put_rule(struct nfb *b, uint8_t family, const char *table, const char *chain,
			      struct nlattr **ret_expressions)
{
	struct nlmsghdr *m = nfb_add(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family,
				     "add a rule to the nftables chain '%s'", chain);
	mnl_attr_put_strz(m, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
	*ret_expressions = mnl_attr_nest_start(m, NFTA_RULE_EXPRESSIONS);
	return m;
}
