/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading events.jsonl: the older file, then the one that is written to, then what comes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "run/verbs.h"

#define FILE_NAME "events.jsonl"

struct reading {
	struct ve_ctx *ctx;
	const char *uuid; /* NULL: of all VEs */
	const struct ve_events_opts *opts;
	char since[32]; /* as events have their times, which sort as texts; "": all */
	ve_event_fn fn;
	void *data;
	int fd; /* of the file that is written to, read up to OFFSET */
	off_t offset;
};

static int bad_time(const char *text, ve_error **ret_error)
{
	return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "events",
			 "'%s' is no time: expected 2026-01-31T10:00:00Z, or how long ago: 90s, 5m, 2h, 7d", text);
}

static int parse_since(const char *text, char ret[32], ve_error **ret_error)
{
	struct tm tm = { 0 };
	int64_t ago;
	if (strchr(text, '-')) {
		const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
		if (!rest || !str_eq(rest, "Z"))
			return bad_time(text, ret_error);
	} else {
		time_t now = time(NULL);
		if (units_parse(UNIT_SECONDS, text, &ago, NULL) < 0 || ago > now)
			return bad_time(text, ret_error);
		now -= (time_t)ago;
		gmtime_r(&now, &tm);
	}
	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return 0;
}

static bool is_wanted(const struct reading *r, const json_t *event)
{
	const char *when = json_string_value(json_object_get(event, "time"));
	if (r->uuid && !str_eq(json_string_value(json_object_get(event, "uuid")), r->uuid))
		return false;
	if (*r->since && (!when || strcmp(when, r->since) < 0))
		return false;
	for (const char *const *k = r->opts->kinds; k && *k; k++)
		if (str_eq(json_string_value(json_object_get(event, "event")), *k))
			return true;
	return !r->opts->kinds || !*r->opts->kinds;
}

static int hand_over(struct reading *r, const char *line)
{
	json_t *event = json_loads(line, 0, NULL);
	int code = json_is_object(event) && is_wanted(r, event) ? r->fn((const ve_doc *)event, r->data) : 0;
	json_decref(event);
	return code;
}

/* The whole lines of FD from *OFFSET on, which moves behind them. */
static int read_lines(struct reading *r, int fd, off_t *offset)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int code = 0;
	int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *f = again < 0 ? NULL : fdopen(again, "re");
	if (!f) {
		close_fd(&again);
		return -ENOMEM;
	}
	fseeko(f, *offset, SEEK_SET);
	for (ssize_t n; code == 0 && (n = getline(&line, &size, f)) > 0 && line[n - 1] == '\n'; *offset += n)
		code = hand_over(r, line);
	fclose(f);
	return code;
}

static int open_log(const struct reading *r, const char *name)
{
	return openat(r->ctx->store->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* The file that is written to has become the older one: its rest first. */
static int catch_up(struct reading *r)
{
	struct stat ours, theirs;
	int code = r->fd >= 0 ? read_lines(r, r->fd, &r->offset) : 0;
	_cleanup_close_ int fd = open_log(r, FILE_NAME);
	if (code != 0 || fd < 0 || fstat(fd, &theirs) < 0)
		return code;
	if (r->fd >= 0 && fstat(r->fd, &ours) == 0 && ours.st_ino == theirs.st_ino)
		return 0;
	if (r->fd >= 0)
		code = read_lines(r, r->fd, &r->offset);
	close_fd(&r->fd);
	r->fd = steal_fd(&fd);
	r->offset = 0;
	return code != 0 ? code : read_lines(r, r->fd, &r->offset);
}

static int follow(struct reading *r, int watch)
{
	char events[4096];
	for (;;) {
		int code = catch_up(r);
		if (code != 0)
			return code;
		struct pollfd p[2] = { { .fd = watch, .events = POLLIN }, { .fd = r->ctx->cancel_fd, .events = POLLIN } };
		poll(p, 2, -1);
		if (p[1].revents)
			return 0;
		(void)!read(watch, events, sizeof(events));
	}
}

static int open_watch(const struct reading *r, ve_error **ret_error)
{
	char path[48];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->ctx->store->log_fd);
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(ret_error, errno, "events", "cannot watch the log of events");
	return steal_fd(&watch);
}

static int read_all(struct reading *r, int watch)
{
	_cleanup_close_ int older = open_log(r, FILE_NAME ".1");
	off_t start = 0;
	r->fd = open_log(r, FILE_NAME);
	if (r->opts->follow && !r->opts->since)
		r->offset = r->fd >= 0 ? lseek(r->fd, 0, SEEK_END) : 0;
	else if (older >= 0) {
		int code = read_lines(r, older, &start);
		if (code != 0)
			return code;
	}
	if (r->opts->follow)
		return follow(r, watch);
	return r->fd < 0 ? 0 : read_lines(r, r->fd, &r->offset);
}

int events_read(struct ve_ctx *ctx, struct ve *only, const struct ve_events_opts *o, ve_event_fn fn, void *data,
		ve_error **ret_error)
{
	struct reading r = { .ctx = ctx, .uuid = only ? only->uuid : NULL, .opts = o, .fn = fn, .data = data, .fd = -1 };
	_cleanup_close_ int watch = -1;
	int code = ctx_open(ctx, false, ret_error);
	if (code == 0 && o->since)
		code = parse_since(o->since, r.since, ret_error);
	/* Before the first look, so that nothing comes in between. */
	if (code == 0 && o->follow)
		code = watch = open_watch(&r, ret_error);
	if (code < 0)
		return code;
	code = read_all(&r, watch);
	close_fd(&r.fd);
	return code;
}
