/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Are the rules that the kernel has those of the firewall files? What a file comes to is asked of nft(8): it loads it in a
 * network namespace of nobody's, and what is there then is compared chain by chain, in the kernel's own words, with what
 * is loaded on the host. So a rule that somebody has taken out, added or changed is found, and a file that is newer than what
 * is loaded; an edited file that has been loaded by hand is as it should be.
 *
 * A chain is known by a number, made of hook, policy and the expressions of its rules; but for what counts, and for the names of
 * anonymous sets, in whose place their elements stand. VEs' own chains (fwID_...) are not looked at here, nor are chains
 * that no file has.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "base/guard.h"
#include "net/elements.h"
#include "net/priv.h"

enum { NAME_BYTES = 64, TRIES = 3 };

static const struct {
	uint8_t file; /* a row of files */
	uint8_t family;
	const char *table;
} tables[] = {
	{ 0, NFPROTO_INET, NFT_TABLE },
	{ 0, NFPROTO_ARP, NFT_TABLE },
	{ 0, NFPROTO_BRIDGE, NFT_TABLE },
	{ 1, NFPROTO_IPV4, NFT_NAT_TABLE },
	{ 2, NFPROTO_INET, NFT_BLOCKED_TABLE },
};

/* The range that the file for nat is loaded with is in a set, and no rule depends on it. */
enum { NAT_ROW = 1 };
static const char *const files[COMPARE_FILES] = { NFT_FILE, NFT_NAT_FILE, NFT_BLOCKED_FILE };

/* ---- what is loaded somewhere ------------------------------------------------------------------------ */

struct chain {
	size_t table; /* a row of tables */
	char name[NAME_BYTES];
	uint64_t sum;
};

/* Elements are listed in no order: their sums are added. */
struct anonymous {
	struct chain *chain;
	char name[NAME_BYTES];
	uint64_t sum;
};

struct list {
	void *items;
	size_t n, cap, item_bytes;
};

struct loaded {
	struct list chains, sets;
	size_t table; /* whose dump is being read */
	bool oom;
};

static void *list_add(struct loaded *l, struct list *list)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 32;
		void *items = reallocarray(list->items, cap, list->item_bytes);
		if (!items) {
			l->oom = true;
			return NULL;
		}
		list->items = items;
		list->cap = cap;
	}
	return memset((char *)list->items + list->n++ * list->item_bytes, 0, list->item_bytes);
}

static void loaded_done(struct loaded *l)
{
	free(l->chains.items);
	free(l->sets.items);
}
#define _cleanup_loaded_ __attribute__((cleanup(loaded_done)))

static struct chain *find_chain(const struct loaded *l, size_t table, const char *name)
{
	struct chain *c = l->chains.items;
	for (size_t i = 0; i < l->chains.n; i++)
		if (c[i].table == table && strcmp(c[i].name, name) == 0)
			return &c[i];
	return NULL;
}

static void add_bytes(uint64_t *sum, const void *data, size_t n)
{
	*sum = fnv_add(*sum, data, n);
}

static void add_attr(uint64_t *sum, const struct nlattr *attr)
{
	add_bytes(sum, attr, sizeof(*attr) + mnl_attr_get_payload_len(attr));
}

static bool is_a_ves(const char *chain)
{
	return chain[0] == 'f' && chain[1] == 'w' && isdigit((unsigned char)chain[2]);
}

static void read_chain(const struct nlmsghdr *m, void *data)
{
	struct loaded *l = data;
	const char *name = nft_text(nft_attr(m, NFTA_CHAIN_NAME));
	if (strcmp(nft_text(nft_attr(m, NFTA_CHAIN_TABLE)), tables[l->table].table) != 0 || is_a_ves(name))
		return;
	struct chain *c = list_add(l, &l->chains);
	if (!c)
		return;
	const struct nlattr *hook = nft_attr(m, NFTA_CHAIN_HOOK), *policy = nft_attr(m, NFTA_CHAIN_POLICY);
	c->table = l->table;
	snprintf(c->name, sizeof(c->name), "%s", name);
	if (hook)
		add_attr(&c->sum, hook);
	if (policy)
		add_attr(&c->sum, policy);
}

static void read_lookup(struct loaded *l, struct chain *c, const struct nlattr *lookup)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, lookup) {
		if (mnl_attr_get_type(attr) != NFTA_LOOKUP_SET || strncmp(mnl_attr_get_str(attr), "__", 2) != 0) {
			add_attr(&c->sum, attr);
			continue;
		}
		struct anonymous *set = list_add(l, &l->sets);
		if (!set)
			return;
		snprintf(set->name, sizeof(set->name), "%s", mnl_attr_get_str(attr));
		set->chain = c;
	}
}

static void read_expression(struct loaded *l, struct chain *c, const struct nlattr *expression)
{
	static const char *const counting[] = { "counter", "quota", "last" };
	const struct nlattr *name = nft_nested(expression, NFTA_EXPR_NAME), *data = nft_nested(expression, NFTA_EXPR_DATA);
	if (!name)
		return;
	add_attr(&c->sum, name);
	for (size_t i = 0; i < ARRAY_SIZE(counting); i++)
		if (strcmp(nft_text(name), counting[i]) == 0)
			return;
	if (data && strcmp(nft_text(name), "lookup") == 0)
		read_lookup(l, c, data);
	else if (data)
		add_attr(&c->sum, data);
}

static void read_rule(const struct nlmsghdr *m, void *data)
{
	struct loaded *l = data;
	struct chain *c = find_chain(l, l->table, nft_text(nft_attr(m, NFTA_RULE_CHAIN)));
	const struct nlattr *list = nft_attr(m, NFTA_RULE_EXPRESSIONS), *expression;
	if (!c || !list)
		return;
	add_bytes(&c->sum, "rule", 4);
	mnl_attr_for_each_nested(expression, list)
		read_expression(l, c, expression);
}

