/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct keys_options {
	bool names, no_header;
};

static const struct option options[] = {
	FLAG("names", 0, struct keys_options, names, "Nothing but the keys, a line each."),
	FLAG("no-header", 0, struct keys_options, no_header, "No line of titles."),
	OPTIONS_END,
};

/* The unit, the words there are, or what kind of value it is. */
static char *type_cell(const ve_doc *row)
{
	const char *type = ve_doc_string(row, "type"), *unit = ve_doc_string(row, "unit");
	_cleanup_text_ struct text t = { 0 };

	if (str_eq(unit, "millicores"))
		return x_strdup("cores"); /* as it is typed; JSON has thousandths */
	for (size_t i = 0; i < ve_doc_length(row, "words"); i++)
		text_addf(&t, "%s%s", i ? "|" : "", ve_doc_string(ve_doc_at(row, "words", i), ""));
	return x_strdup(t.s ? t.s : unit && *unit ? unit : type ? type : "-");
}

static char *change_cell(const ve_doc *row)
{
	if (!ve_doc_bool(row, "built"))
		return x_strdup("later");
	if (ve_doc_bool(row, "fixed"))
		return x_strdup("fixed");
	return x_strdup(ve_doc_bool(row, "live") ? "live" : "restart");
}

static char *power_cell(const ve_doc *row)
{
	return x_strdup(ve_doc_bool(row, "privileged") ? "host" : "-");
}

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "key" },
		{ "type", .format = type_cell },
		{ "default" },
		{ "change", .format = change_cell },
		{ "privileged", .title = "power", .format = power_cell },
		{ "doc", .title = "what", .wrap = true },
	};
	const struct keys_options *o = call->options;
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int r = ve_keys(call->ctx, call->n_operands ? call->operands[0] : NULL, &doc, &e);
	if (r < 0)
		return report_failure(call, r, e);
	if (ve_doc_length(doc, "") == 0)
		return report_refusal(call, VE_ERR_NOT_FOUND, "vectl keys lists them all", "no key matches '%s'",
				      call->n_operands ? call->operands[0] : "*");
	if (call->common.json)
		return report_json(doc);
	if (o->names)
		table_print_names(doc, "key");
	else
		table_print(doc, columns, ARRAY_SIZE(columns), !o->no_header);
	return 0;
}

const struct command command_keys = {
	.name = "keys",
	.group = GROUP_LOOK,
	.operands = { { "PATTERN", .optional = true } },
	.options = options,
	.options_size = sizeof(struct keys_options),
	.run = run,
	.summary = "list the configuration keys",
	.description =
		"Lists every configuration key, or those that match PATTERN (* and ?; quote it for the shell): "
		"its unit or type, its default, whether a change takes effect on a running VE (live) or needs a "
		"restart, and what it means. Keys marked 'fixed' are given at create and stay; those marked "
		"'later' are refused by this version. Power 'host': the key hands power over the host, and "
		"--unprivileged-keys-only refuses it.",
	.examples = {
		{ "vectl keys 'memory.*'", "The keys about memory, and their units." },
	},
	.exits = "66 no key matches",
	.see = "set(8) get(8) config(5)",
	.since = "0.1",
};
