/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "call.h"
#include "commands.h"
#include "guest.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	if (guest_terminal() && !call->common.quiet && !call->common.json)
		fprintf(stderr, "console of %s; Ctrl-] three times leaves it\n", ve_name(v));
	int r = ve_console(v, &e);
	return r < 0 ? report_failure(call, r, e) : 0;
}

const struct command command_console = {
	.name = "console",
	.group = GROUP_INSIDE,
	.operands = { { "NAME" } },
	.run = run,
	.summary = "join a VE's console",
	.description =
		"Joins this terminal to the VE's console: what a machine would show on its screen, with a login "
		"where the system inside offers one. What was printed before is shown first. Ctrl-] three times "
		"leaves the console; the VE goes on. It ends with the VE, and not with its input: 'vectl console web1 </dev/null' watches.\n\n'vectl logs' prints what the console showed, without "
		"joining it.",
	.examples = {
		{ "vectl console web1", "Watches web1, or logs in with a password." },
	},
	.exits = "66 there is no such VE\n79 it does not run",
	.see = "logs(8) enter(8)",
	.since = "0.1",
};
