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

static void put(struct request *q, uint16_t type, const void *data, size_t n)
{
	struct nlattr *a = (struct nlattr *)((char *)q + q->head.nlmsg_len);
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + n);
	memcpy((char *)a + NLA_HDRLEN, data, n);
	q->head.nlmsg_len += (uint32_t)NLA_ALIGN(a->nla_len);
}

static void ask(struct request *q, unsigned family, const char *name, uint32_t seq)
{
	const uint32_t type = htobe32(NFT_OBJECT_COUNTER);
	*q = (struct request){
		.head = {
			.nlmsg_len = offsetof(struct request, attrs),
			.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
			.nlmsg_seq = seq,
		},
		.nf = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0 },
	};
	put(q, NFTA_OBJ_TABLE, COUNTER_TABLE, sizeof(COUNTER_TABLE));
	put(q, NFTA_OBJ_NAME, name, strlen(name) + 1);
	put(q, NFTA_OBJ_TYPE, &type, sizeof(type));
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

/* FNV-1a, never 0: of the comment, in which whoever made the counter has put a random number. */
static uint64_t generation_of(const void *data, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

static void read_answer(const struct nlmsghdr *m, struct counter *ret)
{
	const void *data, *comment = "";
	size_t n_data, n_comment = 0, skip = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	struct counter c = { 0 };
	if (m->nlmsg_len < skip)
		return;
	const void *attrs = (const char *)m + skip;
	size_t n = m->nlmsg_len - skip;
	if (!find(attrs, n, NFTA_OBJ_DATA, &data, &n_data) ||
	    !find_u64(data, n_data, NFTA_COUNTER_PACKETS, &c.packets) ||
	    !find_u64(data, n_data, NFTA_COUNTER_BYTES, &c.bytes))
		return;
	find(attrs, n, NFTA_OBJ_USERDATA, &comment, &n_comment);
	c.generation = generation_of(comment, n_comment);
	*ret = c;
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
	memset(ret, 0, sizeof(ret[0]) * COUNTER_KINDS);
	for (uint32_t k = 0; k < COUNTER_KINDS; k++) {
		struct request q;
		char name[COUNTER_NAME];
		counter_name(ifname, k, name);
		ask(&q, family, name, k + 1);
		if (send(sock, &q, q.head.nlmsg_len, 0) < 0)
			return -errno;
		int r = await(sock, k + 1, &ret[k]);
		if (r < 0)
			return r;
	}
	return 0;
}
