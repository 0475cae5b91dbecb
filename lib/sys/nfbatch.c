/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/nfbatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

/* RETRIES: a batch from which missing things were left out goes again; meanwhile more may have gone. */
enum { WHAT_MAX = 128, RECV_BYTES = 32 * 1024, RETRIES = 8 };

struct request {
	size_t offset; /* in the buffer */
	bool may_miss, left_out;
	int errnum;
	char what[WHAT_MAX];
};

struct nfb {
	uint8_t subsystem;
	char *buf;
	size_t used, size;
	struct request *requests;
	unsigned n, cap;
	bool oom;
	/* Where a request goes for which there is no memory. */
	char nowhere[NFB_REQUEST_MAX + 64] __attribute__((aligned(8)));
};

struct nfb *nfb_new(uint8_t subsystem)
{
	struct nfb *b = malloc(sizeof(*b));
	if (!b)
		return NULL;
	memset(b, 0, offsetof(struct nfb, nowhere));
	b->subsystem = subsystem;
	return b;
}

void nfb_free(struct nfb *b)
{
	if (!b)
		return;
	free(b->buf);
	free(b->requests);
	free(b);
}

void nfb_freep(struct nfb **b)
{
	nfb_free(*b);
}

bool nfb_empty(const struct nfb *b)
{
	return b->n == 0 && !b->oom;
}

/* ---- requests ------------------------------------------------------------------------------------ */

static struct nlmsghdr *request_header(const struct nfb *b, unsigned i)
{
	return (struct nlmsghdr *)(b->buf + b->requests[i].offset);
}

/* The length of the request added last is known when the next one comes. */
static void close_last(struct nfb *b)
{
	if (b->n > 0)
		b->used = b->requests[b->n - 1].offset + MNL_ALIGN(request_header(b, b->n - 1)->nlmsg_len);
}

static bool reserve(struct nfb *b)
{
	if (b->n == b->cap) {
		unsigned cap = b->cap ? b->cap * 2 : 32;
		struct request *more = reallocarray(b->requests, cap, sizeof(*more));
		if (!more)
			return false;
		b->requests = more;
		b->cap = cap;
	}
	size_t need = b->used + NFB_REQUEST_MAX + 64;
	if (need > b->size) {
		size_t size = b->size ? b->size * 2 : 2 * (NFB_REQUEST_MAX + 64);
		while (size < need)
			size *= 2;
		char *more = realloc(b->buf, size);
		if (!more)
			return false;
		b->buf = more;
		b->size = size;
	}
	return true;
}

static struct nlmsghdr *put_header(char *where, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(where);
	m->nlmsg_type = type;
	m->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res_id);
	return m;
}

struct nlmsghdr *nfb_add(struct nfb *b, unsigned type, uint16_t flags, uint8_t family, const char *what, ...)
{
	uint16_t full_type = (uint16_t)(b->subsystem << 8 | type);
	close_last(b);
	if (b->oom || !reserve(b)) {
		b->oom = true;
		return put_header(b->nowhere, full_type, flags, family, 0);
	}
	struct request *q = &b->requests[b->n++];
	*q = (struct request){ .offset = b->used };
	va_list ap;
	va_start(ap, what);
	vsnprintf(q->what, sizeof(q->what), what, ap);
	va_end(ap);
	return put_header(b->buf + q->offset, full_type, flags, family, 0);
}

void nfb_each(struct nfb *b, nfb_each_fn fn, void *data)
{
	close_last(b);
	for (unsigned i = 0; i < b->n; i++)
		fn(request_header(b, i), data);
}

void nfb_may_miss(struct nfb *b)
{
	if (!b->oom && b->n > 0)
		b->requests[b->n - 1].may_miss = true;
}

/* ---- one try ------------------------------------------------------------------------------------- */

struct failure {
	int errnum; /* the first that is no missing thing, 0: none */
	const char *what;
	char text[160];
	unsigned n_missed;
};

