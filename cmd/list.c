/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "call.h"
#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct list_options {
	struct strings where;
	const char *fields, *sort;
	struct rows_options how;
};

static const struct option options[] = {
	STRINGS("where", "FIELD=GLOB", struct list_options, where,
		"Only VEs whose FIELD matches; FIELD!=GLOB: does not match. May be repeated; all must hold."),
	STRING("fields", "FIELD,...", struct list_options, fields,
	       "The columns: fields that '--fields help' lists, and configuration keys. Only what is asked for is "
	       "looked up."),
	STRING("sort", "FIELD", struct list_options, sort,
	       "Sort by FIELD; -FIELD: backwards. Without it by name, 9 before 101."),
	ROWS_OPTIONS(struct list_options),
	OPTIONS_END,
};

static int print_fields_help(struct call *call)
{
	static const struct column columns[] = {
		{ "field" },
		{ "default", .title = "shown by default" },
		{ "doc", .title = "what", .wrap = true },
	};
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_list_fields(call->ctx, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print(doc, columns, ARRAY_SIZE(columns), true);
	return 0;
}

/* "a,b" in place; the strings point into TEXT. */
static int split_fields(struct call *call, char *text, struct strings *fields)
{
	for (char *field; (field = strsep(&text, ","));) {
		if (!*field)
			return report_refusal(call, VE_ERR_USAGE, "'vectl list --fields help' lists them",
					      "--fields takes names with commas between them");
		strings_add(fields, field);
	}
	return 0;
}

static const ve_doc *find_field(const ve_doc *known, const char *field)
{
	for (size_t i = 0; i < ve_doc_length(known, ""); i++)
		if (str_eq(ve_doc_string(ve_doc_at(known, "", i), "field"), field))
			return ve_doc_at(known, "", i);
	return NULL;
}

/* A column of the known field ROW; of the configuration key NAME where ROW is NULL: KEYS holds its unit. */
static struct column column_of(struct call *call, const ve_doc *row, const char *name, ve_doc **keys)
{
	if (!row && !*keys)
		ve_keys(call->ctx, NULL, keys, NULL);
	return (struct column){
		.field = name ? name : ve_doc_string(row, "field"),
		.unit = row ? ve_doc_string(row, "unit") : call_key_unit(*keys, name),
	};
}

/* The columns asked for, else the default ones, with their units. */
static int print_table(struct call *call, const ve_doc *rows, const struct strings *fields)
{
	const struct list_options *o = call->options;
	_cleanup_doc_ ve_doc *known = NULL, *keys = NULL;
	ve_error *e = NULL;
	size_t n = 0;

	int r = ve_list_fields(call->ctx, &known, &e);
	if (r < 0)
		return report_failure(call, r, e);
	size_t n_known = ve_doc_length(known, "");
	struct column *columns = x_zalloc((fields->n + n_known + 1) * sizeof(*columns));
	for (size_t i = 0; i < fields->n; i++)
		columns[n++] = column_of(call, find_field(known, fields->items[i]), fields->items[i], &keys);
	for (size_t i = 0; !fields->n && i < n_known; i++)
		if (ve_doc_bool(ve_doc_at(known, "", i), "default"))
			columns[n++] = column_of(call, ve_doc_at(known, "", i), NULL, &keys);
	if (n)
		table_print(rows, columns, n, !o->how.no_header);
	free(columns);
	return 0;
}

static int print_rows(struct call *call, const ve_doc *rows, const struct strings *fields)
{
	const struct list_options *o = call->options;
	bool all = !call->n_operands && !o->where.n;

	report_warnings(call);
	if (call->common.json)
		return report_json(rows);
	if (o->how.names)
		table_print_names(rows, "name");
	else if (ve_doc_length(rows, "") == 0 && all && isatty(STDOUT_FILENO) && !call->common.quiet)
		fputs("There are no VEs yet: vectl create NAME makes one.\n", stderr);
	else
		return print_table(call, rows, fields);
	return 0;
}

static int run(struct call *call)
{
	static const char *const name_only[] = { "name", NULL };
	const struct list_options *o = call->options;
	_cleanup_free_ char *text = o->fields ? x_strdup(o->fields) : NULL;
	_cleanup_doc_ ve_doc *rows = NULL;
	struct strings fields = { 0 };
	ve_error *e = NULL;

	if (str_eq(o->fields, "help"))
		return print_fields_help(call);
	if (o->how.names && o->fields)
		return report_refusal(call, VE_ERR_USAGE, NULL,
				      "--names and --fields both say what is printed: give one of them");
	int code = text ? split_fields(call, text, &fields) : 0;
	if (!code) {
		struct ve_list_opts opts = {
			.size = sizeof(opts),
			.patterns = call->operands,
			.where = o->where.items,
			.fields = o->how.names && !call->common.json ? name_only : fields.items,
			.sort = o->sort,
		};
		int r = ve_list(call->ctx, &opts, &rows, &e);
		code = r < 0 ? report_failure(call, r, e) : print_rows(call, rows, &fields);
	}
	free(fields.items);
	return code;
}

const struct command command_list = {
	.name = "list",
	.group = GROUP_LOOK,
	.operands = { { "PATTERN", .optional = true, .many = true } },
	.options = options,
	.options_size = sizeof(struct list_options),
	.run = run,
	.summary = "list the VEs",
	.description =
		"Lists every VE, the stopped ones too, or those whose name or alias matches a PATTERN (* and ?; quote it "
		"for the shell). A FIELD is a column, a filter, a sort key and a key of the JSON document under "
		"one name.",
	.examples = {
		{ "vectl list", "All of them." },
		{ "vectl list 'web*' --where state=running", "Those that run among web1, web2, ..." },
		{ "vectl list --fields name,memory.used,memory.limit --sort -memory.used",
		  "Who uses the most memory." },
		{ "for n in $(vectl list --names --where state=stopped); do vectl start $n; done",
		  "For scripts." },
	},
	.exits = "64 there is no such field",
	.see = "status(8) show(8) json(7)",
	.since = "0.1",
};
