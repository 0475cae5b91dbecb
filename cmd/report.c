/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cancel.h"
#include "format.h"
#include "progress.h"
#include "util.h"

struct complaint {
	enum ve_category category;
	int errnum;
	const char *stage, *message, *hint;
};

static void print_complaint_json(const struct complaint *c)
{
	_cleanup_text_ struct text t = { 0 };

	text_add(&t, "{\"error\":{\"category\":");
	format_json_string(&t, ve_category_name(c->category));
	text_addf(&t, ",\"errno\":%d,\"stage\":", c->errnum);
	format_json_string(&t, c->stage);
	text_add(&t, ",\"message\":");
	format_json_string(&t, c->message);
	text_add(&t, ",\"hint\":");
	format_json_string(&t, c->hint);
	fprintf(stderr, "%s}}\n", t.s);
}

/* A message may have several lines (the last of a console): all but line feeds is made safe. */
static void print_safe(FILE *f, const char *before, const char *text)
{
	_cleanup_free_ char *indent = x_printf("%*s", (int)strlen(before), "");

	for (const char *line = text;; before = indent) {
		size_t n = strcspn(line, "\n");
		_cleanup_free_ char *raw = x_strndup(line, n), *safe = format_safe(raw);
		fprintf(f, "%s%s\n", before, safe);
		if (!line[n])
			return;
		line += n + 1;
	}
}

static void print_complaint(const struct call *call, const struct complaint *c)
{
	progress_done();
	fflush(stdout); /* what was printed stands before what went wrong then */
	if (call->common.json) {
		print_complaint_json(c);
		return;
	}
	print_safe(stderr, "vectl: ", c->message);
	if (c->hint)
		print_safe(stderr, "  hint: ", c->hint);
}

/* 126 and 127 are about the guest's command; everything else before it ran is 125. */
static int exit_code(const struct call *call, const struct complaint *c)
{
	bool guest = call->command && call->command->flags & COMMAND_GUEST;

	if (!guest || (call->detached && !str_eq(c->stage, "exec")))
		return ve_category_exit_code(c->category);
	if (!str_eq(c->stage, "exec"))
		return EXIT_OURS;
	return c->category == VE_ERR_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int report_failure(const struct call *call, int r, ve_error *e)
{
	struct complaint c = {
		.category = e ? ve_error_category(e) : VE_ERR_BUG,
		.errnum = e ? ve_error_errno(e) : -r,
		.stage = e ? ve_error_stage(e) : "library",
		.message = e ? ve_error_message(e) : "the library failed and did not say why",
		.hint = e ? ve_error_hint(e) : NULL,
	};
	int signal = r == -EINTR ? cancel_signal() : 0;
	int code = signal ? 128 + signal : exit_code(call, &c);

	if (signal && !call->common.json) {
		progress_done();
		fputs("vectl: interrupted\n", stderr);
	} else {
		print_complaint(call, &c);
	}
	ve_error_free(e);
	return code;
}

int report_refusal(const struct call *call, enum ve_category category, const char *hint, const char *fmt, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = x_strdup("out of memory");
	va_end(ap);
	struct complaint c = { category, 0, "command-line", message, hint };
	print_complaint(call, &c);
	return ve_category_exit_code(category);
}

int report_unprivileged(const struct call *call, const char *what)
{
	return report_refusal(call, VE_ERR_PERMISSION, NULL, "%s: not with --unprivileged-keys-only", what);
}

int report_usage(const struct call *call, const struct usage *usage)
{
	return report_refusal(call, usage->category, usage->hint, "%s", usage->message);
}

/* ---- what was done ---- */

void report_warnings(const struct call *call)
{
	const ve_doc *warnings = ve_ctx_warnings(call->ctx);
	size_t n = warnings ? ve_doc_length(warnings, "") : 0;

	progress_done();
	if (call->common.json)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *s = ve_doc_string(ve_doc_at(warnings, "", i), "");
		print_safe(stderr, "vectl: warning: ", s ? s : "?");
	}
}

