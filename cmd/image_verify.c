/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"

static int run(struct call *call)
{
	ve_error *e = NULL;

	int r = ve_image_verify(call->ctx, call->operands[0], &e);
	return r < 0 ? report_failure(call, r, e) : report_valid(call, call->operands[0], "whole");
}

const struct command command_image_verify = {
	.name = "image verify",
	.group = GROUP_IMAGES,
	.flags = COMMAND_CANCEL,
	.operands = { { "IMAGE" } },
	.run = run,
	.summary = "check that an image is what it was",
	.description =
		"Reads every file of the image again and compares its digest with the one it was built with. If "
		"they differ the error names the first file that is not as it was.",
	.examples = {
		{ "vectl image verify debian-12", "After a disk has failed, say." },
	},
	.exits = "65 it was changed or is damaged\n66 there is no such image",
	.see = "image-show(8)",
	.since = "0.1",
};
