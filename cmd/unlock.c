/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct unlock_options {
	bool force;
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLAG("force", 0, struct unlock_options, force, "Somebody else's lock, too."),
	FLEET_OPTIONS(struct unlock_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int unlock_own(ve *v, ve_error **ret_error)
{
	return ve_unlock(v, false, ret_error);
}

static int unlock_any(ve *v, ve_error **ret_error)
{
	return ve_unlock(v, true, ret_error);
}

static int unlock_one(struct call *call)
{
	const struct unlock_options *o = call->options;

	return call_verb(call, o->force ? unlock_any : unlock_own, "unlocked", "is not locked");
}

static int run(struct call *call)
{
	const struct unlock_options *o = call->options;

	return fleet_verb(call, &o->fleet, unlock_one);
}

const struct command command_unlock = {
	.name = "unlock",
	.group = GROUP_CHANGE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct unlock_options),
	.run = run,
	.summary = "let others change a VE again",
	.description =
		"Ends the lock of 'vectl lock'. Somebody else's is left alone and told of (75), unless --force is given. A VE that is "
		"not locked is success."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl unlock web1", "Ends one's own lock." },
		{ "vectl unlock web1 --force --reason 'anna is on holiday'", "Ends somebody else's." },
	},
	.exits = FLEET_EXIT "66 there is no such VE\n75 somebody else has locked it",
	.see = "lock(8)",
	.since = "0.1",
};