static int keep_text(const struct nlattr *attr, void *data)
{
	struct failure *f = data;
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(f->text, sizeof(f->text), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

/* Sequence numbers: 0 begins, 1 + i is request i, n + 1 ends. */
static void take_answer(struct nfb *b, const struct nlmsghdr *m, struct failure *f)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	if (m->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(m) < sizeof(*e) || e->error == 0)
		return;
	unsigned i = m->nlmsg_seq - 1;
	struct request *q = i < b->n ? &b->requests[i] : NULL;
	if (q && q->may_miss && e->error == -ENOENT) {
		f->n_missed += !q->left_out;
		q->left_out = true;
		return;
	}
	if (f->errnum != 0)
		return;
	f->errnum = -e->error;
	f->what = q ? q->what : "change the firewall's sets";
	if (m->nlmsg_flags & NLM_F_ACK_TLVS && m->nlmsg_flags & NLM_F_CAPPED)
		mnl_attr_parse(m, sizeof(*e), keep_text, f);
}

/* The kernel works while we send: when that returns, all answers are there. */
static int read_answers(struct nfb *b, struct mnl_socket *s, struct failure *f)
{
	char buf[RECV_BYTES] __attribute__((aligned(8)));
	for (unsigned n = 0;; n++) {
		ssize_t size = recv(mnl_socket_get_fd(s), buf, sizeof(buf), MSG_DONTWAIT);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return (errno == EAGAIN && n > 0) ? 0 : -errno;
		int left = (int)size;
		for (const struct nlmsghdr *m = (void *)buf; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			take_answer(b, m, f);
	}
}

/* The batch as it goes out: begin, what is not left out, end. The last request asks for an answer, so that there is one. */
static char *assemble(struct nfb *b, size_t *ret_size)
{
	enum { FRAME = 64 };
	char *out = malloc(b->used + 2 * FRAME);
	if (!out)
		return NULL;
	struct nlmsghdr *m = put_header(out, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, b->subsystem), *last = NULL;
	char *p = out + MNL_ALIGN(m->nlmsg_len);
	for (unsigned i = 0; i < b->n; i++) {
		if (b->requests[i].left_out)
			continue;
		const struct nlmsghdr *from = request_header(b, i);
		last = memcpy(p, from, MNL_ALIGN(from->nlmsg_len));
		last->nlmsg_seq = i + 1;
		p += MNL_ALIGN(from->nlmsg_len);
	}
	if (last)
		last->nlmsg_flags |= NLM_F_ACK;
	m = put_header(p, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, b->subsystem);
	m->nlmsg_seq = b->n + 1;
	*ret_size = last ? (size_t)(p - out) + MNL_ALIGN(m->nlmsg_len) : 0;
	return out;
}

static int try_once(struct nfb *b, struct mnl_socket *s, struct failure *f, ve_error **ret_error)
{
	size_t size;
	_cleanup_free_ char *out = assemble(b, &size);
	*f = (struct failure){ 0 };
	if (!out)
		return err_nomem(ret_error);
	if (size == 0)
		return 0;
	/* A VE with very many addresses: more than the usual 200 KiB at once. */
	int room = (int)(size + 4096);
	if (size > 100000)
		setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	ssize_t r;
	do
		r = mnl_socket_sendto(s, out, size);
	while (r < 0 && errno == EINTR);
	int e = r < 0 ? -errno : read_answers(b, s, f);
	if (e < 0)
		return err_sys(ret_error, -e, "network", "cannot exchange messages with nftables");
	if (f->errnum == 0)
		return 0;
	if (f->text[0])
		return err_sys(ret_error, f->errnum, "network", "cannot %s: %s", f->what, f->text);
	return err_sys(ret_error, f->errnum, "network", "cannot %s", f->what);
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int on = 1;
	if (!s)
		return NULL;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;
		mnl_socket_close(s);
		errno = saved;
		return NULL;
	}
	mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
	return s;
}

static int commit(struct nfb *b, ve_error **ret_error)
{
	struct failure f = { 0 };
	if (b->oom)
		return err_nomem(ret_error);
	if (b->n == 0)
		return 0;
	struct mnl_socket *s = open_socket();
	if (!s)
		return err_sys(ret_error, errno, "network", "cannot open a netlink socket");
	int r;
	unsigned tries = 0;
	do
		r = try_once(b, s, &f, ret_error);
	while (r == 0 && f.n_missed > 0 && ++tries < RETRIES);
	if (r == 0 && f.n_missed > 0)
		r = err_sys(ret_error, EAGAIN, "network", "cannot remove elements that others remove meanwhile");
	mnl_socket_close(s);
	return r;
}

int nfb_commit(struct nfb *b, ve_error **ret_error)
{
	close_last(b);
	int r = commit(b, ret_error);
	b->n = 0;
	b->used = 0;
	b->oom = false;
	return r;
}
