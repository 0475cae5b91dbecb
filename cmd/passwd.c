/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "call.h"
#include "commands.h"
#include "report.h"
#include "secret.h"
#include "util.h"

static int run(struct call *call)
{
	const char *user = call->n_operands > 1 ? call->operands[1] : NULL;
	_cleanup_ve_ ve *v = NULL;
	char *password = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	_cleanup_free_ char *who = x_printf("%s in %s", user ? user : "root", ve_name(v));
	code = isatty(STDIN_FILENO) ? secret_ask(call, who, &password) : secret_read_line(call, &password);
	if (code)
		return code;
	int r = ve_passwd(v, user, password, &e);
	secret_free(password);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *done = x_printf("set the password of %s in", user ? user : "root");
	return report_change_plain(call, v, VE_CHANGED, done, "");
}

const struct command command_passwd = {
	.name = "passwd",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER", .optional = true } },
	.options = dry_run_options,
	.run = run,
	.summary = "set a password in a VE",
	.description =
		"Sets the password of USER, or of root, in the VE NAME, whether it runs or not. On a terminal "
		"the password is asked for twice and not shown; else one line of standard input is taken. It is "
		"never an operand: those are seen by everybody.",
	.examples = {
		{ "vectl passwd web1", "Asks for root's new password." },
		{ "pwgen 20 1 | tee web1.secret | vectl passwd web1 admin", "A random one, for the user admin." },
	},
	.exits = "66 there is no such VE, or no such user in it",
	.see = "create(8) enter(8)",
	.since = "0.1",
};
