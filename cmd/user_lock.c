/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "user_change.h"

static int lock(ve *v, const char *user, ve_error **e)
{
	return ve_user_lock(v, user, true, e);
}

static int run(struct call *call)
{
	return user_change(call, lock, "locked", "has that user locked already");
}

const struct command command_user_lock = {
	.name = "user lock",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER" } },
	.options = dry_run_options,
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
