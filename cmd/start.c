/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "boot.h"
#include "call.h"
#include "commands.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct start_options {
	struct seconds wait;
	bool boot;
	struct fleet_options fleet;
};

static const struct option options[] = {
	MAYBE_SECONDS("wait", struct start_options, wait,
		      "Return when it has booted, as its init tells; at most after SECONDS (120)."),
	FLAG_INSTEAD("boot", struct start_options, boot,
		     "Start every VE that boot.auto says, in the order of boot.order, several at a time. "
		     "vectl.service does this when the host comes up."),
	FLEET_OPTIONS(struct start_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int start_one(struct call *call)
{
	const struct start_options *o = call->options;
	struct ve_start_opts opts = { .size = sizeof(opts), .wait = o->wait.given, .wait_s = o->wait.value };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_start(v, &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change(call, v, r, "started", "is running already");
}

static int run(struct call *call)
{
	const struct start_options *o = call->options;

	if (o->boot && o->wait.given)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--wait does not go with --boot");
	return o->boot ? boot_run(call, ve_start_boot, "started") : fleet_verb(call, &o->fleet, start_one);
}

const struct command command_start = {
	.name = "start",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct start_options),
	.run = run,
	.summary = "start a VE",
	.description =
		"Starts the VE NAME: its limits, addresses and root tree are set up and its init is run. The "
		"command returns when init runs; with --wait when the system inside has booted.\n\nIf init dies "
		"at once, the error shows the last lines of the console. A start that fails leaves nothing "
		"behind. A VE that runs already is success."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl start web1", "Starts web1 and returns at once." },
		{ "vectl start web1 --wait=30",
		  "Returns when web1 has booted; with 75 if that takes more than half a minute." },
	},
	.exits = FLEET_EXIT "66 there is no such VE\n69 the host lacks what this VE needs; 'vectl check' tells\n73 its address is "
	"taken\n"
		 "75 with --wait: it has not booted in time; it is left running\n79 it is blocked\n1 with "
		 "--boot: some did not start",
	.see = "stop(8) restart(8) console(8) check(8)",
	.since = "0.1",
};
