/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events.jsonl: one JSON line an event, numbered, bounded to two files. An event that cannot be written is
 * lost: it never makes a verb fail. Reading is in events_read.c. */
#include "run/verbs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"

enum { EVENTS_MAX_BYTES = 8 << 20, LINE_MAX_BYTES = 16384 };

/* The number of the last line, read off the end of the file. */
static unsigned long long last_sequence(int fd, off_t size)
{
	char tail[LINE_MAX_BYTES + 1];
	ssize_t n = pread(fd, tail, LINE_MAX_BYTES, size > LINE_MAX_BYTES ? size - LINE_MAX_BYTES : 0);
	unsigned long long seq = 0;
	if (n <= 0)
		return 0;
	tail[n] = '\0';
	for (char *p = tail; (p = strstr(p, "{\"seq\":")); p++)
		sscanf(p, "{\"seq\":%llu", &seq);
	return seq;
}

/* A file that was just begun goes on where the older one ended. */
static unsigned long long next_sequence(struct ve_ctx *ctx, int fd, off_t size)
{
	struct stat st;
	if (size > 0)
		return last_sequence(fd, size) + 1;
	_cleanup_close_ int older = openat(ctx->store->log_fd, "events.jsonl.1", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return older < 0 || fstat(older, &st) < 0 ? 1 : last_sequence(older, st.st_size) + 1;
}

void event_log(struct ve_ctx *ctx, const char *event, const char *name, const char *uuid, const char *detail)
{
	event_log_more(ctx, event, name, uuid, detail, NULL);
}

void event_log_more(struct ve_ctx *ctx, const char *event, const char *name, const char *uuid, const char *detail, json_t *more)
{
	char when[CLOCK_TEXT_SIZE];
	struct stat st;
	_cleanup_close_ int fd = ctx->dry_run ? -1 : openat(ctx->store->log_fd, "events.jsonl", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0) {
		json_decref(more);
		return;
	}
	unsigned long long seq = next_sequence(ctx, fd, st.st_size);
	json_t *j = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s*}", "seq", (json_int_t)seq, "time", clock_text(time(NULL), when), "event", event, "name", name,
			      "uuid", uuid, "detail", detail);
	json_object_update(j, more);
	json_decref(more);
	char *line = j ? json_dumps(j, JSON_COMPACT) : NULL;
	if (line) {
		size_t n = strlen(line);
		line[n] = '\n'; /* in the place of its NUL: written as one */
		(void)!write(fd, line, n + 1);
	}
	if (st.st_size > EVENTS_MAX_BYTES)
		renameat(ctx->store->log_fd, "events.jsonl", ctx->store->log_fd, "events.jsonl.1");
	free(line);
	json_decref(j);
}
