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
	int r = ve_user_lock(v, call->operands[1], false, &e);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *done = x_printf("unlocked the user %s in", call->operands[1]);
	return report_change_plain(call, v, r, done, "has that user unlocked");
}

const struct command command_user_unlock = {
	.name = "user unlock",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER" } },
	.run = run,
	.summary = "let in a user of a VE again",
	.description =
		"Takes back what user-lock(8) did: USER of the VE NAME has his password again, if he had one, and the account does not expire.",
	.examples = {
		{ "vectl user unlock web1 ann", "Ann logs in as before." },
	},
	.exits = "66 there is no such VE, or no such user in it\n71 a file of the VE's is not what it should be\n75 somebody in it holds the lock\n79 the VE is frozen",
	.see = "user-lock(8) user-list(8)",
	.since = "0.1",
};
