/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes, not threads: the libraries below libve keep state a process. The pipe of cancel.c is shared by all of them, so that
 * a signal to this process asks every one of them to undo what it is about.
 */
#include "fleet.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancel.h"
#include "format.h"
#include "report.h"
#include "util.h"

enum { PARALLEL_MAX = 256 };

/* ---- who is meant ---- */

static void add_member(struct fleet *f, const char *name, const char *uuid)
{
	for (size_t i = 0; i < f->n; i++)
		if (uuid ? str_eq(f->members[i].uuid, uuid) : str_eq(f->members[i].name, name))
			return; /* named twice */
	f->members = x_realloc(f->members, (f->n + 1) * sizeof(*f->members));
	f->members[f->n++] = (struct fleet_member){
		.name = x_strdup(name), .uuid = uuid ? x_strdup(uuid) : NULL, .pid = -1, .pidfd = -1, .out = -1, .err = -1,
	};
}

static int find_names(struct call *call, size_t n_names, bool missing_ok, struct fleet *f)
{
	for (size_t i = 0; i < n_names; i++) {
		_cleanup_ve_ ve *v = NULL;
		ve_error *e = NULL;
		int r = ve_open(call->ctx, call->operands[i], &v, &e);
		if (r < 0 && !(missing_ok && ve_error_category(e) == VE_ERR_NOT_FOUND))
			return report_failure(call, r, e);
		ve_error_free(e);
		add_member(f, v ? ve_name(v) : call->operands[i], v ? ve_uuid(v) : NULL);
	}
	return 0;
}

static int find_where(struct call *call, const struct fleet_options *o, struct fleet *f)
{
	static const char *const fields[] = { "name", "uuid", NULL };
	struct ve_list_opts opts = { .size = sizeof(opts), .where = o->where.items, .fields = fields };
	_cleanup_doc_ ve_doc *rows = NULL;
	ve_error *e = NULL;

	int r = ve_list(call->ctx, &opts, &rows, &e);
	if (r < 0)
		return report_failure(call, r, e);
	report_warnings(call);
	for (size_t i = 0; i < ve_doc_length(rows, ""); i++) {
		const ve_doc *row = ve_doc_at(rows, "", i);
		add_member(f, ve_doc_string(row, "name"), ve_doc_string(row, "uuid"));
	}
	return 0;
}

int fleet_find(struct call *call, const struct fleet_options *o, size_t n_names, bool missing_ok, struct fleet *ret)
{
	bool filtered = o->all || o->where.n;

	*ret = (struct fleet){ .several = filtered || n_names != 1 };
	if (o->parallel > PARALLEL_MAX)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--parallel takes a number from 1 to %d", PARALLEL_MAX);
	if (!ret->several)
		return 0;
	return filtered ? find_where(call, o, ret) : find_names(call, n_names, missing_ok, ret);
}

void fleet_done(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->members[i].name);
		free(f->members[i].uuid);
	}
	free(f->members);
	*f = (struct fleet){ 0 };
}

/* ---- one of them ---- */

/* In a process of its own, whose output is kept until it has ended. Does not return. */
static void work(struct call *call, const struct fleet_member *m, size_t n_names, int (*one)(struct call *call))
{
	size_t n_rest = call->n_operands - n_names;
	const char **operands = x_zalloc((n_rest + 2) * sizeof(*operands));

	operands[0] = m->uuid ? m->uuid : m->name;
	if (n_rest)
		memcpy(operands + 1, call->operands + n_names, n_rest * sizeof(*operands));
	call->operands = operands;
	call->n_operands = n_rest + 1;
	ve_ctx_set_progress(call->ctx, NULL, NULL);
	if (dup2(m->out, STDOUT_FILENO) < 0 || dup2(m->err, STDERR_FILENO) < 0)
		_exit(ve_category_exit_code(VE_ERR_KERNEL));
	int code = one(call);
	int flushed = report_flush();
	_exit(code ? code : flushed);
}

static bool begin(struct call *call, struct fleet_member *m, size_t n_names, int (*one)(struct call *call))
{
	m->out = memfd_create("vectl-out", MFD_CLOEXEC);
	m->err = memfd_create("vectl-err", MFD_CLOEXEC);
	m->pid = m->out < 0 || m->err < 0 ? -1 : fork();
	if (m->pid == 0)
		work(call, m, n_names, one);
	if (m->pid < 0)
		return false;
	m->pidfd = pidfd_open(m->pid, 0);
	if (m->pidfd >= 0)
		return true;
	waitpid(m->pid, NULL, 0); /* no descriptor was left: it does its work, and nobody hears how */
	return false;
}

/* The next that ends, of those that run. (Not waitpid(-1): a shell that has exec'd us may have left us children of its own.) */
static struct fleet_member *await_any(const struct fleet *f)
{
	struct pollfd fds[PARALLEL_MAX];
	struct fleet_member *running[PARALLEL_MAX];
	nfds_t n = 0;
	int status = 0;

