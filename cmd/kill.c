/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"

struct kill_options {
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLEET_OPTIONS(struct kill_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int kill_one(struct call *call)
{
	return call_verb(call, ve_kill, "killed", "is stopped already");
}

static int run(struct call *call)
{
	const struct kill_options *o = call->options;

	return fleet_verb(call, &o->fleet, kill_one);
}

const struct command command_kill = {
	.name = "kill",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct kill_options),
	.run = run,
	.summary = "cut a VE's power",
	.description =
		"Kills every process of the VE at once, as if its power were cut. Nothing inside is asked or "
		"told; files that were not yet written may be lost. A VE that is stopped already is success.\n\n"
		"'vectl stop' asks first, and kills only what does not stop in time."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl kill web1", "For a VE that does not answer any more." },
	},
	.exits = FLEET_EXIT "66 there is no such VE",
	.see = "stop(8) destroy(8)",
	.since = "0.1",
};
