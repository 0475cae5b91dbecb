/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int r = ve_host_set(call->ctx, call->operands, &e);
	if (r < 0)
		return report_failure(call, r, e);
	report_warnings(call);
	if (!call->common.json) {
		for (size_t i = 0; i < call->n_operands; i++)
			report_done(call, "set %s", call->operands[i]);
		return 0;
	}
	r = ve_host_show(call->ctx, &doc, &e);
	return r < 0 ? report_failure(call, r, e) : report_json(doc);
}

const struct command command_host_set = {
	.name = "host set",
	.group = GROUP_HOST,
	.flags = COMMAND_CANCEL,
	.operands = { { "SETTING=VALUE", .many = true } },
	.options = dry_run_options,
	.run = run,
	.summary = "change the host's configuration",
	.description =
		"Sets what holds for all VEs of this host; 'vectl host show' lists the keys. All of them are set "
		"or, if one is refused, none. VEs that are there already keep what they were made with.",
	.examples = {
		{ "vectl host set default.template=vps-medium", "What 'vectl create' uses without --template." },
		{ "vectl host set nat.range=10.99.0.0/16", "Where private addresses come from." },
		{ "vectl host set ip.pool=192.0.2.0/28,2001:db8::/64", "Where 'create --ip auto' takes addresses from." },
	},
	.exits = "78 there is no such key, or the value is wrong",
	.see = "host-show(8) config(5)",
	.since = "0.1",
};
