/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "call.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct traffic_options {
	const char *month;
	bool no_header;
};

static const struct option options[] = {
	STRING("month", "YYYY-MM", struct traffic_options, month,
	       "Another month than the running one, of the last 400 days."),
	FLAG("no-header", 0, struct traffic_options, no_header, "No line of titles."),
	OPTIONS_END,
};

static char *ipv4_cell(const ve_doc *row)
{
	return format_bytes(ve_doc_int(row, "in.ipv4.bytes") + ve_doc_int(row, "out.ipv4.bytes"));
}
static char *ipv6_cell(const ve_doc *row)
{
	return format_bytes(ve_doc_int(row, "in.ipv6.bytes") + ve_doc_int(row, "out.ipv6.bytes"));
}

static char *packets_cell(const ve_doc *row)
{
	return x_printf("%lld", (long long)(ve_doc_int(row, "in.packets") + ve_doc_int(row, "out.packets")));
}

static void print_quota(const ve_doc *interface)
{
	if (ve_doc_type(interface, "quota") != VE_OBJECT)
		return;
	_cleanup_free_ char *used = format_bytes(ve_doc_int(interface, "quota.used"));
	_cleanup_free_ char *limit = format_bytes(ve_doc_int(interface, "quota.limit"));
	printf("network.%lld: %s of %s are used since %s, until %s", (long long)ve_doc_int(interface, "label"), used, limit,
	       ve_doc_string(interface, "quota.from"), ve_doc_string(interface, "quota.until"));
	if (ve_doc_bool(interface, "quota.spent"))
		printf("; spent: %s", ve_doc_string(interface, "quota.action"));
	putchar('\n');
}

static void print_sum(const char *what, const ve_doc *d, const char *in, const char *out)
{
	_cleanup_free_ char *i = format_bytes(ve_doc_int(d, in)), *o = format_bytes(ve_doc_int(d, out));
	printf("%s: %s in, %s out\n", what, i, o);
}

static void print_one(const ve_doc *doc, bool header)
{
	static const struct column columns[] = {
		{ "date" },
		{ "in.bytes", "in", "bytes" },
		{ "out.bytes", "out", "bytes" },
		{ "ipv4", .format = ipv4_cell },
		{ "ipv6", .format = ipv6_cell },
		{ "packets", .format = packets_cell },
	};
	const ve_doc *v = ve_doc_at(doc, "ves", 0), *days = table_field(v, "days");

	if (ve_doc_length(days, "") > 0)
		table_print(days, columns, ARRAY_SIZE(columns), header);
	print_sum(ve_doc_string(doc, "month"), v, "in.bytes", "out.bytes");
	print_sum("since it was made", v, "total.in.bytes", "total.out.bytes");
	for (size_t i = 0; i < ve_doc_length(v, "interfaces"); i++)
		print_quota(ve_doc_at(v, "interfaces", i));
}

static void print_all(const ve_doc *doc, bool header)
{
	static const struct column columns[] = {
		{ "name" },
		{ "in.bytes", "in", "bytes" },
		{ "out.bytes", "out", "bytes" },
		{ "ipv4", .format = ipv4_cell },
		{ "ipv6", .format = ipv6_cell },
		{ "total.in.bytes", "total in", "bytes" },
		{ "total.out.bytes", "total out", "bytes" },
	};
	table_print(table_field(doc, "ves"), columns, ARRAY_SIZE(columns), header);
}

static int run(struct call *call)
{
	const struct traffic_options *o = call->options;
	const struct ve_traffic_opts opts = { .size = sizeof(opts), .month = o->month };
	_cleanup_doc_ ve_doc *doc = NULL;
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call->n_operands > 0 ? call_open_ve(call, &v) : 0;
	if (code)
		return code;
	int r = ve_traffic(call->ctx, v, &opts, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	if (v)
		print_one(doc, !o->no_header);
	else
		print_all(doc, !o->no_header);
	return 0;
}

const struct command command_traffic = {
	.name = "traffic",
	.group = GROUP_LOOK,
	.operands = { { "NAME", .optional = true } },
	.options = options,
	.options_size = sizeof(struct traffic_options),
	.run = run,
	.summary = "tell what VEs have sent and received",
	.description =
		"Shows the bytes of a month, in (towards the VE) and out (from it), and those since the VE was made: of the VE "
		"NAME day by day, or of all VEs, a line each. Months and days are UTC's; days are kept for 400 days.\n\n"
		"Packets are counted at the host's end of the VE's interface, with their IP header: out what the "
		"host has let pass, in what was on its way to the VE. What goes between two VEs counts for both. The "
		"figures survive the VE's restart and the host's; a crash loses at most the last minute, and nothing is "
		"counted twice.\n\nA quota (network.N.quota) counts both ways together, from the billing day "
		"network.N.quota_day on.",
	.examples = {
		{ "vectl traffic", "This month's traffic of all VEs." },
		{ "vectl traffic web1 --month 2026-01", "January, day by day." },
		{ "vectl traffic --month 2026-01 --json | jq '.ves[] | [.name, .in.bytes, .out.bytes]'", "For a bill." },
	},
	.exits = "64 no such month\n66 there is no such VE",
	.see = "list(8) set(8) config(5) json(7)",
	.since = "0.1",
};
