/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole host: starting what boot.auto says and stopping everything at shutdown. VEs of one boot.order go in
 * parallel, each in a process of its own (the libraries below keep state a process); orders follow one another.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/block.h"
#include "run/verbs.h"

enum { PARALLEL = 8 };

struct entry {
	char uuid[UUID_LENGTH + 1], *name;
	int64_t order, delay_s;
	pid_t pid;
	int result_fd;
};

struct fleet {
	struct entry *entries;
	size_t n;
};

static void fleet_done(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->entries[i].name);
	free(f->entries);
}

static bool wants_start(struct ve *v)
{
	const char *how = config_string(v->config, "boot.auto");
	if (config_identity_int(v->config, "ephemeral") || block_forbids_start(v))
		return false;
	return str_eq(how, "on") || (!str_eq(how, "off") && laststate_wanted(v));
}

static bool is_up(struct ve *v)
{
	return state_is_up(handle_state(v, NULL));
}

static int fleet_collect(struct ve_ctx *ctx, bool starting, struct fleet *f, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	int r = store_uuids(ctx->store, &uuids, ret_error);
	if (r < 0)
		return r;
	f->entries = calloc(strv_length((const char *const *)uuids) + 1, sizeof(*f->entries));
	if (!f->entries)
		return err_nomem(ret_error);
	for (char **u = uuids; *u; u++) {
		_cleanup_ve_ struct ve *v = NULL;
		if (handle_open_uuid(ctx, *u, &v, NULL) < 0 || !v->config)
			continue;
		if (starting ? is_up(v) || !wants_start(v) : !is_up(v))
			continue;
		struct entry *e = &f->entries[f->n];
		*e = (struct entry){ .order = config_int(v->config, "boot.order"), .delay_s = config_int(v->config, "boot.delay"),
				     .result_fd = -1 };
		memcpy(e->uuid, v->uuid, sizeof(e->uuid));
		e->name = strdup(v->name);
		if (!e->name)
			return err_nomem(ret_error);
		f->n++;
	}
	return 0;
}

static int by_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return str_natural_cmp(x->name, y->name);
}

static int by_order_reversed(const void *a, const void *b)
{
	return by_order(b, a);
}

/* One VE in a process of its own, which answers with its result as one line of JSON. */
static void work_on(struct ve_ctx *ctx, const struct entry *e, bool starting, int out)
{
	_cleanup_err_ ve_error *error = NULL;
	_cleanup_ve_ struct ve *v = NULL;
	json_t *doc = NULL;
	int r = handle_open_uuid(ctx, e->uuid, &v, &error);
	if (r == 0)
		r = starting ? verb_start(v, NULL, &error) : verb_stop(v, NULL, &error);
	if (!starting && r > 0)
		laststate_write(v, LAST_HOST, 0, NULL); /* the host goes down: it comes back with it */
	if (r >= 0)
		look_result(v, r, &doc, NULL);
	else
		doc = json_pack("{s:s,s:s,s:b,s:{s:s,s:i,s:s,s:s,s:s?}}", "name", e->name, "uuid", e->uuid, "changed", 0,
				"error", "category", ve_category_name(ve_error_category(error)), "errno",
				ve_error_errno(error), "stage", ve_error_stage(error), "message",
				ve_error_message(error), "hint", ve_error_hint(error));
	_cleanup_free_ char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	if (text)
		(void)!write(out, text, strlen(text));
	json_decref(doc);
	handle_close(steal_ptr(&v));
	_exit(r < 0);
}

static int spawn_work(struct ve_ctx *ctx, struct entry *e, bool starting)
{
	int pair[2];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	e->pid = fork();
	if (e->pid == 0) {
		close(pair[0]);
		work_on(ctx, e, starting, pair[1]);
	}
	close(pair[1]);
	e->result_fd = pair[0];
	return e->pid < 0 ? -errno : 0;
}

static int reap_work(struct entry *e, json_t *results)
{
	char text[8192];
	size_t len = 0;
	ssize_t n;
	int status = 1;
	while (len < sizeof(text) - 1 && (n = read(e->result_fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close_fd(&e->result_fd);
	while (e->pid > 0 && waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
		;
	json_t *doc = json_loads(text, 0, NULL);
	if (!doc)
		doc = json_pack("{s:s,s:s,s:b,s:{s:s,s:i,s:s,s:s,s:n}}", "name", e->name, "uuid", e->uuid, "changed", 0,
				"error", "category", ve_category_name(VE_ERR_BUG), "errno", 0, "stage", "boot",
				"message", "the process that worked on it was killed", "hint");
	json_array_append_new(results, doc);
	return status != 0;
}

/* Runs entries FROM..TO, at most PARALLEL at a time. Returns how many failed. */
static int run_wave(struct ve_ctx *ctx, struct entry *e, size_t n, bool starting, json_t *results)
{
	size_t begun = 0, ended = 0;
	int failed = 0;
	while (ended < n) {
		while (begun < n && begun - ended < PARALLEL) {
			if (spawn_work(ctx, &e[begun], starting) < 0)
				e[begun].pid = 0;
			begun++;
		}
		failed += reap_work(&e[ended], results);
		ended++;
		ctx_progress(ctx, starting ? "starting" : "stopping", ended, n);
	}
	return failed;
}

static int run_fleet(struct ve_ctx *ctx, bool starting, json_t **ret_doc, ve_error **ret_error)
{
	struct fleet f = { 0 };
	int failed = 0;
	json_t *results = json_array();
	int r = results ? ctx_open(ctx, true, ret_error) : err_nomem(ret_error);
	ctx->is_host = true;
	if (r == 0)
		r = fleet_collect(ctx, starting, &f, ret_error);
	if (r == 0 && f.n)
		qsort(f.entries, f.n, sizeof(f.entries[0]), starting ? by_order : by_order_reversed);
	for (size_t from = 0, to; r == 0 && from < f.n; from = to) {
		for (to = from; to < f.n && f.entries[to].order == f.entries[from].order;)
			to++;
		failed += run_wave(ctx, f.entries + from, to - from, starting, results);
		if (starting && to < f.n && f.entries[from].delay_s)
			poll(NULL, 0, (int)f.entries[from].delay_s * 1000);
	}
	ctx->is_host = false;
	fleet_done(&f);
	if (r == 0 && ret_doc)
		*ret_doc = json_incref(results);
	json_decref(results);
	return r < 0 ? r : failed;
}

int verb_start_boot(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error)
{
	return run_fleet(ctx, true, ret_doc, ret_error);
}

int verb_stop_all(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error)
{
	return run_fleet(ctx, false, ret_doc, ret_error);
}
