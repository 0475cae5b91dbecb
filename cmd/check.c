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
	bool present = ve_doc_bool(row, "present");
	const char *mark = present ? "present" : is_required(row) ? "MISSING" : "missing";

	printf("%-9s%-*s%s\n", mark, *detail ? width + 2 : 0, feature, detail);
	if (!present && *needed_by)
		printf("%9s  needed by: %s\n", "", needed_by);
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

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	size_t missing = 0, required = 0;
	ve_error *e = NULL;

	int r = ve_host_check(call->ctx, &doc, &e);
	if (r < 0)
		return report_failure(call, r, e);
	int width = feature_width(doc);
	for (size_t i = 0; i < ve_doc_length(doc, ""); i++) {
		const ve_doc *row = ve_doc_at(doc, "", i);
		missing += !ve_doc_bool(row, "present");
		required += !ve_doc_bool(row, "present") && is_required(row);
		if (!call->common.json && (!call->common.quiet || !ve_doc_bool(row, "present")))
			print_row(row, width);
	}
	if (call->common.json)
		report_json(doc);
	else if (required)
		report_line(call, "\nThis host cannot run VEs: %zu of what every VE needs is missing.", required);
	else if (missing)
		report_line(call, "\nThis host can run VEs; %zu of what some of them need is missing.", missing);
	else
		report_line(call, "\nThis host can run VEs, and nothing is missing.");
	return required ? ve_category_exit_code(VE_ERR_UNSUPPORTED) : 0;
}

const struct command command_check = {
	.name = "check",
	.group = GROUP_HOST,
	.run = run,
	.summary = "tell whether this host can run VEs",
	.description =
		"Tries every feature of the kernel and of the host that vectl uses, and says which are there, "
		"what needs the missing ones and what to do. It goes by what works, not by version numbers. It "
		"changes nothing.\n\nMISSING, in capitals, is what every VE needs. With --quiet only what is "
		"missing is shown.",
	.examples = {
		{ "vectl check", "The first thing to type on a new host." },
		{ "vectl check --json | jq -r '.[] | select(.present|not).feature'",
		  "For scripts: what is missing." },
	},
	.exits = "0 all that every VE needs is there\n69 something that every VE needs is missing",
	.see = "host-show(8) start(8)",
	.since = "0.1",
};
