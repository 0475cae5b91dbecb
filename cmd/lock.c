/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct lock_options {
	struct seconds duration;
	struct fleet_options fleet;
};

static const struct option options[] = {
	SECONDS("for", struct lock_options, duration, "It ends by itself after this time; else 'vectl unlock' ends it."),
	FLEET_OPTIONS(struct lock_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int lock_one(struct call *call)
{
	const struct lock_options *o = call->options;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	if (!call->common.reason)
		return report_refusal(call, VE_ERR_USAGE, NULL, "lock needs a reason: --reason TEXT");
	if (o->duration.given && o->duration.value == 0)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--for takes a time that is not over at once");
	int code = call_open_ve(call, &v);
	if (code)
		return code;
	struct ve_lock_opts opts = { .size = sizeof(opts), .reason = call->common.reason, .for_s = o->duration.value };
	int r = ve_lock(v, &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change_plain(call, v, r, "locked", "is locked so already");
}

static int run(struct call *call)
{
	const struct lock_options *o = call->options;

	return fleet_verb(call, &o->fleet, lock_one);
}

const struct command command_lock = {
	.name = "lock",
	.group = GROUP_CHANGE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct lock_options),
	.run = run,
	.summary = "keep others from changing a VE",
	.description =
		"Keeps the VE NAME to whoever asks: until 'vectl unlock', or until the time of --for is over, every command of "
		"anybody else's that changes it is refused with 75, and told who locked it, since when and why (--reason, which "
		"must be given). Looking at it, entering it and its console are not held off, nor what the VE does by itself, nor "
		"the host's own boot and shutdown. A lock stays over restarts of the host.\n\nWho asks is --actor, else the variable "
		"VECTL_ACTOR, else the user who logged in, whatever he has become since. Programs that share a login, like those that "
		"cron starts, should say who they are. A lock is an agreement among administrators, all of whom are root; it is no "
		"protection against one who does not keep it. Against mistakes of one's own there is the key protect, which refuses "
		"to destroy, stop or change the VE to everybody."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl lock web1 --reason 'moving its database' --for 2h", "Nobody else starts, stops or changes it." },
		{ "vectl lock web1 --actor panel --reason 'order 4711'", "For a program with a name of its own." },
		{ "vectl list --where locked=*?", "What is locked?" },
		{ "vectl set web1 protect=on", "Nobody destroys or stops it by mistake." },
	},
	.exits = FLEET_EXIT "64 no reason is given\n66 there is no such VE\n75 somebody else has locked it",
	.see = "unlock(8) set(8) block(8)",
	.since = "0.1",
};
