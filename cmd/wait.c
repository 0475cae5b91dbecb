/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

struct wait_options {
	const char *state;
	struct seconds timeout;
};

static const struct option options[] = {
	STRING("state", "STATE", struct wait_options, state, "running, booted or stopped. Without it stopped."),
	SECONDS("timeout", struct wait_options, timeout,
		"Give up after so long, with 75. Without it: wait for ever."),
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct wait_options *o = call->options;
	const char *state = o->state ? o->state : "stopped";
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	if (!str_eq(state, "running") && !str_eq(state, "booted") && !str_eq(state, "stopped"))
		return report_refusal(call, VE_ERR_USAGE, NULL,
				      "--state takes running, booted or stopped, not '%s'", state);
	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_wait(v, state, o->timeout.given ? (int)o->timeout.value * 1000 : -1, &e);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *is = x_printf("is %s", state);
	return report_change_plain(call, v, VE_UNCHANGED, "", is);
}

const struct command command_wait = {
	.name = "wait",
	.group = GROUP_LOOK,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.options = options,
	.options_size = sizeof(struct wait_options),
	.run = run,
	.summary = "wait until a VE is in a state",
	.description =
		"Returns when the VE NAME is in the state asked for, at once if it is already. 'booted' means "
		"that its init has said so; 'running' that init runs.",
	.examples = {
		{ "vectl wait web1", "Returns when web1 has stopped." },
		{ "vectl wait web1 --state booted --timeout 60",
		  "Returns when it has booted; with 75 after a minute." },
	},
	.exits = "66 there is no such VE\n75 not within the timeout",
	.see = "start(8) status(8)",
	.since = "0.1",
};
