/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"

static int run(struct call *call)
{
	return call_verb(call, ve_unblock, "unblocked", "is not blocked");
}

const struct command command_unblock = {
	.name = "unblock",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.run = run,
	.summary = "open a blocked VE again",
	.description =
		"Takes the block of 'vectl block' away. A VE that was cut off has its network at once, and a frozen one "
		"goes on. One that was stopped is not started by this; with the host it starts as boot.auto says, and "
		"'last' means that it ran when it was blocked.",
	.examples = {
		{ "vectl unblock web1\nvectl start web1", "Opens web1 and starts it." },
	},
	.exits = "66 there is no such VE",
	.see = "block(8) start(8)",
	.since = "0.1",
};
