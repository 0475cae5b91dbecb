/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fnv.h"
#include "sys/counters.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "sys/nlask.h"

/* By hand: the monitor's C library need not format. */
void counter_name(const char *ifname, enum counter_kind kind, char ret_name[COUNTER_NAME])
{
	static const char *const endings[COUNTER_KINDS] = { "_out4", "_out6", "_in4", "_in6" };
	size_t n = strnlen(ifname, IFNAMSIZ - 1);
	memcpy(ret_name, ifname, n);
	memcpy(ret_name + n, endings[kind], strlen(endings[kind]) + 1);
}

int counters_open(void)
{
	return nlask_open(NETLINK_NETFILTER);
}

static void ask(struct nlask *q, unsigned family, const char *name)
{
	const uint32_t type = htobe32(NFT_OBJECT_COUNTER);
	const struct nfgenmsg nf = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0 };
	nlask_begin(q, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ, &nf, sizeof(nf));
	nlask_put(q, NFTA_OBJ_TABLE, COUNTER_TABLE, sizeof(COUNTER_TABLE));
	nlask_put(q, NFTA_OBJ_NAME, name, strlen(name) + 1);
	nlask_put(q, NFTA_OBJ_TYPE, &type, sizeof(type));
}

static bool find_u64(const void *data, size_t n, unsigned type, uint64_t *ret)
{
	const void *at;
	size_t len;
	uint64_t be;
	if (!nlask_find(data, n, type, &at, &len) || len != sizeof(be))
		return false;
	memcpy(&be, at, sizeof(be));
	*ret = be64toh(be);
	return true;
}

/* Never 0: of the comment, in which whoever made the counter has put a random number. */
static uint64_t generation_of(const void *data, size_t n)
{
	uint64_t h = fnv_add(FNV_BEGIN, data, n);
	return h ? h : 1;
}

static void read_answer(const struct nlmsghdr *m, void *data)
{
	const void *counter, *comment = "";
	size_t n, n_counter, n_comment = 0;
	struct counter *ret = data, c = { 0 };
	const void *attrs = nlask_attrs(m, sizeof(struct nfgenmsg), &n);
	if (!attrs || !nlask_find(attrs, n, NFTA_OBJ_DATA, &counter, &n_counter) ||
	    !find_u64(counter, n_counter, NFTA_COUNTER_PACKETS, &c.packets) ||
	    !find_u64(counter, n_counter, NFTA_COUNTER_BYTES, &c.bytes))
		return;
	nlask_find(attrs, n, NFTA_OBJ_USERDATA, &comment, &n_comment);
	c.generation = generation_of(comment, n_comment);
	*ret = c;
}

int counters_read(int sock, unsigned family, const char ifname[IFNAMSIZ], struct counter ret[COUNTER_KINDS])
{
	memset(ret, 0, sizeof(ret[0]) * COUNTER_KINDS);
	for (uint32_t k = 0; k < COUNTER_KINDS; k++) {
		struct nlask q;
		char name[COUNTER_NAME];
		counter_name(ifname, k, name);
		ask(&q, family, name);
		int r = nlask(sock, &q, read_answer, &ret[k]);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}
