/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct restart_options {
	struct seconds timeout, wait;
	struct fleet_options fleet;
};

static const struct option options[] = {
	SECONDS("timeout", struct restart_options, timeout,
		"How long init may take to stop before it is killed; without it the VE's stop.timeout."),
	MAYBE_SECONDS("wait", struct restart_options, wait,
		      "Return when it has booted again, as its init tells; at most after SECONDS (120)."),
	FLEET_OPTIONS(struct restart_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int restart_one(struct call *call)
{
	const struct restart_options *o = call->options;
	int timeout_s = o->timeout.given ? (int)o->timeout.value : -1;
	struct ve_stop_opts stop = { .size = sizeof(stop), .timeout_s = timeout_s };
	struct ve_start_opts start = { .size = sizeof(start), .wait = o->wait.given, .wait_s = o->wait.value };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_restart(v, &stop, &start, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change(call, v, r, "restarted", "is running already");
}

static int run(struct call *call)
{
	const struct restart_options *o = call->options;

	return fleet_verb(call, &o->fleet, restart_one);
}

const struct command command_restart = {
	.name = "restart",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct restart_options),
	.run = run,
	.summary = "shut a VE down and start it again",
	.description =
		"Stops the VE as 'vectl stop' does, and starts it. What 'vectl set --pending' wrote takes "
		"effect. A VE that is stopped is started."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl restart web1 --wait", "Restarts web1 and returns when it has booted." },
	},
	.exits = FLEET_EXIT "66 there is no such VE\n75 with --wait: it has not booted in time; it is left running\n79 it is blocked",
	.see = "start(8) stop(8) set(8)",
	.since = "0.1",
};
