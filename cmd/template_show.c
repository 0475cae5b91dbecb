/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int r = ve_template_show(call->ctx, call->operands[0], &doc, &e);
	if (r < 0)
		return report_failure(call, r, e);
	if (call->common.json)
		return report_json(doc);
	table_print_object(doc);
	return 0;
}

const struct command command_template_show = {
	.name = "template show",
	.group = GROUP_TEMPLATES,
	.operands = { { "TEMPLATE" } },
	.run = run,
	.summary = "show a template",
	.description = "Shows what a template sets, and the file it comes from.",
	.examples = {
		{ "vectl template show vps-small", "What does the default plan give?" },
	},
	.exits = "66 there is no such template\n78 its file is wrong",
	.see = "template-list(8) template-check(8)",
	.since = "0.1",
};
