/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"

static int run(struct call *call)
{
	return call_verb(call, ve_thaw, "thawed", "is not frozen");
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
