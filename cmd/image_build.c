/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_image_build(call->ctx, call->operands[0], &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	const char *name = ve_doc_string(doc, "name"), *digest = ve_doc_string(doc, "digest");
	report_line(call, "built %s (%.12s)", name ? name : call->operands[0], digest ? digest : "");
	return 0;
}

const struct command command_image_build = {
	.name = "image build",
	.group = GROUP_IMAGES,
	.flags = COMMAND_CANCEL,
	.operands = { { "RECIPE" } },
	.run = run,
	.summary = "build an image from a recipe",
	.description =
		"Builds the image that RECIPE describes: debian-11, debian-12, debian-13 or busybox. The Debian images are "
		"fetched from a mirror by mmdebstrap and carry systemd and an ssh server; busybox is made from "
		"this host's busybox and needs no network.\n\nAn image has no host keys, machine id, random seed "
		"or password: each VE makes its own.",
	.examples = {
		{ "vectl image build debian-12",
		  "Takes some minutes, and some hundred megabytes from the mirror." },
		{ "vectl image build busybox", "At once; for jails." },
	},
	.exits =
	"66 there is no such recipe\n69 a program that the recipe needs is missing\n71 the build failed\n74 no "
	"room on the disk",
	.see = "image-list(8) create(8) run(8)",
	.since = "0.1",
};
