/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

static void add_faults(struct text *t)
{
	const char *const *stages = ve_fault_stages();

	for (size_t i = 0; stages && stages[i]; i++) {
		text_add(t, i ? "," : "[");
		format_json_string(t, stages[i]);
	}
	text_add(t, stages && stages[0] ? "]" : "null");
}

static int run(struct call *call)
{
	if (call->common.json) {
		_cleanup_text_ struct text t = { 0 };
		text_addf(&t, "{\"version\":\"%s\",\"library\":\"%s\",\"faults\":", VE_VERSION, ve_version());
		add_faults(&t);
		text_add(&t, "}");
		return report_json_text(t.s);
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
