/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct formatting {
	const ve_doc *template, *keys;
};

/* The template's keys stand below "keys", with the units of the schema. */
static char *typed_value(const char *key, void *data)
{
	const struct formatting *f = data;
	const char *unit = strncmp(key, "keys.", 5) == 0 ? call_key_unit(f->keys, key + 5) : NULL;

	if (!unit)
		return NULL;
	if (ve_doc_type(f->template, key) == VE_NULL)
		return x_strdup("unlimited");
	return ve_doc_type(f->template, key) == VE_INT ? format_int(ve_doc_int(f->template, key), unit) : NULL;
}

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL, *keys = NULL;
	ve_error *e = NULL;

	int code, r = ve_template_show(call->ctx, call->operands[0], &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	ve_keys(call->ctx, NULL, &keys, NULL);
	struct formatting f = { doc, keys };
	table_print_object(doc, OBJECT_SET_ONLY, typed_value, &f);
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
