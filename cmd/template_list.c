/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct template_list_options {
	struct rows_options how;
};

static const struct option options[] = {
	ROWS_OPTIONS(struct template_list_options),
	OPTIONS_END,
};

/* A template whose file is wrong is listed with what is wrong. */
static char *description_cell(const ve_doc *row)
{
	const char *error = ve_doc_string(row, "error"), *description = ve_doc_string(row, "description");

	return format_safe(error ? error : description ? description : "-");
}

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "name" },
		{ "description", .format = description_cell, .wrap = true },
	};
	const struct template_list_options *o = call->options;
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_template_list(call->ctx, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print_rows(doc, columns, ARRAY_SIZE(columns), &o->how);
	return 0;
}

const struct command command_template_list = {
	.name = "template list",
	.group = GROUP_TEMPLATES,
	.options = options,
	.options_size = sizeof(struct template_list_options),
	.run = run,
	.summary = "list the templates",
	.description =
		"Lists the plans that VEs can be made with: files NAME.json in /etc/vectl/templates and those "
		"that vectl ships. One's own hides a shipped one of the same name.",
	.examples = {
		{ "vectl template list", "Which plans are there?" },
	},
	.see = "template-show(8) template-check(8) create(8) config(5)",
	.since = "0.1",
};
