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
	int r = ve_unblock(v, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change_plain(call, v, r, "unblocked", "is not blocked");
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
