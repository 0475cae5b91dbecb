/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

struct logs_options {
	unsigned lines;
	bool follow;
};

static const struct option options[] = {
	UNSIGNED("lines", 'n', "LINES", struct logs_options, lines,
		 "The last LINES lines only; 0, or without it: all that is kept."),
	FLAG("follow", 'f', struct logs_options, follow,
	     "Go on with what is printed from now on, until the VE stops."),
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct logs_options *o = call->options;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_logs(v, STDOUT_FILENO, o->lines, o->follow, &e);
	return r < 0 ? report_failure(call, r, e) : 0;
}

const struct command command_logs = {
	.name = "logs",
	.group = GROUP_INSIDE,
	.operands = { { "NAME" } },
	.options = options,
	.options_size = sizeof(struct logs_options),
	.run = run,
	.summary = "print what a VE's console showed",
	.description =
		"Prints the console log of the VE: what its system printed while it booted, ran and stopped, of "
		"the last start and of earlier ones as far as the log reaches back. It works on a stopped VE too.",
	.examples = {
		{ "vectl logs web1 -n 50", "Why did it not come up?" },
		{ "vectl logs web1 -f", "Watches it boot; Ctrl-C ends the watching, not the VE." },
	},
	.exits = "66 there is no such VE",
	.see = "console(8) status(8)",
	.since = "0.1",
};
