/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "call.h"
#include "commands.h"
#include "fleet.h"
#include "format.h"
#include "report.h"
#include "util.h"

struct set_options {
	bool pending, restart, dry_run;
	struct fleet_options fleet;
};

static const struct option options[] = {
	FLAG("pending", 0, struct set_options, pending, "Write it now, and let it take effect at the next start."),
	FLAG("restart", 0, struct set_options, restart, "Restart the VE if a key needs it."),
	FLAG("dry-run", 0, struct set_options, dry_run, "Print what would change, and change nothing."),
	FLEET_OPTIONS(struct set_options),
	OPTIONS_END,
};

static int mode_of(struct call *call, const struct set_options *o, enum ve_set_mode *ret_mode)
{
	if (o->pending + o->restart + o->dry_run > 1)
		return report_refusal(call, VE_ERR_USAGE, NULL,
				      "--pending, --restart and --dry-run: give one of them");
	*ret_mode = o->pending ? VE_SET_PENDING :
		    o->restart ? VE_SET_RESTART :
		    o->dry_run ? VE_SET_DRY_RUN : VE_SET_NOW;
	return 0;
}

static char *value_of(const ve_doc *row, const char *field)
{
	const char *s = ve_doc_string(row, field);

	return s ? format_safe(s) : x_strdup("default");
}

/* "web1: memory.limit: 512M -> 1G" */
static void print_difference(const struct call *call, ve *v, const ve_doc *changes, enum ve_set_mode mode)
{
	if (call->common.quiet && mode != VE_SET_DRY_RUN)
		return;
	if (ve_doc_length(changes, "") == 0)
		printf("%s: nothing changes\n", ve_name(v));
	for (size_t i = 0; i < ve_doc_length(changes, ""); i++) {
		const ve_doc *row = ve_doc_at(changes, "", i);
		_cleanup_free_ char *old = value_of(row, "old"), *new = value_of(row, "new");
		const char *key = ve_doc_string(row, "key"), *when = "";
		if (!ve_doc_bool(row, "live") && mode == VE_SET_PENDING)
			when = " (at the next start)";
		else if (!ve_doc_bool(row, "live") && mode == VE_SET_DRY_RUN)
			when = " (needs a restart)";
		printf("%s: %s: %s -> %s%s\n", ve_name(v), key ? key : "?", old, new, when);
	}
}

static int set_one(struct call *call)
{
	_cleanup_spec_ ve_spec *spec = NULL;
	_cleanup_doc_ ve_doc *changes = NULL;
	_cleanup_ve_ ve *v = NULL;
	enum ve_set_mode mode = VE_SET_NOW;
	ve_error *e = NULL;

	int code = mode_of(call, call->options, &mode);
	if (!code)
		code = call_make_spec(call, call->operands + 1, &spec);
	if (!code)
		code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_set(v, spec, mode, &changes, &e);
	if (r < 0)
		return report_failure(call, r, e);
	if (call->common.json)
		return mode == VE_SET_DRY_RUN ? report_json(changes) : report_change_plain(call, v, r, "", "");
	report_warnings(call);
	print_difference(call, v, changes, mode);
	return 0;
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
