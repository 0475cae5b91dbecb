/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_thaw(v, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change_plain(call, v, r, "thawed", "is not frozen");
}

const struct command command_thaw = {
	.name = "thaw",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.run = run,
	.summary = "let a frozen VE go on",
	.description =
		"Lets the processes go on that 'vectl freeze' held. A VE that is not frozen is success.",
	.examples = {
		{ "vectl thaw web1", "web1 runs again." },
	},
	.exits = "66 there is no such VE\n79 it does not run",
	.see = "freeze(8)",
	.since = "0.1",
};
