/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/terminal.h"
#include "run/verbs.h"

enum { LOG_MAX_BYTES = 4 << 20 };

int verb_console(struct ve *v, ve_error **ret_error)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int r = handle_ask(v, VERB_CONSOLE, NULL, ret_error);
	if (r < 0)
		return r;
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/console.sock", v->run_fd);
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0) {
		r = err_make(ret_error, VE_ERR_STATE, errno, "console", "cannot reach the console of '%s'", v->name);
		err_hint(ret_error, "if its monitor was killed: vectl recover %s", v->name);
		return r;
	}
	const struct terminal t = { .in = 0, .out = 1, .far = sock, .packets = true, .escape = true, .until_fd = -1 };
	r = terminal_join(&t, ret_error);
	return r < 0 ? r : 0;
}

/* ---- logs ---- */

static int open_log(const struct ve *v, const char *suffix)
{
	_cleanup_free_ char *name = str_printf("%s.console.log%s", v->uuid, suffix);
	return name ? openat(v->ctx->store->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
}

/* The whole log, older file first. */
static char *read_logs(const struct ve *v, size_t *ret_size)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	static const char *const suffixes[] = { ".1", "" };
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char chunk[8192];
		ssize_t n;
		_cleanup_close_ int fd = open_log(v, suffixes[i]);
		while (fd >= 0 && b.len < LOG_MAX_BYTES && (n = read(fd, chunk, sizeof(chunk))) > 0)
			strbuf_add_n(&b, chunk, (size_t)n);
	}
	*ret_size = b.len;
	return strbuf_steal(&b);
}

static const char *last_lines(const char *text, size_t size, unsigned lines)
{
	const char *p = text + size;
	if (p > text && p[-1] == '\n')
		p--;
	while (p > text && !(p[-1] == '\n' && --lines == 0))
		p--;
	return p;
}

char *console_tail(struct ve *v, unsigned lines)
{
	size_t size;
	_cleanup_free_ char *text = read_logs(v, &size);
	if (!text || !size)
		return NULL;
	const char *from = last_lines(text, size, lines);
	/* A tenant wrote this: quoted, so that it cannot drive the admin's terminal. */
	char *quoted = str_quote(from);
	for (char *p = quoted; p && (p = strstr(p, "\\x0d\\x0a"));) {
		memcpy(p, " | ", 3);
		memmove(p + 3, p + 8, strlen(p + 8) + 1);
	}
	return quoted;
}

static int follow_log(struct ve *v, int fd, ve_error **ret_error)
{
	_cleanup_close_ int log = open_log(v, ""), watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];
	if (log < 0 || watch < 0)
		return 0;
	lseek(log, 0, SEEK_END);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", log);
	if (inotify_add_watch(watch, path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF) < 0)
		return err_sys(ret_error, errno, "logs", "cannot watch the log of '%s'", v->name);
	for (;;) {
		char chunk[8192];
		ssize_t n;
		while ((n = read(log, chunk, sizeof(chunk))) > 0)
			if (write_all(fd, chunk, (size_t)n) < 0)
				return 0;
		struct stat st;
		if (fstat(log, &st) == 0 && st.st_nlink == 0)
			return 0;
		if (!state_is_up(handle_state(v, NULL)))
			return 0;
		struct pollfd p[2] = { { .fd = watch, .events = POLLIN }, { .fd = v->ctx->cancel_fd, .events = POLLIN } };
		poll(p, 2, 1000);
		if (p[1].revents)
			return 0;
		(void)!read(watch, chunk, sizeof(chunk));
	}
}

int verb_logs(struct ve *v, int fd, unsigned lines, bool follow, ve_error **ret_error)
{
	size_t size;
	_cleanup_free_ char *text = read_logs(v, &size);
	if (!text)
		return err_nomem(ret_error);
	const char *from = lines ? last_lines(text, size, lines) : text;
	int r = write_all(fd, from, size - (size_t)(from - text));
	if (r < 0)
		return err_sys(ret_error, -r, "logs", "cannot write the log of '%s'", v->name);
	return follow ? follow_log(v, fd, ret_error) : 0;
}
