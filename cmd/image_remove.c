/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_text_ struct text t = { 0 };
	ve_error *e = NULL;

	int r = ve_image_remove(call->ctx, call->operands[0], &e);
	if (r < 0)
		return report_failure(call, r, e);
	report_warnings(call);
	report_line(call, "removed %s", call->operands[0]);
	if (!call->common.json)
		return 0;
	text_add(&t, "{\"name\":");
	format_json_string(&t, call->operands[0]);
	text_add(&t, ",\"changed\":true}");
	return report_json_text(t.s);
}

const struct command command_image_remove = {
	.name = "image remove",
	.group = GROUP_IMAGES,
	.flags = COMMAND_CANCEL,
	.operands = { { "IMAGE" } },
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
