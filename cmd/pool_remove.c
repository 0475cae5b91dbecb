/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"

static int run(struct call *call)
{
	ve_error *e = NULL;

	int r = ve_pool_remove(call->ctx, call->operands[0], &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_removed(call, call->operands[0]);
}

const struct command command_pool_remove = {
	.name = "pool remove",
	.group = GROUP_HOST,
	.flags = COMMAND_CANCEL,
	.operands = { { "POOL" } },
	.options = dry_run_options,
	.run = run,
	.summary = "remove a pool of VEs",
	.description =
		"Removes the pool, once no VE names it any more and none runs in it: 'vectl set NAME pool=default --restart' takes one out.",
	.examples = {
		{ "vectl pool remove acme", "If it has no VEs." },
	},
	.exits = "66 there is no such pool\n79 a VE is in it",
	.see = "pool-set(8) set(8)",
	.since = "0.1",
};
