/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The counters of the control groups say how much was refused; which processes were killed says the kernel's log, where
 * this process may read it. A line of the log belongs to the VE if the user id in it, the kernel's own and last words, is
 * one of the VE's range: names in it are the tenant's.
 *
 * How far was told is in the file "noticed" of the run directory: "LIFE KILLS FORKS LOG", LOG the log's sequence number.
 */
#include "run/notice.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "ns/idrange.h"
#include "run/tally.h"
#include "run/verbs.h"

#define FILE_NAME "noticed"
enum { RECORD_MAX = 8192, PROCESSES_MAX = 16, TRIES = 40, PAUSE_MS = 50 };

struct noticed {
	uint64_t life, log;
	int64_t kills, forks;
};

static struct noticed read_noticed(struct ve *v, uint64_t life)
{
	struct noticed n = { 0 };
	char text[128];
	if (file_read_line(v->run_fd, FILE_NAME, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64, &n.life, &n.kills, &n.forks, &n.log) != 4)
		n = (struct noticed){ 0 };
	/* Another life counts from zero, in the same log. */
	if (n.life != life)
		n = (struct noticed){ .life = life, .log = n.log };
	return n;
}

static void write_noticed(struct ve *v, const struct noticed *n)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n", n->life, n->kills, n->forks,
			   n->log);
	file_replace(v->run_fd, FILE_NAME, text, (size_t)len, 0600, false);
}

/* ---- the kernel's log ---- */

static const char *last_of(const char *text, const char *what)
{
	const char *found = NULL;
	for (const char *p = text; (p = strstr(p, what)); p++)
		found = p;
	return found;
}

/* "PRIORITY,SEQUENCE,...;...Killed process PID (NAME) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:4kB, UID:5 ..." */
static json_t *killed_process(const char *record, int64_t id_base)
{
	static const char what[] = "Killed process ";
	const char *begin = strstr(record, what), *rest = last_of(record, ") total-vm:"), *uid = last_of(record, " UID:");
	unsigned long long anon = 0, file = 0, shmem = 0;
	if (!begin || !rest || !uid || rest < begin || !strstr(record, "ut of memory"))
		return NULL;
	int64_t id = strtoll(uid + strlen(" UID:"), NULL, 10);
	if (id < id_base || id >= id_base + IDRANGE_SIZE)
		return NULL;
	begin += strlen(what);
	const char *name = strchr(begin, '(');
	if (!name || name >= rest)
		return NULL;
	sscanf(rest, ") total-vm:%*ukB, anon-rss:%llukB, file-rss:%llukB, shmem-rss:%llukB", &anon, &file, &shmem);
	return json_pack("{s:i,s:o,s:I}", "pid", atoi(begin), "name", json_stringn(name + 1, (size_t)(rest - name - 1)), "bytes",
			 (json_int_t)((anon + file + shmem) << 10));
}

/* Of the VE's processes that were killed since SEEN the last COUNT, or so many as are told. The log may hold others of the
 * same range: of an earlier life, or of a VE that had it before. */
static json_t *killed_processes(struct ve *v, int64_t count, uint64_t *seen)
{
	size_t most = count < PROCESSES_MAX ? (size_t)count : PROCESSES_MAX;
	char record[RECORD_MAX];
	json_t *list = json_array();
	_cleanup_close_ int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int64_t base = config_identity_int(v->config, "id_base");
	for (;;) {
		ssize_t n = fd < 0 ? 0 : read(fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue; /* it was overwritten meanwhile: the oldest one that is there is next */
		if (n <= 0)
			return list;
		record[n] = '\0';
		uint64_t number = 0;
		if (sscanf(record, "%*u,%" SCNu64, &number) != 1 || number <= *seen)
			continue;
		*seen = number;
		json_t *one = killed_process(record, base);
		if (one)
			json_array_append_new(list, one);
		if (json_array_size(list) > most)
			json_array_remove(list, 0);
	}
}

/* ---- events ---- */

static char *oom_sentence(int64_t count, const json_t *processes)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	size_t i;
	json_t *p;
	strbuf_addf(&b, "%" PRId64 " %s killed for lack of memory", count, count == 1 ? "process was" : "processes were");
	json_array_foreach((json_t *)processes, i, p)
		strbuf_addf(&b, "%s%s (%" PRId64 " MiB)", i ? ", " : ": ", json_string_value(json_object_get(p, "name")),
			    (int64_t)json_integer_value(json_object_get(p, "bytes")) >> 20);
	return strbuf_steal(&b);
}

static void tell_oom(struct ve *v, int64_t count, struct noticed *n)
{
	json_t *processes = killed_processes(v, count, &n->log);
	_cleanup_free_ char *detail = oom_sentence(count, processes);
	event_log_more(v->ctx, "oom", v->name, v->uuid, detail,
		       json_pack("{s:I,s:o}", "count", (json_int_t)count, "processes", processes));
}

static void tell_forks(struct ve *v, int64_t count)
{
	_cleanup_free_ char *detail = str_printf("%" PRId64 " %s refused: pids.limit is reached", count,
						 count == 1 ? "fork was" : "forks were");
	event_log_more(v->ctx, "forks-refused", v->name, v->uuid, detail, json_pack("{s:I}", "count", (json_int_t)count));
}

int notice_write(struct ve *v)
{
	struct cg_counters now;
	if (v->run_fd < 0 || !v->config || config_identity_int(v->config, "ephemeral"))
		return 0;
	tally_now(v, &now);
	struct noticed n = read_noticed(v, now.life);
	int64_t kills = now.memory_kills - n.kills, forks = now.pids_refused - n.forks;
	if (!now.life || (kills <= 0 && forks <= 0))
		return 0;
	if (kills > 0) {
		tell_oom(v, kills, &n);
		n.kills = now.memory_kills;
	}
	if (forks > 0) {
		tell_forks(v, forks);
		n.forks = now.pids_refused;
	}
	write_noticed(v, &n);
	return (kills > 0) + (forks > 0);
}

/* v1 says that memory has run out before it has killed anybody: what is not there yet comes in a moment. */
int verb_notice(struct ve_ctx *ctx, const char *uuid, ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = NULL;
	int r = ctx_open(ctx, true, ret_error);
	if (r == 0)
		r = handle_open_uuid(ctx, uuid, &v, ret_error);
	for (int i = 0; r == 0 && i < TRIES; i++) {
		r = handle_lock(v, "notice", ret_error);
		if (r < 0 || notice_write(v) > 0)
			break;
		handle_unlock(v);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	}
	handle_unlock(v);
	return r;
}
