/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_status(v, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print_object(doc, OBJECT_SET_ONLY, NULL, NULL);
	return 0;
}

const struct command command_status = {
	.name = "status",
	.group = GROUP_LOOK,
	.operands = { { "NAME" } },
	.run = run,
	.summary = "tell how a VE is",
	.description =
		"Shows what the VE NAME is doing: its state, since when, its processes that vectl knows, its "
		"addresses, what it uses, the pressure on it (the percentage of the last ten seconds in which some of its processes "
		"waited for a CPU, for memory or for a disk), how its transfer quotas stand, what waits for the next start, and how it "
		"ended the last time.\n\nThe exit code is 0 "
		"whatever the state is; scripts read it from --json or 'vectl list --where state=running'.",
	.examples = {
		{ "vectl status web1", "How is it?" },
		{ "vectl status web1 --json | jq -r .state", "One word for a script." },
	},
	.exits = "66 there is no such VE",
	.see = "list(8) show(8) logs(8) json(7)",
	.since = "0.1",
};
