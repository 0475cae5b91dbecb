/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

struct destroy_options {
	bool force, if_exists;
};

static const struct option options[] = {
	FLAG("force", 0, struct destroy_options, force, "Kill it first if it runs."),
	FLAG("if-exists", 0, struct destroy_options, if_exists, "That there is no such VE is success."),
	OPTIONS_END,
};

/* With --if-exists, of a VE that is not there: the same document as of one that was there. */
static int report_absent(struct call *call)
{
	_cleanup_text_ struct text t = { 0 };

	if (!call->common.json) {
		report_line(call, "there is no %s", call->operands[0]);
		return 0;
	}
	text_add(&t, "{\"name\":");
	format_json_string(&t, call->operands[0]);
	text_add(&t, ",\"uuid\":null,\"changed\":false,\"state\":null,\"addresses\":[],\"pending\":[],"
		     "\"warnings\":[]}");
	return report_json_text(t.s);
}

static int run(struct call *call)
{
	const struct destroy_options *o = call->options;
	struct ve_destroy_opts opts = { .size = sizeof(opts), .force = o->force };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int r = ve_open(call->ctx, call->operands[0], &v, &e);
	if (r < 0 && o->if_exists && ve_error_category(e) == VE_ERR_NOT_FOUND) {
		ve_error_free(e);
		return report_absent(call);
	}
	if (r >= 0)
		r = ve_destroy(v, &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change_plain(call, v, r, "destroyed", "is gone already");
}

const struct command command_destroy = {
	.name = "destroy",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.options = options,
	.options_size = sizeof(struct destroy_options),
	.run = run,
	.summary = "remove a VE and all that is its",
	.description =
		"Removes the VE NAME: its files, its addresses, its configuration. It cannot be brought back. A "
		"VE that runs is refused unless --force is given. Nothing is asked.\n\nThe image that it was "
		"made from stays.",
	.examples = {
		{ "vectl destroy web1", "Removes web1, which is stopped." },
		{ "vectl destroy web1 --force --if-exists", "For scripts: afterwards there is no web1." },
	},
	.exits = "66 there is no such VE\n79 it runs, or it is protected",
	.see = "stop(8) kill(8) create(8)",
	.since = "0.1",
};
