/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "guest.h"
#include "util.h"

struct enter_options {
	const char *user;
};

static const struct option options[] = {
	STRING("user", "USER", struct enter_options, user,
	       "Enter as USER of the VE: a name, or uid[:gid]. Without it as root."),
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct enter_options *o = call->options;
	_cleanup_strings_ struct strings env = { 0 };
	const struct strings none = { 0 };
	bool tty = guest_terminal();
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;
	int status = 0;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	guest_environment(&none, tty, &env);
	struct ve_exec_opts opts = { .size = sizeof(opts), .user = o->user, .env = env.items, .tty = tty };
	int r = ve_exec(v, &opts, &status, &e);
	return guest_end(call, r, status, e);
}

const struct command command_enter = {
	.name = "enter",
	.group = GROUP_INSIDE,
	.flags = COMMAND_GUEST,
	.operands = { { "NAME" } },
	.options = options,
	.options_size = sizeof(struct enter_options),
	.run = run,
	.summary = "open a shell in a VE",
	.description =
		"Opens a login shell of root, or of USER, in the running VE NAME. It needs neither a password "
		"nor the VE's network, and works in a VE whose processes or memory are used up.\n\nWith a "
		"terminal the shell has a terminal of its own inside; else it reads its commands from standard "
		"input.",
	.examples = {
		{ "vectl enter web1", "A shell of root; 'exit' or Ctrl-D leaves it." },
		{ "vectl enter web1 --user www-data", "A shell of another user." },
	},
	.exits =
	"N the shell's own status; 128+N if signal N ended it\n125 vectl itself failed: no such VE, it does not "
	"run\n"
		 "126 the shell could not be run\n127 there is no such shell\n64 the command line makes no sense",
	.see = "exec(8) console(8)",
	.since = "0.1",
};
