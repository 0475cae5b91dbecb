/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both ends of a treestream.h do: bytes in and out of the socket, and where they are in the tree. */
#include "base/treestream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int tree_await(struct treestream *t, int fd, short events)
{
	if (t->wait)
		return t->wait(t->data, fd, events);
	struct pollfd p = { .fd = fd, .events = events };
	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int send_all(struct treestream *t, const char *data, size_t n)
{
	while (n > 0) {
		int r = tree_await(t, t->fd, POLLOUT);
		if (r < 0)
			return r;
		ssize_t k = send(t->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (k < 0)
			return errno == ECONNRESET ? -EPIPE : -errno;
		data += k;
		n -= (size_t)k;
	}
	return 0;
}

int tree_flush(struct treestream *t)
{
	int r = send_all(t, t->buffer, t->end);
	t->end = 0;
	return r;
}

int tree_put(struct treestream *t, const void *data, size_t n)
{
	if (n > sizeof(t->buffer) - t->end) {
		int r = tree_flush(t);
		if (r < 0 || n > sizeof(t->buffer))
			return r < 0 ? r : send_all(t, data, n);
	}
	memcpy(t->buffer + t->end, data, n);
	t->end += n;
	return 0;
}

static int fill(struct treestream *t)
{
	for (;;) {
		int r = tree_await(t, t->fd, POLLIN);
		if (r < 0)
			return r;
		ssize_t k = recv(t->fd, t->buffer, sizeof(t->buffer), MSG_DONTWAIT);
		if (k < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (k <= 0)
			return k == 0 || errno == ECONNRESET ? -EPIPE : -errno;
		t->begin = 0;
		t->end = (size_t)k;
		return 0;
	}
}

int tree_get(struct treestream *t, void *data, size_t n)
{
	for (char *to = data; n > 0;) {
		int r = t->begin == t->end ? fill(t) : 0;
		if (r < 0)
			return r;
		size_t k = t->end - t->begin < n ? t->end - t->begin : n;
		memcpy(to, t->buffer + t->begin, k);
		t->begin += k;
		to += k;
		n -= k;
	}
	return 0;
}

size_t tree_enter(struct treestream *t, const char *name)
{
	size_t before = strlen(t->at), n = strlen(name);
	/* Of a path that is too long the end is not told; it is for messages only. */
	if (before + n + 2 > sizeof(t->at))
		return before;
	if (before)
		t->at[before] = '/';
	memcpy(t->at + before + (before ? 1 : 0), name, n + 1);
	return before;
}

void tree_leave(struct treestream *t, size_t before)
{
	t->at[before] = '\0';
}
