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
	int r = ve_user_lock(v, call->operands[1], true, &e);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *done = x_printf("locked the user %s in", call->operands[1]);
	return report_change_plain(call, v, r, done, "has that user locked already");
}

const struct command command_user_lock = {
	.name = "user lock",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER" } },
	.run = run,
	.summary = "let nobody in as a user of a VE",
	.description =
		"Locks USER in the VE NAME, whether it runs or not: his password is marked with a '!', and the account has expired, so that "
		"neither password nor key nor cron gets in. A date of expiry that it had is lost. What he runs goes on.",
	.examples = {
		{ "vectl user lock web1 ann", "Nobody logs in as ann." },
	},
	.exits = "66 there is no such VE, or no such user in it\n71 a file of the VE's is not what it should be\n75 somebody in it holds the lock\n79 the VE is frozen",
	.see = "user-unlock(8) user-list(8) block(8)",
	.since = "0.1",
};
