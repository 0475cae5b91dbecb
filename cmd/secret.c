/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "cancel.h"
#include "report.h"
#include "util.h"

enum { SECRET_MAX = 1024, KEYS_MAX = 256 * 1024 };

void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* Byte by byte, so that what stands behind the line is left to whoever reads next. Returns the length, or
 * -errno (-EINTR: a signal asked to stop). */
static ssize_t read_bytes(char *buf, size_t size)
{
	size_t n = 0;

	for (;;) {
		char c;
		int waited = cancel_wait_readable(STDIN_FILENO);
		if (waited < 0)
			return waited;
		ssize_t r = read(STDIN_FILENO, &c, 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0 || c == '\n')
			break;
		if (c == '\0' || n + 1 >= size)
			return c ? -E2BIG : -EILSEQ;
		buf[n++] = c;
	}
	if (n && buf[n - 1] == '\r')
		n--;
	buf[n] = '\0';
	return (ssize_t)n;
}

/* The length, 0 for an empty line; RET_SECRET is written where it is above 0. */
static ssize_t read_line(char **ret_secret)
{
	char buf[SECRET_MAX];
	ssize_t n = read_bytes(buf, sizeof(buf));

	if (n > 0)
		*ret_secret = x_strdup(buf);
	explicit_bzero(buf, sizeof(buf));
	return n;
}

static int complain(struct call *call, ssize_t r)
{
	if (r == -EINTR && cancel_signal()) {
		report_refusal(call, VE_ERR_BUSY, NULL, "interrupted: nothing was changed");
		return 128 + cancel_signal();
	}
	if (r == -E2BIG)
		return report_refusal(call, VE_ERR_USAGE, NULL, "the password is longer than %d bytes",
				      SECRET_MAX - 1);
	if (r == -EILSEQ)
		return report_refusal(call, VE_ERR_USAGE, NULL, "the password has a NUL byte in it");
	return report_refusal(call, VE_ERR_USAGE, NULL, "cannot read the password: %s",
			      r ? strerror((int)-r) : "it is empty");
}

int secret_read_line(struct call *call, char **ret_secret)
{
	ssize_t n = read_line(ret_secret);

	return n > 0 ? 0 : complain(call, n);
}

/* One question. Echo comes back whatever happens: a signal only ends the wait. */
static int ask(struct call *call, const char *question, const char *who, char **ret_secret)
{
	struct termios shown, hidden;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return complain(call, -errno);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "%s %s: ", question, who);
	fflush(stderr);
	ssize_t n = read_line(ret_secret);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return n > 0 ? 0 : complain(call, n);
}

int secret_ask(struct call *call, const char *who, char **ret_secret)
{
	char *first = NULL, *second = NULL;

	int code = ask(call, "New password of", who, &first);
	if (!code)
		code = ask(call, "Once more, for", who, &second);
	if (!code && strcmp(first, second) != 0)
		code = report_refusal(call, VE_ERR_USAGE, NULL, "the two passwords differ: nothing was changed");
	secret_free(second);
	if (code)
		secret_free(first);
	else
		*ret_secret = first;
	return code;
}

/* ---- files ---- */

/* The length of what PATH holds, with a NUL behind it in BUF; -EFBIG where it does not fit. */
static ssize_t read_whole(const char *path, char *buf, size_t size)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t n = 0;
	ssize_t result = 0;

	if (fd < 0)
		return -errno;
	while (n + 1 < size) {
		result = cancel_wait_readable(fd);
		if (result < 0)
			break;
		ssize_t r = read(fd, buf + n, size - n - 1);
		if (r < 0 && errno == EINTR)
			continue;
		result = r < 0 ? -errno : 0;
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	close(fd);
	buf[n] = '\0';
	return result < 0 ? result : n + 1 >= size ? -EFBIG : (ssize_t)n;
}

/* As much room as may be, and no more of it than was read. */
int secret_read_file(struct call *call, const char *what, const char *path, size_t max, char **ret_data, size_t *ret_n)
{
	char *data = x_zalloc(max + 2);
	ssize_t n = read_whole(path, data, max + 2);

	if (n >= 0) {
		*ret_data = data;
		*ret_n = (size_t)n;
		return 0;
	}
	free(data);
	if (n == -EINTR)
		return complain(call, n);
	if (n == -EFBIG)
		return report_refusal(call, VE_ERR_USAGE, NULL, "the %s '%s' has more than %zu bytes", what, path, max);
	return report_refusal(call, n == -ENOENT ? VE_ERR_NOT_FOUND : VE_ERR_USAGE, NULL, "cannot read the %s '%s': %s", what, path,
			      strerror((int)-n));
}

/* ---- public keys ---- */

static int add_lines(struct call *call, const char *path, char *text, struct strings *keys)
{
	size_t before = keys->n;
	char *rest = text;

	for (char *line; (line = strsep(&rest, "\n"));) {
		line += strspn(line, " \t");
		line[strcspn(line, "\r")] = '\0';
		if (strncmp(line, "-----BEGIN", 10) == 0)
			return report_refusal(call, VE_ERR_USAGE, "give the file that ends in .pub",
					      "'%s' is a private key: it stays where it is", path);
		if (*line && *line != '#')
			strings_add(keys, x_strdup(line));
	}
	if (keys->n == before)
		return report_refusal(call, VE_ERR_USAGE, NULL, "there is no public key in '%s'", path);
	return 0;
}

int secret_read_keys(struct call *call, const char *path, struct strings *keys)
{
	if (strncmp(path, "ssh-", 4) == 0 && strchr(path, ' '))
		return report_refusal(call, VE_ERR_USAGE, "--ssh-key - takes keys from standard input",
				      "--ssh-key takes the name of a file, not the key itself");
	char *text = x_zalloc(KEYS_MAX);
	ssize_t r = read_whole(path, text, KEYS_MAX);
	if (r >= 0 && strlen(text) != (size_t)r)
		r = -EILSEQ;
	if (r == -EINTR) {
		free(text);
		return complain(call, r);
	}
	int code = r < 0 ? report_refusal(call, r == -ENOENT ? VE_ERR_NOT_FOUND : VE_ERR_USAGE, NULL,
					  "cannot read the public key '%s': %s", path, strerror((int)-r))
			 : add_lines(call, path, text, keys);
	free(text);
	return code;
}
