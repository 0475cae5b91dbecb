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
	int r = ve_user_remove(v, call->operands[1], &e);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *done = x_printf("removed the user %s in", call->operands[1]);
	return report_change_plain(call, v, r, done, "");
}

const struct command command_user_remove = {
	.name = "user remove",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER" } },
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
