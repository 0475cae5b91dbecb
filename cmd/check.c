/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

/* A row that does not say whether it is required is. */
static bool is_required(const ve_doc *row)
{
	return ve_doc_type(row, "required") != VE_BOOL || ve_doc_bool(row, "required");
}

static char *text_of(const ve_doc *row, const char *field)
{
	const char *s = ve_doc_string(row, field);

	return format_safe(s ? s : "");
}

static void print_row(const ve_doc *row, int width)
{
	_cleanup_free_ char *feature = text_of(row, "feature"), *detail = text_of(row, "detail");
	_cleanup_free_ char *needed_by = text_of(row, "needed_by"), *hint = text_of(row, "hint");
	bool present = ve_doc_bool(row, "present"), is_missing = !present && is_required(row);
	_cleanup_free_ char *mark = is_missing ? x_strdup("MISSING") : text_of(row, "state");

	printf("%-9s%-*s%s\n", mark, *detail ? width + 2 : 0, feature, detail);
	if (!present && *needed_by)
		printf("%9s  %s: %s\n", "", is_missing ? "needed by" : "good for", needed_by);
	if (!present && *hint)
		printf("%9s  hint: %s\n", "", hint);
}

static int feature_width(const ve_doc *doc)
{
	size_t width = 0;

	for (size_t i = 0; i < ve_doc_length(doc, ""); i++) {
		const char *feature = ve_doc_string(ve_doc_at(doc, "", i), "feature");
		if (feature && strlen(feature) > width)
			width = strlen(feature);
	}
	return (int)width;
}

/* What is not there, by how much it matters. */
struct counts {
	size_t missing, low, absent;
};

static void count(const ve_doc *row, struct counts *n)
{
	if (ve_doc_bool(row, "present"))
		return;
	if (is_required(row))
		n->missing++;
	else if (str_eq(ve_doc_string(row, "state"), "low"))
		n->low++;
	else
		n->absent++;
}

static void print_verdict(struct call *call, const struct counts *n)
{
	if (n->missing)
		report_line(call, "\nThis host cannot run VEs: %zu of what every VE needs is MISSING.", n->missing);
	else if (n->low || n->absent)
		report_line(call, "\nThis host can run VEs. Optional, and better to have: %zu absent, %zu low.",
			    n->absent, n->low);
	else
		report_line(call, "\nThis host can run VEs.");
}

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	struct counts n = { 0 };
	ve_error *e = NULL;

	int r = ve_host_check(call->ctx, &doc, &e);
	if (r < 0)
		return report_failure(call, r, e);
	int width = feature_width(doc);
	for (size_t i = 0; i < ve_doc_length(doc, ""); i++) {
		const ve_doc *row = ve_doc_at(doc, "", i);
		count(row, &n);
		if (!call->common.json && (!call->common.quiet || !ve_doc_bool(row, "present")))
			print_row(row, width);
	}
	if (call->common.json)
		report_json(doc);
	else
		print_verdict(call, &n);
	return n.missing ? ve_category_exit_code(VE_ERR_UNSUPPORTED) : 0;
}

const struct command command_check = {
	.name = "check",
	.group = GROUP_HOST,
	.run = run,
	.summary = "tell whether this host can run VEs",
	.description =
		"Tries every feature of the kernel and of the host that vectl uses, and says which are there, "
		"what the others would be good for and what to do. It goes by what works, not by version numbers. "
		"It changes nothing.\n\nMISSING is what every VE needs. What is absent is optional: VEs run "
		"without it. What is low is a limit of the host's that does for a few VEs, and not for hundreds. "
		"With --quiet only these three are shown.",
	.examples = {
		{ "vectl check", "The first thing to type on a new host." },
		{ "vectl check --json | jq -r '.[] | select(.present|not).feature'",
		  "For scripts: what is not there, or low." },
	},
	.exits = "0 all that every VE needs is there\n69 something that every VE needs is missing",
	.see = "host-show(8) start(8)",
	.since = "0.1",
};
