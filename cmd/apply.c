/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "difference.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct apply_options {
	struct difference_options how;
	struct fleet_options fleet;
};

static const struct option options[] = {
	DIFFERENCE_OPTIONS(struct apply_options),
	FLEET_OPTIONS(struct apply_options),
	OPTIONS_END,
};

static int apply_one(struct call *call)
{
	const struct apply_options *o = call->options;
	_cleanup_doc_ ve_doc *changes = NULL;
	_cleanup_ve_ ve *v = NULL;
	enum ve_set_mode mode = VE_SET_NOW;
	ve_error *e = NULL;

	int code = difference_mode(call, &o->how, &mode);
	if (!code)
		code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_apply(v, call->operands[1], mode, &changes, &e);
	return r < 0 ? report_failure(call, r, e) : difference_report(call, v, r, changes, mode);
}

static int run(struct call *call)
{
	const struct apply_options *o = call->options;
	_cleanup_fleet_ struct fleet f = { 0 };
	size_t n_names = o->fleet.all || o->fleet.where.n ? 0 : 1;

	int code = fleet_find(call, &o->fleet, n_names, false, &f);
	return code ? code : fleet_run(call, &o->fleet, &f, n_names, apply_one);
}

const struct command command_apply = {
	.name = "apply",
	.group = GROUP_CHANGE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "TEMPLATE", .optional = true } },
	.options = options,
	.options_size = sizeof(struct apply_options),
	.run = run,
	.summary = "bring a VE to what a template says",
	.description =
		"Sets the keys that TEMPLATE names on the VE NAME, all of them or, if one is refused, none; without TEMPLATE it is the "
		"one that the VE was made from, or brought to last. Keys that the template does not name stay as they are, and so does "
		"whatever says who the VE is, even if the template names it: hostname, aliases, owner, labels, notes, protect, addresses, "
		"MAC, gateways, forwards, image, and where it is stored. 'vectl list --where template=vps-small' finds the VEs of a plan "
		"afterwards.\n\nEvery key that changes is printed, with --dry-run only that. If one needs a restart and the VE runs, the "
		"whole command is refused, unless --pending or --restart is given."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl apply web1 vps-medium --reason 'order 4712'", "Another plan, while it runs." },
		{ "vectl apply --where template=vps-small --dry-run", "Which VEs are not as the plan says (any more)?" },
		{ "vectl apply --where template=vps-small --pending", "All of them, at their next start at the latest." },
	},
	.exits = FLEET_EXIT "66 there is no such VE or template\n78 the template is wrong\n79 a key needs a "
			    "restart, or the VE is protected",
	.see = "set(8) template-show(8) list(8) config(5)",
	.since = "0.1",
};
