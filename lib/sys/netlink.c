/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

enum {
	/* Each answer waits in the socket's receive buffer, where the smallest is charged some 800 of its 212,992
	 * bytes: a batch of more than about 200 would lose answers (ENOBUFS). */
	BATCH_MAX = 64,
	SEND_BYTES = 16 * 1024,
	/* The kernel fills dumps up to the size of the buffer it is read with, and never more than this. */
	RECV_BYTES = 32 * 1024,
	TOLERATED_MAX = 4,
};

struct request {
	int tolerated[TOLERATED_MAX];
	unsigned n_tolerated;
	int *result;
	nl_reply_fn fn;
	void *data;
	bool done;
	char what[160];
};

struct nl {
	struct mnl_socket *socket;
	unsigned port, first_seq, n;
	struct nlmsghdr *last;
	int failed; /* of a batch that went out by itself, or of this one: 0 or -errno */
	ve_error *error;
	struct request requests[BATCH_MAX];
	char send[SEND_BYTES] __attribute__((aligned(8)));
	char recv[RECV_BYTES] __attribute__((aligned(8)));
};

/* ---- open and close ------------------------------------------------------------------------------ */

static struct mnl_socket *open_socket(int bus)
{
	struct mnl_socket *s = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;
		mnl_socket_close(s);
		errno = saved;
		return NULL;
	}
	return s;
}

/* Takes over SOCKET, NULL with errno ERRNUM where it could not be opened. */
static int wrap_socket(struct mnl_socket *socket, int errnum, struct nl **ret_nl, ve_error **ret_error)
{
	if (!socket)
		return err_sys(ret_error, errnum, "network", "cannot open a netlink socket");
	struct nl *nl = malloc(sizeof(*nl));
	if (!nl) {
		mnl_socket_close(socket);
		return err_nomem(ret_error);
	}
	/* Not zeroed as a whole: the buffers need it not, and their pages stay untouched until used. */
	nl->socket = socket;
	nl->port = mnl_socket_get_portid(socket);
	nl->first_seq = 1;
	nl->n = 0;
	nl->last = NULL;
	nl->failed = 0;
	nl->error = NULL;
	int on = 1;
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	*ret_nl = nl;
	return 0;
}

int nl_open(int bus, struct nl **ret_nl, ve_error **ret_error)
{
	struct mnl_socket *s = open_socket(bus);
	return wrap_socket(s, errno, ret_nl, ret_error);
}

struct visit {
	int bus, netns_fd, errnum;
	bool entered;
	struct mnl_socket *socket;
};

static void *make_namespace(void *data)
{
	struct visit *v = data;
	if (unshare(CLONE_NEWNET) == 0)
		v->netns_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	v->errnum = errno;
	return NULL;
}

static void *visit_namespace(void *data)
{
	struct visit *v = data;
	/* From here on this thread, and no other, is in that namespace; it ends there. */
	if (setns(v->netns_fd, CLONE_NEWNET) < 0) {
		v->errnum = errno;
		return NULL;
	}
	v->entered = true;
	v->socket = open_socket(v->bus);
	v->errnum = errno;
	return NULL;
}

/* pthread_create() with all signals blocked: no handler of the caller's runs in the namespace. */
static int run_visitor(void *(*fn)(void *), struct visit *v)
{
	sigset_t all, saved;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024 > PTHREAD_STACK_MIN ? 64 * 1024 : (size_t)PTHREAD_STACK_MIN);
	pthread_t thread;
	int r = pthread_create(&thread, &attr, fn, v);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (r == 0)
		pthread_join(thread, NULL);
	return r;
}

int nl_open_in(int bus, int netns_fd, struct nl **ret_nl, ve_error **ret_error)
{
	struct visit v = { .bus = bus, .netns_fd = netns_fd };
	int r = run_visitor(visit_namespace, &v);
	if (r > 0)
		return err_sys(ret_error, r, "network", "cannot start a thread for the VE's network namespace");
	if (!v.entered)
		return err_sys(ret_error, v.errnum, "network", "cannot enter the VE's network namespace");
	return wrap_socket(v.socket, v.errnum, ret_nl, ret_error);
}

int nl_new_namespace(int *ret_netns_fd, ve_error **ret_error)
{
	struct visit v = { .netns_fd = -1 };
	int r = run_visitor(make_namespace, &v);
	if (r > 0 || v.netns_fd < 0)
		return err_sys(ret_error, r > 0 ? r : v.errnum, "network", "cannot make a network namespace to compare with");
	*ret_netns_fd = v.netns_fd;
	return 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	mnl_socket_close(nl->socket);
	ve_error_free(nl->error);
	free(nl);
}

void nl_closep(struct nl **nl)
{
	nl_close(*nl);
}

/* ---- requests ------------------------------------------------------------------------------------ */

static size_t used(const struct nl *nl)
{
	return nl->last ? (size_t)((const char *)nl->last - nl->send) + MNL_ALIGN(nl->last->nlmsg_len) : 0;
}

static void flush(struct nl *nl);

