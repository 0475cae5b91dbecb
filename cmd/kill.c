/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"

static int run(struct call *call)
{
	return call_verb(call, ve_kill, "killed", "is stopped already");
}

const struct command command_kill = {
	.name = "kill",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.run = run,
	.summary = "cut a VE's power",
	.description =
		"Kills every process of the VE at once, as if its power were cut. Nothing inside is asked or "
		"told; files that were not yet written may be lost. A VE that is stopped already is success.\n\n"
		"'vectl stop' asks first, and kills only what does not stop in time.",
	.examples = {
		{ "vectl kill web1", "For a VE that does not answer any more." },
	},
	.exits = "66 there is no such VE",
	.see = "stop(8) destroy(8)",
	.since = "0.1",
};
