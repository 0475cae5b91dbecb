/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "commands.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	if (call->common.json) {
		_cleanup_free_ char *json = x_printf("{\"version\":\"%s\",\"library\":\"%s\"}", VE_VERSION, ve_version());
		return report_json_text(json);
	}
	printf("vectl %s\n", VE_VERSION);
	if (!str_eq(VE_VERSION, ve_version()))
		printf("libve %s\n", ve_version());
	return 0;
}

const struct command command_version = {
	.name = "version",
	.group = GROUP_HOST,
	.flags = COMMAND_NO_STORE,
	.run = run,
	.summary = "print the version",
	.description = "Prints the version of vectl and, where it is another one, of libve.",
	.examples = {
		{ "vectl version --json", "For programs." },
	},
	.since = "0.1",
};
