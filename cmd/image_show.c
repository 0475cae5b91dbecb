/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_image_show(call->ctx, call->operands[0], &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print_object(doc, OBJECT_SET_ONLY, NULL, NULL);
	return 0;
}

const struct command command_image_show = {
	.name = "image show",
	.group = GROUP_IMAGES,
	.operands = { { "IMAGE" } },
	.run = run,
	.summary = "show an image",
	.description = "Shows what is known of the image: the system in it, its init, its digest, its size.",
	.examples = {
		{ "vectl image show debian-12", "What is in it?" },
	},
	.exits = "66 there is no such image",
	.see = "image-list(8) image-verify(8)",
	.since = "0.1",
};
