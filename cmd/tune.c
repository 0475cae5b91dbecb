/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct tune_options {
	bool apply, revert;
	unsigned ves;
};

static const struct option options[] = {
	FLAG("apply", 0, struct tune_options, apply, "Set what is low, now and for each boot (/etc/sysctl.d/60-vectl.conf)."),
	FLAG("revert", 0, struct tune_options, revert, "Set it back to what it was before the first --apply, and remove that file."),
	UNSIGNED("ves", 0, "NUMBER", struct tune_options, ves, "For NUMBER VEs; 0, or without it: for as many as there are."),
	OPTIONS_END,
};

/* Rows that say nothing to do are left out, but where they were asked for by name. */
static size_t print_rows(const ve_doc *doc, bool all)
{
	const ve_doc *rows = table_field(doc, "settings");
	size_t n = 0;

	for (size_t i = 0; i < ve_doc_length(rows, ""); i++) {
		const ve_doc *row = ve_doc_at(rows, "", i);
		bool low = ve_doc_bool(row, "low");

		n += low;
		if (!low && !all)
			continue;
		printf("%s: ", ve_doc_string(row, "setting"));
		if (ve_doc_type(row, "now") == VE_INT)
			printf("%lld", (long long)ve_doc_int(row, "now"));
		else
			printf("not here");
		if (low)
			printf(" -> %lld", (long long)ve_doc_int(row, "wanted"));
		printf("  (%s)\n", ve_doc_string(row, "reason"));
	}
	return n;
}

static void print_doc(struct call *call, const ve_doc *doc, const struct tune_options *o)
{
	long long ves = ve_doc_int(doc, "ves");

	if (o->revert) {
		report_line(call, "%s", ve_doc_bool(doc, "changed") ? "the host's settings are as they were" : "nothing was set");
		return;
	}
	size_t n = print_rows(doc, call->n_operands > 0);
	if (o->apply)
		report_line(call, ve_doc_bool(doc, "changed") ? "the host is set for %lld VEs" : "the host was set for %lld VEs already", ves);
	else if (n > 0)
		report_line(call, "%zu setting%s for %lld VEs: vectl tune --apply sets what is low", n, n == 1 ? "" : "s", ves);
	else
		report_line(call, "nothing is low for %lld VEs", ves);
}

static int run(struct call *call)
{
	const struct tune_options *o = call->options;
	const struct ve_tune_opts opts = {
		.size = sizeof(opts),
		.mode = o->apply ? VE_TUNE_APPLY : o->revert ? VE_TUNE_REVERT : VE_TUNE_LOOK,
		.ves = o->ves,
		.settings = call->n_operands > 0 ? call->operands : NULL,
	};
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	if (o->apply && o->revert)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--apply and --revert: one of the two");
	int code, r = ve_tune(call->ctx, &opts, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	print_doc(call, doc, o);
	return 0;
}

const struct command command_tune = {
	.name = "tune",
	.group = GROUP_HOST,
	.flags = COMMAND_CANCEL,
	.operands = { { "SETTING", .optional = true, .many = true } },
	.options = options,
	.options_size = sizeof(struct tune_options),
	.run = run,
	.summary = "tell which of the host's settings are low for its VEs, and set them",
	.description =
		"Most of what VEs share in the kernel it counts for each of them. For the rest the host has one number, as for terminals, "
		"process numbers or neighbours. Shows which of these settings are low for the number of VEs that there are, or for "
		"those named, a line each with what is shared; changes nothing.\n\nWith --apply they are set, all or none, now "
		"and for each boot. Nothing is ever made smaller. With --revert they are what they were before the first --apply, but for what "
		"somebody else has set since, which is left alone and said.",
	.examples = {
		{ "vectl tune", "Is the host large enough for its VEs?" },
		{ "vectl tune --ves 500", "Would it be for 500?" },
		{ "vectl tune --ves 500 --apply", "Make it so." },
		{ "vectl tune --revert", "And back." },
	},
	.exits = "64 there is no such setting\n71 the kernel refused a setting",
	.see = "check(8) limits(8)",
	.since = "0.1",
};
