/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct pool_list_options {
	bool names, no_header;
};

static const struct option options[] = {
	FLAG("names", 0, struct pool_list_options, names, "Nothing but names, a line each."),
	FLAG("no-header", 0, struct pool_list_options, no_header, "No line of titles."),
	OPTIONS_END,
};

/* The limits nest at their dots; what is not set, or unlimited, is a dash. */
static char *limit_cell(const ve_doc *row, const char *path, const char *unit)
{
	return ve_doc_type(row, path) == VE_INT ? format_int(ve_doc_int(row, path), unit) : x_strdup("-");
}

static char *memory_cell(const ve_doc *row) { return limit_cell(row, "limits.memory.limit", "bytes"); }
static char *cpu_cell(const ve_doc *row) { return limit_cell(row, "limits.cpu.limit", "millicores"); }
static char *pids_cell(const ve_doc *row) { return limit_cell(row, "limits.pids.limit", "count"); }

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "name" },
		{ "memory", .format = memory_cell },
		{ "cpu", .format = cpu_cell },
		{ "pids", .format = pids_cell },
		{ "ves", .wrap = true },
	};
	const struct pool_list_options *o = call->options;
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_pool_list(call->ctx, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	if (o->names)
		table_print_names(doc, "name");
	else
		table_print(doc, columns, ARRAY_SIZE(columns), !o->no_header);
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
