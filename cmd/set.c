/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "difference.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct set_options {
	struct difference_options how;
	struct fleet_options fleet;
};

static const struct option options[] = {
	DIFFERENCE_OPTIONS(struct set_options),
	FLEET_OPTIONS(struct set_options),
	OPTIONS_END,
};

static int set_one(struct call *call)
{
	_cleanup_spec_ ve_spec *spec = NULL;
	_cleanup_doc_ ve_doc *changes = NULL;
	_cleanup_ve_ ve *v = NULL;
	enum ve_set_mode mode = VE_SET_NOW;
	ve_error *e = NULL;

	const struct set_options *o = call->options;

	int code = difference_mode(call, &o->how, &mode);
	if (!code)
		code = call_make_spec(call, call->operands + 1, &spec);
	if (!code)
		code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_set(v, spec, mode, &changes, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return difference_report(call, v, r, changes, mode);
}

/* The words before the first with a '=' are names. */
static size_t count_names(const struct call *call)
{
	size_t n = 0;

	while (n < call->n_operands && !strchr(call->operands[n], '='))
		n++;
	return n;
}

static int run(struct call *call)
{
	const struct set_options *o = call->options;
	_cleanup_fleet_ struct fleet f = { 0 };
	size_t n = count_names(call);
	bool filtered = o->fleet.all || o->fleet.where.n;

	if (n == call->n_operands)
		return report_refusal(call, VE_ERR_USAGE, "vectl set NAME KEY=VALUE", "set: KEY=VALUE is missing");
	if (n == 0 && !filtered)
		return report_refusal(call, VE_ERR_USAGE, "vectl set NAME KEY=VALUE", "set: NAME is missing");
	if (n && filtered)
		return report_refusal(call, VE_ERR_USAGE, NULL, "set --all and --where take no name: '%s'", call->operands[0]);
	int code = fleet_find(call, &o->fleet, n, false, &f);
	return code ? code : fleet_run(call, &o->fleet, &f, n, set_one);
}

const struct command command_set = {
	.name = "set",
	.group = GROUP_CHANGE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND, { "KEY=VALUE", .many = true } },
	.options = options,
	.options_size = sizeof(struct set_options),
	.run = run,
	.summary = "change a VE's configuration",
	.description =
		"Sets each KEY of the VE NAME to VALUE, in its file and in the running VE: all of them or, if "
		"one is refused, none. KEY+=VALUE and KEY-=VALUE add to and take from a list; KEY=default "
		"unsets. 'vectl keys' lists the keys, their units and which of them need a restart.\n\nIf a key "
		"needs a restart and the VE runs, the whole command is refused, unless --pending or --restart is "
		"given."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl set web1 memory.limit=1G cpu.limit=150%", "At once, while it runs." },
		{ "vectl set web1 network.0.ips+=192.0.2.7", "One more address." },
		{ "vectl set web1 features.nesting=on --pending", "At the next start." },
		{ "vectl set web1 memory.limit=default --dry-run", "What would change?" },
	},
	.exits = FLEET_EXIT "66 there is no such VE\n69 the key is not in this version, or the host cannot do it\n73 the address is "
	"taken\n"
		 "78 there is no such key, or the value is wrong\n79 a key needs a restart",
	.see = "get(8) keys(8) config(5)",
	.since = "0.1",
};
