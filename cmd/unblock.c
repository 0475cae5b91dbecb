/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"

struct unblock_options {
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLEET_OPTIONS(struct unblock_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int unblock_one(struct call *call)
{
	return call_verb(call, ve_unblock, "unblocked", "is not blocked");
}

static int run(struct call *call)
{
	const struct unblock_options *o = call->options;

	return fleet_verb(call, &o->fleet, unblock_one);
}

const struct command command_unblock = {
	.name = "unblock",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct unblock_options),
	.run = run,
	.summary = "open a blocked VE again",
	.description =
		"Takes the block of 'vectl block' away. A VE that was cut off has its network at once, and a frozen one "
		"goes on. One that was stopped is not started by this; with the host it starts as boot.auto says, and "
		"'last' means that it ran when it was blocked."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl unblock web1\nvectl start web1", "Opens web1 and starts it." },
	},
	.exits = FLEET_EXIT "66 there is no such VE",
	.see = "block(8) start(8)",
	.since = "0.1",
};
