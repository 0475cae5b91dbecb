/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int changed = ve_pool_set(call->ctx, call->operands[0], call->operands + 1, &e);
	if (changed < 0)
		return report_failure(call, changed, e);
	report_warnings(call);
	if (changed == VE_CHANGED)
		report_done(call, "%s: set", call->operands[0]);
	else
		report_line(call, "%s: is so already", call->operands[0]);
	/* It may not be there to be shown. */
	if (call->common.dry_run)
		return report_changed(call, call->operands[0], changed);
	if (!call->common.json)
		return 0;
	int r = ve_pool_show(call->ctx, call->operands[0], &doc, &e);
	return r < 0 ? report_failure(call, r, e) : report_json(doc);
}

const struct command command_pool_set = {
	.name = "pool set",
	.group = GROUP_HOST,
	.flags = COMMAND_CANCEL,
	.operands = { { "POOL" }, { "KEY=VALUE", .many = true } },
	.options = dry_run_options,
	.run = run,
	.summary = "make a pool of VEs that share limits, or change it",
	.description =
		"Sets limits of the pool POOL, which is made if there is none: what its VEs use at most together, while each of them "
		"keeps its own limits as well. The keys are those of a VE that limit it: cpu.limit, cpu.weight (the pool's share "
		"among pools and VEs in none), memory.limit, memory.swap, pids.limit, io.weight, io.read_bps, io.write_bps, io.read_iops "
		"and io.write_iops; KEY=default takes one away. All are set, also for VEs that run, or none.\n\nA VE is put into a pool by "
		"'vectl set NAME pool=POOL', or at create. One that runs must be restarted for that (--pending, --restart): the memory "
		"that it has stays charged where it was taken, and its own groups cannot be moved.\n\nOn cgroup v1 the io.*_bps and "
		"io.*_iops cannot be shared and are refused (69), and no VE may have a cpu.limit above its pool's.",
	.examples = {
		{ "vectl pool set acme memory.limit=8G cpu.limit=4 pids.limit=2000", "What the customer acme has paid for, with any number of VEs." },
		{ "vectl set web1 pool=acme --restart", "web1 is one of them." },
		{ "vectl pool set acme memory.limit=16G", "More for all of them, now." },
	},
	.exits = "69 this host cannot hold such a limit\n78 there is no such key, or the value is wrong\n79 more than that is in use",
	.see = "pool-show(8) pool-remove(8) set(8) config(5)",
	.since = "0.1",
};
