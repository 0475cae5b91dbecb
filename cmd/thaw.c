/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"

struct thaw_options {
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLEET_OPTIONS(struct thaw_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int thaw_one(struct call *call)
{
	return call_verb(call, ve_thaw, "thawed", "is not frozen");
}

static int run(struct call *call)
{
	const struct thaw_options *o = call->options;

	return fleet_verb(call, &o->fleet, thaw_one);
}

const struct command command_thaw = {
	.name = "thaw",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct thaw_options),
	.run = run,
	.summary = "let a frozen VE go on",
	.description =
		"Lets the processes go on that 'vectl freeze' held. A VE that is not frozen is success."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl thaw web1", "web1 runs again." },
	},
	.exits = FLEET_EXIT "66 there is no such VE\n79 it does not run",
	.see = "freeze(8)",
	.since = "0.1",
};