void report_line(const struct call *call, const char *fmt, ...)
{
	va_list ap;

	progress_done();
	if (call->common.json || call->common.quiet)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void report_done(const struct call *call, const char *fmt, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	report_line(call, "%s%s", call->common.dry_run ? "would be done: " : "", message ? message : "");
}

/* " (192.0.2.10, 2001:db8::1)", or "" where it has none. */
static char *addresses(const ve_doc *result)
{
	_cleanup_text_ struct text t = { 0 };
	size_t n = ve_doc_length(result, "addresses");

	for (size_t i = 0; i < n; i++) {
		const char *a = ve_doc_string(ve_doc_at(result, "addresses", i), "");
		text_addf(&t, "%s%s", i ? ", " : " (", a ? a : "?");
	}
	text_add(&t, n ? ")" : "");
	return x_strdup(t.s);
}

static int change(struct call *call, ve *v, int r, const char *done, const char *already, bool with_addresses)
{
	_cleanup_doc_ ve_doc *result = NULL;
	ve_error *e = NULL;

	report_warnings(call);
	if (call->common.quiet && !call->common.json)
		return 0;
	int q = ve_result(v, r, &result, &e);
	if (q < 0)
		return report_failure(call, q, e);
	if (call->common.json)
		return report_json(result);
	if (r == VE_UNCHANGED) {
		report_line(call, "%s %s", ve_name(v), already);
		return 0;
	}
	_cleanup_free_ char *where = with_addresses ? addresses(result) : x_strdup("");
	report_done(call, "%s %s%s", done, ve_name(v), where);
	return 0;
}

int report_change(struct call *call, ve *v, int r, const char *done, const char *already)
{
	return change(call, v, r, done, already, true);
}

int report_change_plain(struct call *call, ve *v, int r, const char *done, const char *already)
{
	return change(call, v, r, done, already, false);
}

/* ---- documents ---- */

int report_json(const ve_doc *doc)
{
	_cleanup_free_ char *json = ve_doc_json(doc, isatty(STDOUT_FILENO) ? 2 : 0);

	if (!json) {
		fputs("vectl: out of memory\n", stderr);
		return ve_category_exit_code(VE_ERR_NO_ROOM);
	}
	return report_json_text(json);
}

bool report_look(const struct call *call, int r, ve_error *e, const ve_doc *doc, int *ret_code)
{
	if (r >= 0)
		report_warnings(call);
	*ret_code = r < 0 ? report_failure(call, r, e) : call->common.json ? report_json(doc) : 0;
	return r < 0 || call->common.json;
}

int report_json_text(const char *json)
{
	progress_done();
	puts(json);
	return 0;
}

/* {"name":NAME,FACT:VALUE}, where JSON is wanted. */
static int report_fact(const struct call *call, const char *name, const char *fact, bool value)
{
	_cleanup_text_ struct text t = { 0 };

	if (!call->common.json)
		return 0;
	text_add(&t, "{\"name\":");
	format_json_string(&t, name);
	text_addf(&t, ",\"%s\":%s%s}", fact, value ? "true" : "false", call->common.dry_run ? ",\"dry_run\":true" : "");
	return report_json_text(t.s);
}

int report_changed(const struct call *call, const char *name, int changed)
{
	return report_fact(call, name, "changed", changed == VE_CHANGED);
}

int report_removed(const struct call *call, const char *name)
{
	report_warnings(call);
	report_done(call, "removed %s", name);
	return report_changed(call, name, VE_CHANGED);
}

int report_valid(const struct call *call, const char *name, const char *verdict)
{
	report_warnings(call);
	report_line(call, "%s is %s", name, verdict);
	return report_fact(call, name, "valid", true);
}

int report_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(stderr, "vectl: cannot write to standard output: %s\n", strerror(errno));
	return ve_category_exit_code(errno == ENOSPC ? VE_ERR_NO_ROOM : VE_ERR_KERNEL);
}
