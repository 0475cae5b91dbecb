/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "call.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct capacity_options {
	bool no_header;
};

static const struct option options[] = {
	FLAG("no-header", 0, struct capacity_options, no_header, "No line of titles."),
	OPTIONS_END,
};

/* The sum of the limits, and how many have none: "12G+2*". */
static char *sold(const ve_doc *row, const char *resource, const char *unit)
{
	_cleanup_free_ char *sum_path = x_printf("%s.sold", resource), *none_path = x_printf("%s.unlimited", resource);
	_cleanup_free_ char *sum = format_int(ve_doc_int(row, sum_path), unit);
	int64_t none = ve_doc_int(row, none_path);

	return none ? x_printf("%s+%lld*", sum, (long long)none) : x_strdup(sum);
}

static char *cpu_cell(const ve_doc *row) { return sold(row, "cpu", "millicores"); }
static char *memory_cell(const ve_doc *row) { return sold(row, "memory", "bytes"); }
static char *disk_cell(const ve_doc *row) { return sold(row, "disk", "bytes"); }

static void print_pools(const ve_doc *doc, bool header)
{
	static const struct column columns[] = {
		{ "pool" },
		{ "ves" },
		{ "running" },
		{ "cpu", .format = cpu_cell },
		{ "cpu.limit", "at most", "millicores" },
		{ "memory", .format = memory_cell },
		{ "memory.limit", "at most", "bytes" },
		{ "memory.used", "used", "bytes" },
	};

	if (ve_doc_length(doc, "pools") > 0)
		table_print(table_field(doc, "pools"), columns, ARRAY_SIZE(columns), header);
}

static void print_templates(const ve_doc *doc, bool header)
{
	static const struct column columns[] = {
		{ "template" },
		{ "ves" },
		{ "running" },
		{ "cpu", .format = cpu_cell },
		{ "memory", .format = memory_cell },
		{ "memory.used", "used", "bytes" },
		{ "disk", .format = disk_cell },
		{ "disk.used", "used", "bytes" },
	};

	table_print(table_field(doc, "templates"), columns, ARRAY_SIZE(columns), header);
}

/* "memory: 12G of 64G sold (19%), 31G available" */
static void print_resource(const ve_doc *doc, const char *resource, const char *unit, const char *available)
{
	_cleanup_free_ char *there_path = x_printf("host.%s", resource), *ratio_path = x_printf("ratio.%s", resource),
			    *none_path = x_printf("total.%s.unlimited", resource), *sum_path = x_printf("total.%s.sold", resource);
	_cleanup_free_ char *sum = format_int(ve_doc_int(doc, sum_path), unit), *there = format_int(ve_doc_int(doc, there_path), unit);
	int64_t none = ve_doc_int(doc, none_path);

	printf("%s: %s of %s sold (%.0f%%)", resource, sum, there, ve_doc_real(doc, ratio_path) * 100);
	if (none)
		printf(", and %lld without a limit (*)", (long long)none);
	if (available && ve_doc_type(doc, available) == VE_INT) {
		_cleanup_free_ char *left = format_bytes(ve_doc_int(doc, available));
		printf(", %s available now", left);
	}
	putchar('\n');
}

static int run(struct call *call)
{
	const struct capacity_options *o = call->options;
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;
	int code;

	int r = ve_capacity(call->ctx, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	print_templates(doc, !o->no_header);
	print_pools(doc, !o->no_header);
	print_resource(doc, "cpu", "millicores", NULL);
	print_resource(doc, "memory", "bytes", "host.memory_available");
	print_resource(doc, "disk", "bytes", "host.disk_available");
	return 0;
}

const struct command command_capacity = {
	.name = "capacity",
	.group = GROUP_HOST,
	.options = options,
	.options_size = sizeof(struct capacity_options),
	.run = run,
	.summary = "show what was sold against what is there",
	.description =
		"A line for each template that VEs were made from, one for each pool that VEs are in, and what all VEs together were sold against what the host has: CPU (in "
		"cores), memory and disk. What a VE was sold is what its limits let it use: cpu.limit or cpu.cores, memory.limit, disk.size and volumes; "
		"stopped VEs count as well. The VEs of a pool together were sold no more than its limits. VEs without such a limit are counted apart ('+2*': two more that may use all there is).\n\n"
		"More than 100% is oversold; whether that is too much is told by what is used, and by 'vectl limits' and 'vectl events'.",
	.examples = {
		{ "vectl capacity", "How full is this host?" },
		{ "vectl capacity --json | jq .ratio.memory", "For a program that places VEs: 1.5 is half as much again as there is." },
	},
	.exits = NULL,
	.see = "list(8) limits(8) pool-show(8) template-list(8)",
	.since = "0.1",
};
