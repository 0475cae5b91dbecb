/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "report.h"
#include "util.h"

enum { DOCUMENT_MAX = 1 << 20 };

/* 0, or an errno. */
static int read_all(int fd, struct text *t)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (memchr(piece, '\0', (size_t)n))
			return EILSEQ;
		if (t->len + (size_t)n > DOCUMENT_MAX)
			return EFBIG;
		text_add_n(t, piece, (size_t)n);
	}
	return 0;
}

int document_read(struct call *call, const char *path, char **ret_text)
{
	_cleanup_text_ struct text t = { 0 };
	bool is_stdin = str_eq(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int why = fd < 0 ? errno : read_all(fd, &t);

	if (fd >= 0 && !is_stdin)
		close(fd);
	if (why)
		return report_refusal(call, why == ENOENT ? VE_ERR_NOT_FOUND : VE_ERR_DATA, NULL, "cannot read %s%s%s: %s", is_stdin ? "" : "'",
				      is_stdin ? "standard input" : path, is_stdin ? "" : "'", strerror(why));
	*ret_text = x_strdup(t.s ? t.s : "");
	return 0;
}
