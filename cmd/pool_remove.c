/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_text_ struct text t = { 0 };
	ve_error *e = NULL;

	int r = ve_pool_remove(call->ctx, call->operands[0], &e);
	if (r < 0)
		return report_failure(call, r, e);
	report_warnings(call);
	report_line(call, "removed %s", call->operands[0]);
	if (!call->common.json)
		return 0;
	text_add(&t, "{\"name\":");
	format_json_string(&t, call->operands[0]);
	text_add(&t, ",\"changed\":true}");
	return report_json_text(t.s);
}

const struct command command_pool_remove = {
	.name = "pool remove",
	.group = GROUP_HOST,
	.flags = COMMAND_CANCEL,
	.operands = { { "POOL" } },
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
