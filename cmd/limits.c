/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct limits_options {
	bool refused, no_header;
};

static const struct option options[] = {
	FLAG("refused", 0, struct limits_options, refused, "Only what was refused at least once."),
	FLAG("no-header", 0, struct limits_options, no_header, "No line of titles."),
	OPTIONS_END,
};

static void print_rows(const ve_doc *doc, bool with_name, bool header)
{
	static const struct column columns[] = {
		{ "name" },
		{ "resource" },
		{ "used", .unit_field = "unit" },
		{ "peak", .unit_field = "unit" },
		{ "guarantee", .unit_field = "limit_unit" },
		{ "limit", .unit_field = "limit_unit" },
		{ "refused" },
	};
	table_print(doc, columns + !with_name, ARRAY_SIZE(columns) - !with_name, header);
}

static int run(struct call *call)
{
	const struct limits_options *o = call->options;
	const struct ve_limits_opts opts = { .size = sizeof(opts), .refused = o->refused };
	_cleanup_doc_ ve_doc *doc = NULL;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call->n_operands > 0 ? call_open_ve(call, &v) : 0;
	if (code)
		return code;
	int r = ve_limits(call->ctx, v, &opts, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	print_rows(doc, !v, !o->no_header);
	return 0;
}

const struct command command_limits = {
	.name = "limits",
	.group = GROUP_LOOK,
	.operands = { { "NAME", .optional = true } },
	.options = options,
	.options_size = sizeof(struct limits_options),
	.run = run,
	.summary = "tell what VEs use of what they may, and what they were refused",
	.description =
		"Shows a line for each resource of the VE NAME, or of all VEs: what it uses, the most that it used, what is "
		"guaranteed to it, its limit, and how often it was refused more. A '-' stands where there is no limit, or where "
		"this host's kernel does not count.\n\nRefused are: for memory, processes that were killed for lack of it; for "
		"pids, forks that failed; for swap, pages that could not be swapped out; for cpu, periods of a tenth of a second in "
		"which its threads had to wait for the next one. transfer.N is the quota of network.N, 1 while it is spent. disk and inodes are counted where the VE has a "
		"disk.size, or its file system counts all; volume.NAME is one of its volumes. No kernel counts what a full disk refuses: for these it is how often "
		"one was found full, at a look a minute, with room in between (disk-full in vectl-events(8)).\n\nWhat "
		"is used up (CPU time, disk input and output), peaks and refusals count from when the VE was made, over its starts; "
		"what a crash of the host cuts off is lost from its last start on. transfer is this month's.",
	.examples = {
		{ "vectl limits web1", "How full is it?" },
		{ "vectl limits --refused", "Who was refused what?" },
		{ "vectl limits web1 --json | jq '.[] | select(.resource == \"memory\") | .refused'",
		  "How many of its processes were killed for lack of memory?" },
	},
	.exits = "66 there is no such VE",
	.see = "events(8) list(8) traffic(8) set(8) config(5) json(7)",
	.since = "0.1",
};
