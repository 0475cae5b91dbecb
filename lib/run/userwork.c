/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/userwork.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/inside.h"

enum { DEADLINE_MS = 30000, ANSWER_MAX = 2 << 20 };

/* All that comes from SOCK until its end, in DEADLINE_MS. */
static int hear(struct ve *v, int sock, char **ret_answer, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	int64_t until = clock_ms() + DEADLINE_MS;
	for (;;) {
		char part[4096];
		struct pollfd p[2] = { { .fd = sock, .events = POLLIN }, { .fd = v->ctx->cancel_fd, .events = POLLIN } };
		int64_t left = until - clock_ms();
		int r = poll(p, 2, left > 0 ? (int)left : 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r > 0 && p[1].revents)
			return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted");
		if (r <= 0)
			return err_plain(ret_error, VE_ERR_BUSY, ETIMEDOUT, "users", "no answer came within %d seconds",
					 DEADLINE_MS / 1000);
		ssize_t n = recv(sock, part, sizeof(part), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		strbuf_add_n(&b, part, (size_t)n);
		if (b.len > ANSWER_MAX)
			return err_plain(ret_error, VE_ERR_DATA, EFBIG, "users", "there are too many accounts in it");
	}
	*ret_answer = strbuf_steal(&b);
	return *ret_answer ? 0 : err_nomem(ret_error);
}

static struct blob_user freeze(struct blobber *b, const struct user_request *q)
{
	struct blob_user u = { .what = q->what, .uid = q->has_uid ? q->uid : UINT32_MAX, .locked = q->locked,
			       .name = blobber_str(b, q->name),
			       .home = blobber_str(b, q->home), .shell = blobber_str(b, q->shell), .hash = blobber_str(b, q->hash),
			       .keys = blobber_str(b, q->keys) };
	if (q->groups)
		u.groups = blobber_strv(b, q->groups);
	return u;
}

int userwork_do(struct ve *v, const struct user_request *q, char **ret_answer, ve_error **ret_error)
{
	_cleanup_inside_ struct inside in = { 0 };
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(ret_error, errno, "users", "cannot make a socket");
	ours = pair[0];
	theirs = pair[1];
	int r = inside_open(&in, v, ret_error);
	if (r < 0)
		return r;
	in.blob.head.fd_stream = blobber_fd(&in.blob, theirs);
	in.blob.head.user_change = freeze(&in.blob, q);
	r = inside_begin(&in, ret_error);
	close_fd(&theirs);
	if (r == 0)
		r = hear(v, ours, ret_answer, ret_error);
	return r < 0 ? r : inside_end(&in, DEADLINE_MS, ret_error);
}
