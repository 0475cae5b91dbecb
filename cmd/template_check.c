/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"

static int run(struct call *call)
{
	ve_error *e = NULL;

	int r = ve_template_check(call->ctx, call->operands[0], &e);
	return r < 0 ? report_failure(call, r, e) : report_valid(call, call->operands[0], "right");
}

const struct command command_template_check = {
	.name = "template check",
	.group = GROUP_TEMPLATES,
	.operands = { { "TEMPLATE" } },
	.run = run,
	.summary = "check a template, or a file that is to become one",
	.description =
		"Reads the template, or the file if its name has a '/', and says what is wrong with it: file, "
		"line, column, key, what was expected, and the nearest key there is.",
	.examples = {
		{ "vectl template check ./my-plan.json", "Before it is copied to /etc/vectl/templates." },
	},
	.exits = "66 there is no such template or file\n78 it is wrong",
	.see = "template-show(8) config(5)",
	.since = "0.1",
};
