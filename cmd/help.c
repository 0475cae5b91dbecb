/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "commands.h"
#include "helptext.h"
#include "manpage.h"
#include "report.h"
#include "util.h"
#include "words.h"

struct help_options {
	bool man, words;
};

static const struct option options[] = {
	FLAG_HIDDEN("man", struct help_options, man, "mdoc(7) of COMMAND, or a part of a hand-written page."),
	FLAG_HIDDEN("words", struct help_options, words, "Every command, a line each."),
	OPTIONS_END,
};

static int print_words(void)
{
	for (size_t i = 0; command_table[i]; i++)
		puts(command_table[i]->name);
	return 0;
}

static int print_man(struct call *call, const char *what)
{
	const struct command *c = command_find(what);
	ve_error *e = NULL;

	if (c) {
		manpage_command(c);
		return 0;
	}
	if (strncmp(what, "part-", 5) != 0)
		return report_refusal(call, VE_ERR_NOT_FOUND, NULL, "there is no page of '%s'", what);
	int r = ve_ctx_new(NULL, &call->ctx, &e); /* the schema is the library's */
	if (r < 0)
		return report_failure(call, r, e);
	if (!manpage_part(call->ctx, what + 5))
		return report_refusal(call, VE_ERR_NOT_FOUND, NULL, "there is no part '%s' of a page", what + 5);
	return 0;
}

static int run(struct call *call)
{
	const struct help_options *o = call->options;
	_cleanup_free_ char *what = NULL;

	if (o->words)
		return print_words();
	if (!call->n_operands) {
		help_all();
		return 0;
	}
	what = call->n_operands > 1 ? x_printf("%s %s", call->operands[0], call->operands[1])
				    : x_strdup(call->operands[0]);
	if (o->man)
		return print_man(call, what);
	const struct command *c = command_find(what);
	if (c) {
		help_command(c);
	} else if (command_is_prefix(what)) {
		help_prefix(what);
	} else {
		struct usage usage = { 0 };
		words_explain(what, NULL, &usage);
		int code = report_usage(call, &usage);
		usage_done(&usage);
		return code;
	}
	return 0;
}

const struct command command_help = {
	.name = "help",
	.group = GROUP_HELP,
	.flags = COMMAND_NO_STORE,
	.operands = { { "COMMAND", .optional = true }, { "SUBCOMMAND", .optional = true } },
	.options = options,
	.options_size = sizeof(struct help_options),
	.run = run,
	.summary = "explain a command",
	.description =
	"Prints the help of COMMAND, or the list of all commands. 'vectl COMMAND --help' is the same.",
	.examples = {
		{ "vectl help create", "What can create do?" },
		{ "vectl help image build", "The same for a command of two words." },
	},
	.exits = "64 there is no such command",
	.since = "0.1",
};
