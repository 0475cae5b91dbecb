/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

static void print_ves(const ve_doc *pool)
{
	size_t n = ve_doc_length(pool, "ves");

	printf("%zu VE%s%s", n, n == 1 ? "" : "s", n ? ":" : "");
	for (size_t i = 0; i < n; i++)
		printf(" %s", ve_doc_string(ve_doc_at(pool, "ves", i), ""));
	putchar('\n');
}

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "resource" },
		{ "used", .unit_field = "unit" },
		{ "peak", .unit_field = "unit" },
		{ "limit", .unit_field = "limit_unit" },
		{ "refused" },
	};
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_pool_show(call->ctx, call->operands[0], &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	print_ves(doc);
	table_print(table_field(doc, "resources"), columns, ARRAY_SIZE(columns), true);
	return 0;
}

const struct command command_pool_show = {
	.name = "pool show",
	.group = GROUP_HOST,
	.operands = { { "POOL" } },
	.run = run,
	.summary = "tell what the VEs of a pool use together",
	.description =
		"Shows which VEs are in the pool, and a line a resource: what they use together, the most that they used, the pool's "
		"limit, and how often one of them was refused more, as in 'vectl limits'. All of it counts from when the first of them "
		"was started since the host came up.\n\nWhere the kernel does not tell the two apart, refusals by a VE's own "
		"limit are among them: for memory, and for pids on cgroup v1 and before Linux 6.11. On cgroup v1 those of VEs that do not run now are not.",
	.examples = {
		{ "vectl pool show gold", "How full is it?" },
		{ "vectl pool show gold --json | jq '.resources[] | select(.resource == \"memory\") | .used'",
		  "How much memory do its VEs have together?" },
	},
	.exits = "66 there is no such pool\n78 its file is wrong",
	.see = "pool-list(8) pool-set(8) limits(8)",
	.since = "0.1",
};
