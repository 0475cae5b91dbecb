/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "call.h"
#include "cancel.h"
#include "commands.h"
#include "fleet.h"
#include "format.h"
#include "report.h"
#include "util.h"

struct destroy_options {
	bool force, if_exists, yes;
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLAG("force", 0, struct destroy_options, force, "Kill it first if it runs."),
	FLAG("if-exists", 0, struct destroy_options, if_exists, "That there is no such VE is success."),
	FLAG("yes", 0, struct destroy_options, yes, "Of several VEs: destroy them without being asked."),
	FLEET_OPTIONS(struct destroy_options),
	DRY_RUN_OPTION,
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

static int destroy_one(struct call *call)
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

/* On a terminal somebody reads the names; elsewhere nobody is there to be asked. */
static int confirm(struct call *call, const struct fleet *f)
{
	const struct destroy_options *o = call->options;
	char answer[8] = "";

	if (!f->several || f->n == 0 || o->yes || call->common.dry_run)
		return 0;
	if (call->common.json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return report_refusal(call, VE_ERR_USAGE, "vectl list --where shows which they are",
				      "%zu VEs are destroyed with --yes only", f->n);
	fprintf(stderr, "Destroy %zu VEs and all that is theirs:", f->n);
	for (size_t i = 0; i < f->n; i++)
		fprintf(stderr, " %s", f->members[i].name);
	fputs("? [y/N] ", stderr);
	if (cancel_wait_readable(STDIN_FILENO) == 0 && fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return 0;
	fputs("vectl: nothing is destroyed\n", stderr);
	return 1;
}

static int run(struct call *call)
{
	const struct destroy_options *o = call->options;
	_cleanup_fleet_ struct fleet f = { 0 };

	int code = fleet_find(call, &o->fleet, call->n_operands, o->if_exists, &f);
	if (!code)
		code = confirm(call, &f);
	return code ? code : fleet_run(call, &o->fleet, &f, call->n_operands, destroy_one);
}

const struct command command_destroy = {
	.name = "destroy",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct destroy_options),
	.run = run,
	.summary = "remove a VE and all that is its",
	.description =
		"Removes the VE NAME: its files, its addresses, its configuration. It cannot be brought back. A "
		"VE that runs is refused unless --force is given. Of one VE nothing is asked; several are destroyed after a question on a terminal, and elsewhere with --yes only.\n\nThe image that it was "
		"made from stays."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl destroy web1", "Removes web1, which is stopped." },
		{ "vectl destroy web1 --force --if-exists", "For scripts: afterwards there is no web1." },
	},
	.exits = FLEET_EXIT "66 there is no such VE\n79 it runs, or it is protected",
	.see = "stop(8) kill(8) create(8)",
	.since = "0.1",
};
