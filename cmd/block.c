/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct block_options {
	bool network, freeze;
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLAG("network", 0, struct block_options, network,
	     "Let it run, but cut it off from everything but the host."),
	FLAG("freeze", 0, struct block_options, freeze, "Do not stop it: hold its processes where they are."),
	FLEET_OPTIONS(struct block_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int block_one(struct call *call)
{
	const struct block_options *o = call->options;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	if (o->network && o->freeze)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--network and --freeze: give one of them");
	int code = call_open_ve(call, &v);
	if (code)
		return code;
	struct ve_block_opts opts = {
		.size = sizeof(opts),
		.how = o->network ? VE_BLOCK_NETWORK : o->freeze ? VE_BLOCK_FREEZE : VE_BLOCK_STOP,
		.reason = call->common.reason,
	};
	int r = ve_block(v, &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change_plain(call, v, r, "blocked", "is blocked so already");
}

static int run(struct call *call)
{
	const struct block_options *o = call->options;

	return fleet_verb(call, &o->fleet, block_one);
}

const struct command command_block = {
	.name = "block",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct block_options),
	.run = run,
	.summary = "close a VE: for non-payment or abuse",
	.description =
		"Stops the VE NAME and keeps it from being started, by anybody, until 'vectl unblock'. 'vectl status' "
		"shows date and --reason, and so does the refusal to start it. A block stays over restarts of the host, and "
		"goes along with a copy of the VE.\n\nWith --network it runs on, and can be started, but reaches nothing "
		"except the host, and is reached by nothing else. With --freeze its processes are held where they are; "
		"'vectl thaw' is refused, and once it has stopped, as with the host, it cannot be started.\n\nA block "
		"that is there already is replaced: block NAME --network lets a stopped one be started again. Configuration "
		"can be changed, and the VE destroyed, while it is blocked."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl block web1 --reason 'invoice 4711 is open'", "Closed: stopped, and stays so." },
		{ "vectl block web1 --network --reason 'sends spam'",
		  "Its owner can be let in by the console to mend it; nothing gets out." },
		{ "vectl list --where blocked=*", "Who is blocked?" },
	},
	.exits = FLEET_EXIT "66 there is no such VE",
	.see = "unblock(8) status(8) stop(8) network(7)",
	.since = "0.1",
};
