/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"

static int run(struct call *call)
{
	ve_error *e = NULL;

	int r = ve_image_remove(call->ctx, call->operands[0], &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_removed(call, call->operands[0]);
}

const struct command command_image_remove = {
	.name = "image remove",
	.group = GROUP_IMAGES,
	.flags = COMMAND_CANCEL,
	.operands = { { "IMAGE" } },
	.options = dry_run_options,
	.run = run,
	.summary = "remove an image",
	.description = "Removes the image. One that a VE was made from is refused: the VE lives on its files.",
	.examples = {
		{ "vectl image remove debian-12", "If no VE uses it." },
	},
	.exits = "66 there is no such image\n79 a VE uses it",
	.see = "image-list(8) destroy(8)",
	.since = "0.1",
};
