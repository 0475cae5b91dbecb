/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct pool_list_options {
	struct rows_options how;
};

static const struct option options[] = {
	ROWS_OPTIONS(struct pool_list_options),
	OPTIONS_END,
};

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "name" },
		{ "limits.memory.limit", "memory", "bytes" },
		{ "limits.cpu.limit", "cpu", "millicores" },
		{ "limits.pids.limit", "pids" },
		{ "ves", .wrap = true },
	};
	const struct pool_list_options *o = call->options;
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_pool_list(call->ctx, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print_rows(doc, columns, ARRAY_SIZE(columns), &o->how);
	return 0;
}

const struct command command_pool_list = {
	.name = "pool list",
	.group = GROUP_HOST,
	.options = options,
	.options_size = sizeof(struct pool_list_options),
	.run = run,
	.summary = "list the pools of VEs that share limits",
	.description =
		"Lists the pools: what their VEs use at most together, and which they are. 'vectl pool show' has the other limits. "
		"(The addresses of 'create --ip auto' are the host's ip.pool, and another thing.)",
	.examples = {
		{ "vectl pool list", "Which pools are there?" },
		{ "vectl list --where pool=gold", "Which VEs are in the pool gold?" },
	},
	.see = "pool-show(8) pool-set(8) list(8)",
	.since = "0.1",
};
