/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"

struct freeze_options {
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLEET_OPTIONS(struct freeze_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int freeze_one(struct call *call)
{
	return call_verb(call, ve_freeze, "froze", "is frozen already");
}

static int run(struct call *call)
{
	const struct freeze_options *o = call->options;

	return fleet_verb(call, &o->fleet, freeze_one);
}

const struct command command_freeze = {
	.name = "freeze",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct freeze_options),
	.run = run,
	.summary = "hold every process of a VE where it is",
	.description =
		"Stops all processes of the VE from running; they keep their memory, their files and their "
		"connections, and use no CPU. 'vectl thaw' lets them go on. Nothing inside can tell, but by the "
		"clock.\n\nA frozen VE does not survive a restart of the host."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl freeze web1", "Holds web1, to copy its disk or to look at it." },
		{ "vectl thaw web1", "Lets it go on." },
	},
	.exits = FLEET_EXIT "66 there is no such VE\n79 it does not run",
	.see = "thaw(8) stop(8)",
	.since = "0.1",
};
