/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/counters.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { DEADLINE_S = 2 };

const char *const counter_sets[COUNTER_KINDS] = { "out4", "out6", "in4", "in6" };

int counters_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct timeval deadline = { .tv_sec = DEADLINE_S };
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	/* Bound to its own port only: no groups, so what arrives is answers of the kernel's. */
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) == 0)
		return fd;
	int saved = errno;
	close(fd);
	return -saved;
}

/* ---- the question ---------------------------------------------------------------------------------- */

struct request {
	struct nlmsghdr head;
	struct nfgenmsg nf;
	char attrs[128];
};

static struct nlattr *put(struct request *q, uint16_t type, const void *data, size_t n)
{
	struct nlattr *a = (struct nlattr *)((char *)q + q->head.nlmsg_len);
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + n);
	if (n)
		memcpy((char *)a + NLA_HDRLEN, data, n);
	q->head.nlmsg_len += (uint32_t)NLA_ALIGN(a->nla_len);
	return a;
}

static void end_nest(const struct request *q, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((const char *)q + q->head.nlmsg_len - (const char *)nest);
}

static void ask(struct request *q, unsigned family, const char *set, const char ifname[IFNAMSIZ], uint32_t seq)
{
	*q = (struct request){
		.head = {
			.nlmsg_len = offsetof(struct request, attrs),
			.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
			.nlmsg_seq = seq,
		},
		.nf = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0 },
	};
	put(q, NFTA_SET_ELEM_LIST_TABLE, COUNTER_TABLE, sizeof(COUNTER_TABLE));
	put(q, NFTA_SET_ELEM_LIST_SET, set, strlen(set) + 1);
	struct nlattr *list = put(q, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, NULL, 0);
	struct nlattr *element = put(q, NFTA_LIST_ELEM | NLA_F_NESTED, NULL, 0);
	struct nlattr *key = put(q, NFTA_SET_ELEM_KEY | NLA_F_NESTED, NULL, 0);
	put(q, NFTA_DATA_VALUE, ifname, IFNAMSIZ);
	end_nest(q, key);
	end_nest(q, element);
	end_nest(q, list);
}

/* ---- the answer ------------------------------------------------------------------------------------ */

/* The attribute TYPE among the N bytes at DATA, its payload in *RET and *RET_N. */
static bool find(const void *data, size_t n, unsigned type, const void **ret, size_t *ret_n)
{
	const char *p = data;
	while (n >= NLA_HDRLEN) {
		const struct nlattr *a = (const struct nlattr *)p;
		size_t len = a->nla_len, step = NLA_ALIGN(len);
		if (len < NLA_HDRLEN || len > n)
			return false;
		if ((a->nla_type & NLA_TYPE_MASK) == type) {
			*ret = p + NLA_HDRLEN;
			*ret_n = len - NLA_HDRLEN;
			return true;
		}
		p += step;
		n = step > n ? 0 : n - step;
	}
	return false;
}

static bool find_u64(const void *data, size_t n, unsigned type, uint64_t *ret)
{
	const void *at;
	size_t len;
	uint64_t be;
	if (!find(data, n, type, &at, &len) || len != sizeof(be))
		return false;
	memcpy(&be, at, sizeof(be));
	*ret = be64toh(be);
	return true;
}

/* FNV-1a, never 0: of the comment, in which whoever made the element has put a random number. */
static uint64_t generation_of(const void *data, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* One expression is NFTA_SET_ELEM_EXPR, also where the set allows several (NFTA_SET_ELEM_EXPRESSIONS). */
static void read_element(const void *element, size_t n, struct counter *ret)
{
	const void *expr, *data, *comment = "";
	size_t n_expr, n_data, n_comment = 0;
	struct counter c = { 0 };
	if (!find(element, n, NFTA_SET_ELEM_EXPR, &expr, &n_expr) ||
	    !find(expr, n_expr, NFTA_EXPR_DATA, &data, &n_data) ||
	    !find_u64(data, n_data, NFTA_COUNTER_PACKETS, &c.packets) ||
	    !find_u64(data, n_data, NFTA_COUNTER_BYTES, &c.bytes))
		return;
	find(element, n, NFTA_SET_ELEM_USERDATA, &comment, &n_comment);
	c.generation = generation_of(comment, n_comment);
	*ret = c;
}

static void read_answer(const struct nlmsghdr *m, struct counter *ret)
{
	const void *list, *element;
	size_t n, skip = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	if (m->nlmsg_len >= skip &&
	    find((const char *)m + skip, m->nlmsg_len - skip, NFTA_SET_ELEM_LIST_ELEMENTS, &list, &n) &&
	    find(list, n, NFTA_LIST_ELEM, &element, &n))
		read_element(element, n, ret);
}

/* Up to the acknowledgement of SEQ. */
static int await(int sock, uint32_t seq, struct counter *ret)
{
	char buf[2048] __attribute__((aligned(8)));
	for (;;) {
		ssize_t got = recv(sock, buf, sizeof(buf), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		size_t left = (size_t)got;
		for (const struct nlmsghdr *m = (void *)buf; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
			const struct nlmsgerr *e = NLMSG_DATA(m);
			if (m->nlmsg_seq != seq)
				continue;
			if (m->nlmsg_type != NLMSG_ERROR)
				read_answer(m, ret);
			else if (m->nlmsg_len >= NLMSG_LENGTH(sizeof(*e)))
				return e->error == -ENOENT ? 0 : e->error;
		}
	}
}

int counters_read(int sock, unsigned family, const char ifname[IFNAMSIZ], struct counter ret[COUNTER_KINDS])
{
	char key[IFNAMSIZ] = { 0 };
	memcpy(key, ifname, strnlen(ifname, IFNAMSIZ));
	memset(ret, 0, sizeof(ret[0]) * COUNTER_KINDS);
	for (uint32_t k = 0; k < COUNTER_KINDS; k++) {
		struct request q;
		ask(&q, family, counter_sets[k], key, k + 1);
		if (send(sock, &q, q.head.nlmsg_len, 0) < 0)
			return -errno;
		int r = await(sock, k + 1, &ret[k]);
		if (r < 0)
			return r;
	}
	return 0;
}
