/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/blobber.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/str.h"

static void reserve(struct blobber *b, size_t n)
{
	if (b->failed || b->len + n <= b->cap)
		return;
	size_t cap = b->cap ? b->cap : 16384;
	while (cap < b->len + n)
		cap *= 2;
	b->too_large = cap > 4 * (size_t)BLOB_MAX_BYTES;
	char *data = b->too_large ? NULL : realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return;
	}
	b->data = data;
	b->cap = cap;
}

static uint32_t append(struct blobber *b, const void *data, size_t n, size_t align)
{
	size_t at = (b->len + align - 1) / align * align;
	reserve(b, at - b->len + n);
	if (b->failed)
		return 0;
	memset(b->data + b->len, 0, at - b->len);
	if (n)
		memcpy(b->data + at, data, n);
	b->len = at + n;
	return (uint32_t)at;
}

void blobber_init(struct blobber *b, enum mon_role role)
{
	*b = (struct blobber){ 0 };
	b->head = (struct blob){
		.magic = BLOB_MAGIC,
		.version = BLOB_VERSION,
		.role = role,
		.fd_root = -1,
		.fd_upper = -1,
		.fd_cgroup = -1,
		.fd_monitor_cgroup = -1,
		.fd_run_dir = -1,
		.fd_log_dir = -1,
		.fd_console_listen = -1,
		.fd_notify = -1,
		.fd_quota = -1,
		.fd_quota_fs = -1,
		.fd_traffic = -1,
		.fd_stdio = { -1, -1, -1 },
		.fd_pidfd = -1,
		.fd_userns = -1,
		.fd_stream = -1,
	};
	append(b, &b->head, sizeof(b->head), 8);
}

void blobber_done(struct blobber *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len); /* it may have held a password's hash or a key */
	free(b->data);
	b->data = NULL;
}

blob_str blobber_str(struct blobber *b, const char *s)
{
	return s ? append(b, s, strlen(s) + 1, 1) : 0;
}

struct blob_vec blobber_vec(struct blobber *b, const void *data, size_t n, size_t size)
{
	return (struct blob_vec){ append(b, data, n * size, 8), (uint32_t)n };
}

struct blob_vec blobber_strv(struct blobber *b, const char *const *v)
{
	size_t n = strv_length(v);
	blob_str *offsets = calloc(n + 1, sizeof(*offsets));
	if (!offsets) {
		b->failed = true;
		return (struct blob_vec){ 0 };
	}
	for (size_t i = 0; i < n; i++)
		offsets[i] = blobber_str(b, v[i]);
	struct blob_vec r = blobber_vec(b, offsets, n, sizeof(*offsets));
	free(offsets);
	return r;
}

int32_t blobber_fd(struct blobber *b, int fd)
{
	if (fd < 0)
		return -1;
	if (b->n_fds == BLOB_MAX_FDS) {
		b->failed = true;
		return -1;
	}
	b->fds[b->n_fds] = fd;
	return (int32_t)b->n_fds++;
}

struct blob_vec blobber_fds(struct blobber *b, const int *fds, unsigned n)
{
	int32_t indexes[BLOB_MAX_FDS];
	for (unsigned i = 0; i < n && i < BLOB_MAX_FDS; i++)
		indexes[i] = blobber_fd(b, fds[i]);
	return blobber_vec(b, indexes, n, sizeof(indexes[0]));
}

void blobber_tty(struct blobber *b)
{
	struct winsize size;
	b->head.flags |= BLOB_TTY;
	if (ioctl(0, TIOCGWINSZ, &size) < 0)
		return;
	b->head.rows = size.ws_row;
	b->head.columns = size.ws_col;
}

int blobber_finish(struct blobber *b, ve_error **ret_error)
{
	if (!b->failed && b->len <= BLOB_MAX_BYTES) {
		b->head.size = (uint32_t)b->len;
		memcpy(b->data, &b->head, sizeof(b->head));
		return 0;
	}
	if (b->failed && !b->too_large)
		return err_nomem(ret_error);
	return err_plain(ret_error, VE_ERR_USAGE, E2BIG, "plan",
			 "arguments, environment and files together are larger than %d bytes", BLOB_MAX_BYTES);
}
