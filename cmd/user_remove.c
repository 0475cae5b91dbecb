/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "user_change.h"

static int run(struct call *call)
{
	return user_change(call, ve_user_remove, "removed", "");
}

const struct command command_user_remove = {
	.name = "user remove",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER" } },
	.options = dry_run_options,
	.run = run,
	.summary = "take a user away in a VE",
	.description =
		"Takes USER out of passwd, group, shadow and gshadow of the VE NAME, whether it runs or not, and with him the group of his "
		"name that nobody else is in. His home, and what he runs, stay: they are for the VE's root to look at.",
	.examples = {
		{ "vectl user remove web1 ann", "She is gone; /home/ann is there." },
	},
	.exits = "64 root is not removed\n66 there is no such VE, or no such user in it\n71 a file of the VE's is not what it should be\n75 somebody in it holds the lock\n79 the VE is frozen",
	.see = "user-add(8) user-lock(8)",
	.since = "0.1",
};