struct nlmsghdr *nl_add(struct nl *nl, uint16_t type, uint16_t flags, const char *what, ...)
{
	if (nl->n == BATCH_MAX || used(nl) + NL_REQUEST_MAX > SEND_BYTES)
		flush(nl);
	struct nlmsghdr *m = mnl_nlmsg_put_header(nl->send + used(nl));
	m->nlmsg_type = type;
	/* A dump ends with NLMSG_DONE, everything else with its acknowledgement. */
	m->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST | ((flags & NLM_F_DUMP) == NLM_F_DUMP ? 0 : NLM_F_ACK));
	m->nlmsg_seq = nl->first_seq + nl->n;

	struct request *q = &nl->requests[nl->n];
	*q = (struct request){ 0 };
	va_list ap;
	va_start(ap, what);
	vsnprintf(q->what, sizeof(q->what), what, ap);
	va_end(ap);
	nl->n++;
	nl->last = m;
	return m;
}

void nl_tolerate(struct nl *nl, int errnum)
{
	struct request *q = &nl->requests[nl->n - 1];
	if (q->n_tolerated < TOLERATED_MAX)
		q->tolerated[q->n_tolerated++] = errnum;
}

void nl_result_into(struct nl *nl, int *where)
{
	*where = 0;
	nl->requests[nl->n - 1].result = where;
}

void nl_on_reply(struct nl *nl, nl_reply_fn fn, void *data)
{
	nl->requests[nl->n - 1].fn = fn;
	nl->requests[nl->n - 1].data = data;
}

/* ---- answers ------------------------------------------------------------------------------------- */

static int keep_string(const struct nlattr *attr, void *data)
{
	const char **ret = data;
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*ret = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The kernel's own sentence in an acknowledgement, or NULL. */
static const char *extended_text(const struct nlmsghdr *m)
{
	const char *text = NULL;
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	/* Behind the errno comes the request's header, and its body unless the kernel capped it. */
	size_t offset = sizeof(*e);
	if (!(m->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
		offset += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (offset < mnl_nlmsg_get_payload_len(m))
		mnl_attr_parse(m, (unsigned)offset, keep_string, &text);
	return text;
}

static bool tolerated(const struct request *q, int errnum)
{
	for (unsigned i = 0; i < q->n_tolerated; i++)
		if (q->tolerated[i] == errnum)
			return true;
	return false;
}

static void finish(struct nl *nl, struct request *q, int errnum, const char *text)
{
	q->done = true;
	if (q->result) {
		*q->result = errnum;
		return;
	}
	if (errnum == 0 || tolerated(q, errnum))
		return;
	if (nl->failed == 0)
		nl->failed = -errnum;
	if (text)
		err_sys(&nl->error, errnum, "network", "cannot %s: %s", q->what, text);
	else
		err_sys(&nl->error, errnum, "network", "cannot %s", q->what);
}

static void take_message(struct nl *nl, const struct nlmsghdr *m)
{
	unsigned i = m->nlmsg_seq - nl->first_seq;
	if (i >= nl->n || nl->requests[i].done || m->nlmsg_pid != nl->port)
		return;
	struct request *q = &nl->requests[i];
	if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE) {
		int code = 0; /* NLMSG_DONE of old families has no payload */
		size_t need = m->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(code);
		if (mnl_nlmsg_get_payload_len(m) >= need)
			memcpy(&code, mnl_nlmsg_get_payload(m), sizeof(code));
		finish(nl, q, code < 0 ? -code : 0, m->nlmsg_type == NLMSG_ERROR ? extended_text(m) : NULL);
	} else if (q->fn) {
		q->fn(m, q->data);
	}
}

static bool all_done(const struct nl *nl)
{
	for (unsigned i = 0; i < nl->n; i++)
		if (!nl->requests[i].done)
			return false;
	return true;
}

static void fail(struct nl *nl, int errnum, const char *what)
{
	if (nl->failed == 0)
		nl->failed = -errnum;
	err_sys(&nl->error, errnum, "network", "cannot %s netlink messages", what);
}

static void read_answers(struct nl *nl)
{
	while (!all_done(nl)) {
		ssize_t size = mnl_socket_recvfrom(nl->socket, nl->recv, sizeof(nl->recv));
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0) {
			fail(nl, errno, "receive");
			return;
		}
		int left = (int)size;
		for (const struct nlmsghdr *m = (void *)nl->recv; mnl_nlmsg_ok(m, left);
		     m = mnl_nlmsg_next(m, &left))
			take_message(nl, m);
	}
}

static void flush(struct nl *nl)
{
	if (nl->n > 0 && nl->failed == 0) {
		ssize_t r;
		do
			r = mnl_socket_sendto(nl->socket, nl->send, used(nl));
		while (r < 0 && errno == EINTR);
		if (r < 0)
			fail(nl, errno, "send");
		else
			read_answers(nl);
	}
	nl->first_seq += nl->n;
	nl->n = 0;
	nl->last = NULL;
}

int nl_commit(struct nl *nl, ve_error **ret_error)
{
	flush(nl);
	int r = nl->failed;
	nl->failed = 0;
	if (r < 0 && ret_error && !*ret_error)
		*ret_error = nl->error;
	else
		ve_error_free(nl->error);
	nl->error = NULL;
	return r;
}
