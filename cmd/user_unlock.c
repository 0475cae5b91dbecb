/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "user_change.h"

static int unlock(ve *v, const char *user, ve_error **e)
{
	return ve_user_lock(v, user, false, e);
}

static int run(struct call *call)
{
	return user_change(call, unlock, "unlocked", "has that user unlocked");
}

const struct command command_user_unlock = {
	.name = "user unlock",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER" } },
	.options = dry_run_options,
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
