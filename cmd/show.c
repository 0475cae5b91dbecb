/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct shown {
	ve *ve;
	const ve_doc *doc;
};

static bool is_pending(const ve_doc *doc, const char *key)
{
	for (size_t i = 0; i < ve_doc_length(doc, "pending"); i++)
		if (str_eq(ve_doc_string(ve_doc_at(doc, "pending", i), ""), key))
			return true;
	return false;
}

/* As it is typed, "512M"; NULL for what is no key. */
static char *typed_value(const char *key, void *data)
{
	const struct shown *shown = data;
	_cleanup_free_ char *value = NULL;

	if (ve_get(shown->ve, key, &value, NULL) < 0)
		return NULL;
	_cleanup_free_ char *safe = format_safe(*value ? value : "-");
	return x_printf("%s%s", safe, is_pending(shown->doc, key) ? "  (at the next start)" : "");
}

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_show(v, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	struct shown shown = { v, doc };
	table_print_object(doc, OBJECT_SORTED, typed_value, &shown);
	return 0;
}

const struct command command_show = {
	.name = "show",
	.group = GROUP_LOOK,
	.operands = { { "NAME" } },
	.run = run,
	.summary = "show a VE's configuration",
	.description =
		"Shows every key of the VE's configuration with its value, those that have their default too. "
		"The spelling is the one that 'vectl set' takes. 'vectl keys' says what each key means; 'vectl "
		"get' prints the value of one.",
	.examples = {
		{ "vectl show web1", "The whole configuration." },
		{ "vectl show web1 --json > web1.json",
		  "For a program: sizes in bytes, rates in bits/s, null for unlimited." },
	},
	.exits = "66 there is no such VE",
	.see = "get(8) set(8) keys(8) config(5)",
	.since = "0.1",
};
