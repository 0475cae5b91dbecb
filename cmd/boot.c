/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "boot.h"

#include <stdio.h>

#include "format.h"
#include "report.h"
#include "util.h"

/* One entry: {name,uuid,changed,state,error}; error is null or as in vectl-json(7). */
static void print_result(const struct call *call, const ve_doc *row, const char *done)
{
	const char *name = ve_doc_string(row, "name"), *why = ve_doc_string(row, "error.message");

	if (why) {
		_cleanup_free_ char *safe = format_safe(why);
		fprintf(stderr, "vectl: %s\n", safe);
	} else if (ve_doc_bool(row, "changed")) {
		report_line(call, "%s %s", done, name ? name : "?");
	}
}

int boot_run(struct call *call, boot_fn fn, const char *done)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int r = fn(call->ctx, &doc, &e);
	if (r < 0)
		return report_failure(call, r, e);
	report_warnings(call);
	if (call->common.json)
		report_json(doc);
	for (size_t i = 0; !call->common.json && i < ve_doc_length(doc, ""); i++)
		print_result(call, ve_doc_at(doc, "", i), done);
	return r > 0 ? 1 : 0;
}
