/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/nlask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { DEADLINE_S = 2 };

int nlask_open(int bus)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, bus);
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

static void *extend(struct nlask *q, size_t n)
{
	void *at = (char *)q + q->head.nlmsg_len;
	q->head.nlmsg_len += (uint32_t)NLMSG_ALIGN(n);
	return at;
}

void nlask_begin(struct nlask *q, uint16_t type, const void *header, size_t n)
{
	*q = (struct nlask){
		.head = { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
	};
	memcpy(extend(q, n), header, n);
}

void nlask_put(struct nlask *q, uint16_t type, const void *data, size_t n)
{
	struct nlattr *a = extend(q, NLA_HDRLEN + n);
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + n);
	memcpy((char *)a + NLA_HDRLEN, data, n);
}

/* ---- the answer ------------------------------------------------------------------------------------ */

/* Up to the acknowledgement of SEQ. */
static int await(int sock, uint32_t seq, nlask_fn fn, void *data)
{
	char buf[4096] __attribute__((aligned(8)));
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
				fn(m, data);
			else if (m->nlmsg_len >= NLMSG_LENGTH(sizeof(*e)))
				return e->error;
		}
	}
}

int nlask(int sock, struct nlask *q, nlask_fn fn, void *data)
{
	static _Thread_local uint32_t last;
	q->head.nlmsg_seq = ++last;
	return send(sock, q, q->head.nlmsg_len, 0) < 0 ? -errno : await(sock, q->head.nlmsg_seq, fn, data);
}

const void *nlask_attrs(const struct nlmsghdr *m, size_t header, size_t *ret_n)
{
	size_t skip = NLMSG_LENGTH(header);
	if (m->nlmsg_len < skip)
		return NULL;
	*ret_n = m->nlmsg_len - skip;
	return (const char *)m + skip;
}

bool nlask_find(const void *attrs, size_t n, unsigned type, const void **ret, size_t *ret_n)
{
	const char *p = attrs;
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