	for (size_t i = 0; i < f->n && n < PARALLEL_MAX; i++)
		if (f->members[i].pidfd >= 0) {
			running[n] = &f->members[i];
			fds[n++] = (struct pollfd){ .fd = f->members[i].pidfd, .events = POLLIN };
		}
	while (poll(fds, n, -1) < 0 && errno == EINTR)
		;
	for (nfds_t i = 0; i < n; i++) {
		struct fleet_member *m = running[i];
		if (!fds[i].revents || waitpid(m->pid, &status, 0) != m->pid)
			continue;
		close(m->pidfd);
		m->pidfd = -1;
		m->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return m;
	}
	return NULL;
}

/* ---- what they say ---- */

static char *all_of(int fd)
{
	_cleanup_text_ struct text t = { 0 };
	char buffer[4096];
	ssize_t n;

	for (off_t at = 0; fd >= 0 && (n = pread(fd, buffer, sizeof(buffer), at)) > 0; at += n)
		text_add_n(&t, buffer, (size_t)n);
	return x_strdup(t.s ? t.s : "");
}

static void pass_on(struct call *call, const struct fleet_member *m)
{
	_cleanup_free_ char *out = all_of(m->out), *err = all_of(m->err);

	if (call->common.json)
		return;
	fputs(out, stdout);
	fflush(stdout);
	fputs(err, stderr);
}

/* The error document that it has printed; one that did not get so far has printed none. */
static void add_failure(struct text *t, const struct fleet_member *m, const char *err)
{
	static const char wanted[] = "{\"error\":";
	bool late = m->pid < 0 && cancel_signal();

	text_add(t, ",\"changed\":false,");
	if (strncmp(err, wanted, strlen(wanted)) == 0) {
		text_add_n(t, err + 1, strcspn(err, "\n") - 1); /* with the brace at its end */
		return;
	}
	text_addf(t, "\"error\":{\"category\":\"%s\",\"errno\":%d,\"stage\":\"fleet\",\"message\":\"%s\",\"hint\":null}}",
		  ve_category_name(late ? VE_ERR_BUSY : VE_ERR_KERNEL), late ? EINTR : 0,
		  late ? "interrupted before its turn" : m->pid < 0 ? "cannot make a process for it" :
								      "the process that worked on it was killed");
}

/* Its document, or who it is with the error. Of a document that is no object (set --dry-run) who it is, and that. */
static void add_element(struct text *t, const struct fleet_member *m)
{
	_cleanup_free_ char *out = all_of(m->out), *err = all_of(m->err);

	out[strcspn(out, "\n")] = '\0';
	if (m->code == 0 && out[0] == '{') {
		text_add(t, out);
		return;
	}
	text_add(t, "{\"name\":");
	format_json_string(t, m->name);
	text_add(t, ",\"uuid\":");
	format_json_string(t, m->uuid);
	if (m->code == 0)
		text_addf(t, ",\"changed\":false,\"difference\":%s}", out[0] ? out : "[]");
	else
		add_failure(t, m, err);
}

static void print_array(const struct fleet *f)
{
	_cleanup_text_ struct text t = { 0 };

	text_add(&t, "[");
	for (size_t i = 0; i < f->n; i++) {
		if (i)
			text_add(&t, ",");
		add_element(&t, &f->members[i]);
	}
	text_add(&t, "]");
	report_json_text(t.s);
}

/* ---- all of them ---- */

static size_t work_on_all(struct call *call, const struct fleet_options *o, const struct fleet *f, size_t n_names,
			  int (*one)(struct call *call))
{
	size_t begun = 0, running = 0, failed = 0, parallel = o->parallel ? o->parallel : 1;

	while (running || (begun < f->n && !cancel_signal())) {
		while (begun < f->n && running < parallel && !cancel_signal()) {
			struct fleet_member *m = &f->members[begun++];
			m->code = ve_category_exit_code(VE_ERR_KERNEL);
			running += begin(call, m, n_names, one);
			failed += m->pidfd < 0;
		}
		struct fleet_member *ended = running ? await_any(f) : NULL;
		if (!ended)
			continue;
		running--;
		failed += ended->code != 0;
		pass_on(call, ended);
	}
	for (; begun < f->n; begun++, failed++)
		f->members[begun].code = ve_category_exit_code(VE_ERR_BUSY); /* interrupted before its turn */
	return failed;
}

int fleet_run(struct call *call, const struct fleet_options *o, const struct fleet *f, size_t n_names,
	      int (*one)(struct call *call))
{
	if (!f->several)
		return one(call);
	fflush(stdout);
	size_t failed = work_on_all(call, o, f, n_names, one);
	if (call->common.json)
		print_array(f);
	else if (f->n == 0 && !call->common.quiet)
		fputs("vectl: there is no such VE: nothing is done\n", stderr);
	else if (failed && !call->common.quiet)
		fprintf(stderr, "vectl: %zu of %zu failed\n", failed, f->n);
	for (size_t i = 0; i < f->n; i++) {
		if (f->members[i].out >= 0)
			close(f->members[i].out);
		if (f->members[i].err >= 0)
			close(f->members[i].err);
	}
	if (cancel_signal())
		return 128 + cancel_signal();
	return failed ? 1 : 0;
}

int fleet_verb(struct call *call, const struct fleet_options *o, int (*one)(struct call *call))
{
	_cleanup_fleet_ struct fleet f = { 0 };

	int code = fleet_find(call, o, call->n_operands, false, &f);
	return code ? code : fleet_run(call, o, &f, call->n_operands, one);
}