static void read_element(const struct nlmsghdr *m, void *data)
{
	struct anonymous *set = data;
	const struct nlattr *list = nft_attr(m, NFTA_SET_ELEM_LIST_ELEMENTS), *element;
	if (!list)
		return;
	mnl_attr_for_each_nested(element, list) {
		uint64_t sum = 0;
		add_attr(&sum, element);
		set->sum += sum;
	}
}

static struct nlmsghdr *dump(struct nl *nl, unsigned message, uint8_t family)
{
	struct nlmsghdr *m = nft_put_ask(nl, message, NLM_F_DUMP, family, "read the firewall's rules");
	nl_tolerate(nl, ENOENT);
	nl_tolerate(nl, EOPNOTSUPP); /* a kernel without nftables for bridges */
	return m;
}

static int read_table(struct nl *nl, struct loaded *l, ve_error **ret_error)
{
	dump(nl, NFT_MSG_GETCHAIN, tables[l->table].family);
	nl_on_reply(nl, read_chain, l);
	int r = nl_commit(nl, ret_error);
	if (r < 0)
		return r;
	mnl_attr_put_strz(dump(nl, NFT_MSG_GETRULE, tables[l->table].family), NFTA_RULE_TABLE, tables[l->table].table);
	nl_on_reply(nl, read_rule, l);
	r = nl_commit(nl, ret_error);
	struct anonymous *sets = l->sets.items;
	for (size_t i = 0; r == 0 && i < l->sets.n; i++) {
		struct nlmsghdr *m = dump(nl, NFT_MSG_GETSETELEM, tables[l->table].family);
		mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, tables[l->table].table);
		mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, sets[i].name);
		nl_on_reply(nl, read_element, &sets[i]);
		r = nl_commit(nl, ret_error);
		add_bytes(&sets[i].chain->sum, &sets[i].sum, sizeof(sets[i].sum));
	}
	l->sets.n = 0;
	return r;
}

/* NETNS_FD -1: the host's. */
static int read_loaded(int netns_fd, struct loaded *ret, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	int r = netns_fd < 0 ? nl_open(NETLINK_NETFILTER, &nl, ret_error) :
			       nl_open_in(NETLINK_NETFILTER, netns_fd, &nl, ret_error);
	*ret = (struct loaded){ .chains.item_bytes = sizeof(struct chain), .sets.item_bytes = sizeof(struct anonymous) };
	for (; r == 0 && ret->table < ARRAY_SIZE(tables); ret->table++)
		r = read_table(nl, ret, ret_error);
	return r == 0 && ret->oom ? err_nomem(ret_error) : r;
}

/* ---- the comparison ------------------------------------------------------------------------------------ */

static bool any_of_file(const struct loaded *l, size_t file)
{
	const struct chain *c = l->chains.items;
	for (size_t i = 0; i < l->chains.n; i++)
		if (tables[c[i].table].file == file)
			return true;
	return false;
}

static const char *family_word(uint8_t family)
{
	return family == NFPROTO_INET ? "inet" : family == NFPROTO_ARP ? "arp" : family == NFPROTO_BRIDGE ? "bridge" : "ip";
}

static void compare_chains(const struct loaded *host, const struct loaded *wanted, struct compared *ret)
{
	const struct chain *c = wanted->chains.items;
	for (size_t i = 0; i < wanted->chains.n; i++) {
		const struct chain *there = find_chain(host, c[i].table, c[i].name);
		if (there && there->sum == c[i].sum)
			continue;
		if (ret->n_different++ == 0)
			snprintf(ret->first, sizeof(ret->first), "%.31s of the table '%s %s'", c[i].name,
				 family_word(tables[c[i].table].family), tables[c[i].table].table);
		ret->reload[tables[c[i].table].file] = true;
	}
}

static int compare_once(const char *data_dir, struct compared *ret, ve_error **ret_error)
{
	_cleanup_loaded_ struct loaded host = { 0 }, wanted = { 0 };
	_cleanup_close_ int netns_fd = -1;
	*ret = (struct compared){ 0 };
	int r = read_loaded(-1, &host, ret_error);
	for (size_t f = 0; r == 0 && f < COMPARE_FILES; f++) {
		if (!any_of_file(&host, f))
			continue;
		ret->n_loaded++;
		if (netns_fd < 0)
			r = nl_new_namespace(&netns_fd, ret_error);
		if (r == 0)
			r = nft_load_file(data_dir, files[f], f == NAT_ROW ? "10.77.0.0/16" : NULL, netns_fd, ret_error);
	}
	if (r == 0 && ret->n_loaded > 0)
		r = read_loaded(netns_fd, &wanted, ret_error);
	if (r == 0)
		compare_chains(&host, &wanted, ret);
	return r;
}

int nft_compare(const char *data_dir, struct compared *ret, ve_error **ret_error)
{
	int r = nft_probe(ret_error);
	/* Others load rules and start VEs meanwhile: what was read then is not of one moment. */
	for (int i = 0; r == 0 && i < TRIES && (i == 0 || ret->n_different > 0); i++)
		r = compare_once(data_dir, ret, ret_error);
	return r;
}

int nft_reload(const char *data_dir, const char *nat_range, const struct compared *c, ve_error **ret_error)
{
	int r = 0;
	for (size_t f = 0; r == 0 && f < COMPARE_FILES; f++)
		if (c->reload[f])
			r = nft_load_file(data_dir, files[f], f == NAT_ROW ? nat_range : NULL, -1, ret_error);
	return r;
}
