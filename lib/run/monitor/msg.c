/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages and descriptors over the control socket, and the arrival of the blob. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mon.h"

int fail(struct failure *f, const char *op, const char *object)
{
	f->op = op;
	f->object = object;
	f->err = errno;
	return -1;
}

int msg_send(int sock, const struct msg *msg, const int *fds, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * BLOB_MAX_FDS)];
	} control = { 0 };
	struct iovec iov = { (void *)msg, sizeof(*msg) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (n_fds) {
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	return sendmsg(sock, &h, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* One message of at most SIZE bytes; descriptors past MAX are closed by the kernel (MSG_CTRUNC is an error). */
static ssize_t receive(int sock, void *buffer, size_t size, int *ret_fds, unsigned *n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * BLOB_MAX_FDS)];
	} control;
	struct iovec iov = { buffer, size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes };
	h.msg_controllen = n_fds ? CMSG_SPACE(sizeof(int) * *n_fds) : 0;
	ssize_t n;
	do
		n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	unsigned got = 0;
	for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL; c; c = CMSG_NXTHDR(&h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		got = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(ret_fds, CMSG_DATA(c), sizeof(int) * got);
	}
	if (n_fds)
		*n_fds = got;
	if (n > 0 && h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

int msg_recv(int sock, struct msg *ret_msg, int *ret_fds, unsigned *n_fds)
{
	unsigned room = n_fds ? *n_fds : 0;
	ssize_t n = receive(sock, ret_msg, sizeof(*ret_msg), ret_fds, n_fds);
	/* A peer that ended with our words unread resets the connection; that is said once, and before what it had
	 * sent: its last record comes with the next call. */
	if (n < 0 && errno == ECONNRESET) {
		if (n_fds)
			*n_fds = room;
		n = receive(sock, ret_msg, sizeof(*ret_msg), ret_fds, n_fds);
	}
	if (n == 0)
		return 0;
	if (n != sizeof(*ret_msg)) {
		if (n > 0)
			errno = EBADMSG;
		return -1;
	}
	return 1;
}

int msg_recv_fd(int sock)
{
	struct msg msg;
	int fd = -1;
	unsigned n = 1;
	struct pollfd p = { .fd = sock, .events = POLLIN };
	if (poll(&p, 1, 0) <= 0 || msg_recv(sock, &msg, &fd, &n) != 1 || n != 1)
		return -1;
	return fd;
}

void msg_failed(int sock, const char *stage, const struct failure *f)
{
	struct msg m = { .kind = MSG_FAILED, .err = f->err };
	snprintf(m.stage, sizeof(m.stage), "%s", stage);
	snprintf(m.op, sizeof(m.op), "%s", f->op ? f->op : "");
	snprintf(m.object, sizeof(m.object), "%s", f->object ? f->object : "");
	snprintf(m.text, sizeof(m.text), "%s", f->text);
	msg_send(sock, &m, NULL, 0);
}

int mon_receive(struct mon *m, void *buffer, size_t size)
{
	m->n_fds = BLOB_MAX_FDS;
	ssize_t n = receive(m->control, buffer, size, m->fds, &m->n_fds);
	const struct blob *b = buffer;
	if (n < (ssize_t)sizeof(*b) || b->magic != BLOB_MAGIC || b->version != BLOB_VERSION || b->size != (size_t)n)
		return -1;
	m->blob = b;
	m->base = buffer;
	return 0;
}
