/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "difference.h"

#include <stdio.h>

#include "format.h"
#include "report.h"
#include "util.h"

int difference_mode(struct call *call, const struct difference_options *o, enum ve_set_mode *ret_mode)
{
	if (o->pending + o->restart + call->common.dry_run > 1)
		return report_refusal(call, VE_ERR_USAGE, NULL,
				      "--pending, --restart and --dry-run: give one of them");
	*ret_mode = o->pending ? VE_SET_PENDING :
		    o->restart ? VE_SET_RESTART :
		    call->common.dry_run ? VE_SET_DRY_RUN : VE_SET_NOW;
	return 0;
}

static char *value_of(const ve_doc *row, const char *field)
{
	const char *s = ve_doc_string(row, field);

	return s ? format_safe(s) : x_strdup("default");
}

/* "web1: memory.limit: 512M -> 1G" */
static void print_difference(const struct call *call, ve *v, const ve_doc *changes, enum ve_set_mode mode)
{
	if (call->common.quiet && mode != VE_SET_DRY_RUN)
		return;
	if (ve_doc_length(changes, "") == 0)
		printf("%s: nothing changes\n", ve_name(v));
	for (size_t i = 0; i < ve_doc_length(changes, ""); i++) {
		const ve_doc *row = ve_doc_at(changes, "", i);
		_cleanup_free_ char *old = value_of(row, "old"), *new = value_of(row, "new");
		const char *key = ve_doc_string(row, "key"), *when = "";
		if (!ve_doc_bool(row, "live") && mode == VE_SET_PENDING)
			when = " (at the next start)";
		else if (!ve_doc_bool(row, "live") && mode == VE_SET_DRY_RUN)
			when = " (needs a restart)";
		printf("%s: %s: %s -> %s%s\n", ve_name(v), key ? key : "?", old, new, when);
	}
}

int difference_report(struct call *call, ve *v, int r, const ve_doc *changes, enum ve_set_mode mode)
{
	if (call->common.json)
		return mode == VE_SET_DRY_RUN ? report_json(changes) : report_change_plain(call, v, r, "", "");
	report_warnings(call);
	print_difference(call, v, changes, mode);
	return 0;
}
