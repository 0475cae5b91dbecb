/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

struct rename_options {
	bool keep_alias;
};

static const struct option options[] = {
	FLAG("keep-alias", 0, struct rename_options, keep_alias, "The old name goes on to be good, as one of its aliases."),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct rename_options *o = call->options;
	const struct ve_rename_opts opts = { .size = sizeof(opts), .keep_alias = o->keep_alias };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_rename(v, call->operands[1], &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *to = x_printf("renamed to %s:", call->operands[1]);
	return report_change_plain(call, v, r, call->common.dry_run ? to : "renamed: it is", "is called so already");
}

const struct command command_rename = {
	.name = "rename",
	.group = GROUP_CHANGE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "NEW" } },
	.options = options,
	.options_size = sizeof(struct rename_options),
	.run = run,
	.summary = "give a VE another name",
	.description =
		"Calls the stopped VE NAME from now on NEW. Everything else stays: its uuid, ids, addresses, traffic counters, logs and "
		"history. Its host name inside, where the key hostname is not set, is the new name at the next start.\n\nWith "
		"--keep-alias the old name can be used on, and nobody else can have it; 'vectl set NEW aliases-=NAME' gives it up. A VE "
		"that runs is refused.",
	.examples = {
		{ "vectl stop web1\nvectl rename web1 shop1\nvectl start shop1", "web1 becomes shop1." },
		{ "vectl rename web1 shop1 --keep-alias", "Scripts that say web1 go on to work." },
	},
	.exits = "64 NEW is no name\n66 there is no such VE\n73 another VE is called NEW\n79 it runs, or it is protected",
	.see = "set(8) list(8) history(8)",
	.since = "0.1",
};
