/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "format.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct image_list_options {
	struct rows_options how;
};

static const struct option options[] = {
	ROWS_OPTIONS(struct image_list_options),
	OPTIONS_END,
};

/* Twelve digits tell images apart; 'image show' has all of them. */
static char *digest_cell(const ve_doc *row)
{
	const char *digest = ve_doc_string(row, "digest");

	return digest ? x_printf("%.12s", digest) : x_strdup("-");
}

static char *system_cell(const ve_doc *row)
{
	const char *distribution = ve_doc_string(row, "distribution"), *version = ve_doc_string(row, "version");

	if (!distribution)
		return x_strdup("-");
	_cleanup_free_ char *s = x_printf("%s %s", distribution, version ? version : "");
	return format_safe(s);
}

/* Each name once: an older image of a name is called by its digest too. */
static void print_names(const ve_doc *doc)
{
	for (size_t i = 0; i < ve_doc_length(doc, ""); i++) {
		const ve_doc *row = ve_doc_at(doc, "", i);
		if (!ve_doc_bool(row, "current"))
			continue;
		_cleanup_free_ char *name = format_safe(ve_doc_string(row, "name") ? ve_doc_string(row, "name") :
							"");
		puts(name);
	}
}

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "name" },
		{ "system", .format = system_cell },
		{ "architecture" },
		{ "size_bytes", .title = "size" },
		{ "created_at", .title = "created" },
		{ "digest", .format = digest_cell },
		{ "current" },
	};
	const struct image_list_options *o = call->options;
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_image_list(call->ctx, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	if (o->how.names)
		print_names(doc);
	else if (ve_doc_length(doc, "") == 0 && isatty(STDOUT_FILENO) && !call->common.quiet)
		fputs("There are no images yet: vectl image build debian-12 makes one.\n", stderr);
	else
		table_print(doc, columns, ARRAY_SIZE(columns), !o->how.no_header);
	return 0;
}

const struct command command_image_list = {
	.name = "image list",
	.group = GROUP_IMAGES,
	.options = options,
	.options_size = sizeof(struct image_list_options),
	.run = run,
	.summary = "list the images",
	.description =
		"Lists the images that VEs can be made from. What an image holds never changes: building one "
		"again makes a new one, with another digest, under the same name; VEs made from the old one keep "
		"it. 'current' is the one that the name alone means; NAME@DIGEST means another.",
	.examples = {
		{ "vectl image list", "All of them." },
	},
	.see = "image-build(8) image-show(8) create(8)",
	.since = "0.1",
};
