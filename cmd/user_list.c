/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "table_print.h"

struct user_list_options {
	bool no_header;
};

static const struct option options[] = {
	FLAG("no-header", 0, struct user_list_options, no_header, "No line of titles."),
	OPTIONS_END,
};

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "name", "USER" },
		{ "uid" },
		{ "locked" },
		{ "password" },
		{ "home" },
		{ "shell" },
		{ "groups" },
	};
	const struct user_list_options *o = call->options;
	_cleanup_doc_ ve_doc *doc = NULL;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_user_list(v, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print(doc, columns, ARRAY_SIZE(columns), !o->no_header);
	return 0;
}

const struct command command_user_list = {
	.name = "user list",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.options = options,
	.options_size = sizeof(struct user_list_options),
	.run = run,
	.summary = "list the users in a VE",
	.description =
		"Lists who has an account in the VE NAME, whether it runs or not, as its passwd, group and shadow say: the VE's root writes "
		"those, and may write what he likes. locked is what user-lock(8) does; password: one is set, and not marked. Lines that are no "
		"accounts are passed over.",
	.examples = {
		{ "vectl user list web1", "Everybody." },
		{ "vectl user list web1 --json | jq -r '.[] | select(.uid >= 1000) | .name'", "Only people." },
	},
	.exits = "66 there is no such VE\n71 a file of the VE's is not what it should be\n79 the VE is frozen",
	.see = "user-add(8) user-lock(8) json(7)",
	.since = "0.1",
};
