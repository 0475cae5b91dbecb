/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

/* An entry: {name,uuid,mended}; name is null for what belongs to no VE any more. */
static void print_mended(const struct call *call, const ve_doc *row)
{
	const char *name = ve_doc_string(row, "name"), *what = ve_doc_string(row, "mended");
	_cleanup_free_ char *safe = format_safe(what ? what : "mended");

	report_line(call, name ? "%s: %s" : "%s%s", name ? name : "", safe);
}

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call->n_operands ? call_open_ve(call, &v) : 0;
	if (code)
		return code;
	int r = ve_recover(call->ctx, v, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	for (size_t i = 0; i < ve_doc_length(doc, ""); i++)
		print_mended(call, ve_doc_at(doc, "", i));
	if (ve_doc_length(doc, "") == 0)
		report_line(call, "nothing to mend");
	return 0;
}

const struct command command_recover = {
	.name = "recover",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME", .optional = true } },
	.run = run,
	.summary = "mend what a killed command or monitor left",
	.description =
		"Finishes or takes back what was interrupted (kill -9, a power cut), takes away what belongs to "
		"no VE any more, and gives a running VE whose monitor was killed a new one. Without NAME the "
		"whole store is looked at; where it has no VE at all, the control groups that VEs share go as "
		"well.\n\nIt never stops, restarts or reconfigures a running VE, and can be run at any time. "
		"Commands mend what they meet by themselves; this one does so without being about to do something "
		"else.",
	.examples = {
		{ "vectl recover", "Looks at everything, and says what it mended." },
		{ "vectl recover web1", "Gives web1 a new monitor, if 'vectl list' shows it as unsupervised." },
	},
	.exits = "66 there is no such VE\n75 another command works on the VE",
	.see = "list(8) status(8)",
	.since = "0.1",
};
