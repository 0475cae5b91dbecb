/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "call.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

/* The value of KEY as JSON: as the configuration document has it, null if it is not there. */
static void add_json(struct text *t, const ve_doc *config, const char *key)
{
	_cleanup_free_ char *path = x_strdup(key), *json = NULL;
	char *dot = strrchr(path, '.');
	const char *last = dot ? dot + 1 : key, *parent = dot ? path : "";

	if (dot)
		*dot = '\0';
	for (size_t i = 0; !json && i < ve_doc_length(config, parent); i++)
		if (str_eq(ve_doc_key(config, parent, i), last))
			json = ve_doc_json(ve_doc_at(config, parent, i), 0);
	for (size_t i = 0; !json && i < ve_doc_length(config, ""); i++)
		if (str_eq(ve_doc_key(config, "", i), key))
			json = ve_doc_json(ve_doc_at(config, "", i), 0);
	text_add(t, json ? json : "null");
}

static int print_json(struct call *call, ve *v)
{
	_cleanup_doc_ ve_doc *config = NULL;
	_cleanup_text_ struct text t = { 0 };
	ve_error *e = NULL;

	int r = ve_show(v, &config, &e);
	if (r < 0)
		return report_failure(call, r, e);
	for (size_t i = 1; i < call->n_operands; i++) {
		text_add(&t, i > 1 ? "," : "{");
		format_json_string(&t, call->operands[i]);
		text_add(&t, ":");
		add_json(&t, config, call->operands[i]);
	}
	text_add(&t, "}");
	return report_json_text(t.s);
}

static int run(struct call *call)
{
	_cleanup_ve_ ve *v = NULL;
	_cleanup_text_ struct text t = { 0 };
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	for (size_t i = 1; i < call->n_operands; i++) {
		_cleanup_free_ char *value = NULL;
		int r = ve_get(v, call->operands[i], &value, &e);
		if (r < 0)
			return report_failure(call, r, e);
		text_addf(&t, "%s\n", value);
	}
	if (call->common.json)
		return print_json(call, v);
	fputs(t.s, stdout); /* all of them, or none */
	return 0;
}

const struct command command_get = {
	.name = "get",
	.group = GROUP_LOOK,
	.operands = { { "NAME" }, { "KEY", .many = true } },
	.run = run,
	.summary = "print single values of a VE's configuration",
	.description =
		"Prints the value of each KEY, a line each and nothing else, in the spelling that 'vectl set' "
		"takes. A list has commas between its elements.",
	.examples = {
		{ "vectl get web1 memory.limit", "Prints 1G, or unlimited." },
		{ "vectl set web2 memory.limit=$(vectl get web1 memory.limit)", "Makes web2 as large as web1." },
	},
	.exits = "66 there is no such VE, or no such key",
	.see = "set(8) show(8) keys(8)",
	.since = "0.1",
};
