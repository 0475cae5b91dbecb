/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_text_ struct text t = { 0 };
	ve_error *e = NULL;

	int r = ve_template_check(call->ctx, call->operands[0], &e);
	if (r < 0)
		return report_failure(call, r, e);
	report_warnings(call);
	report_line(call, "%s is right", call->operands[0]);
	if (!call->common.json)
		return 0;
	text_add(&t, "{\"name\":");
	format_json_string(&t, call->operands[0]);
	text_add(&t, ",\"valid\":true}");
	return report_json_text(t.s);
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
