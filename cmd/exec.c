/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "guest.h"
#include "util.h"

struct exec_options {
	const char *user, *cwd;
	struct strings env;
	bool tty;
};

static const struct option options[] = {
	STRING("user", "USER", struct exec_options, user,
	       "Run as USER of the VE: a name, or uid[:gid]. Without it as root."),
	STRINGS("env", "NAME=VALUE", struct exec_options, env,
		"Set a variable; the environment is clean but for these. May be repeated."),
	STRING("cwd", "DIR", struct exec_options, cwd, "Run in DIR of the VE. Without it in the user's home."),
	FLAG("tty", 0, struct exec_options, tty,
	     "Give the command a terminal of its own inside, joined to this one."),
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct exec_options *o = call->options;
	_cleanup_strings_ struct strings env = { 0 };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;
	int status = 0;

	int code = call_check_env(call, &o->env);
	if (!code)
		code = call_open_ve(call, &v);
	if (code)
		return code;
	guest_environment(&o->env, o->tty, &env);
	struct ve_exec_opts opts = {
		.size = sizeof(opts),
		.argv = call->operands + 1,
		.env = env.items,
		.cwd = o->cwd,
		.user = o->user,
		.tty = o->tty,
	};
	int r = ve_exec(v, &opts, &status, &e);
	return guest_end(call, r, status, e);
}

const struct command command_exec = {
	.name = "exec",
	.group = GROUP_INSIDE,
	.flags = COMMAND_GUEST,
	.operands = { { "NAME" }, { "COMMAND", .many = true } },
	.options = options,
	.options_size = sizeof(struct exec_options),
	.run = run,
	.summary = "run a command in a VE",
	.description =
		"Runs COMMAND in the running VE NAME and ends with its status. Standard input, output and error "
		"are passed through. No shell is involved: what a shell should do is given to one, as the second "
		"example shows.\n\nThe first word behind NAME that is no option begins the command; from there "
		"on every word is the command's.",
	.examples = {
		{ "vectl exec web1 apt-get install -y nginx", "The option -y is apt-get's." },
		{ "vectl exec web1 -- sh -c 'df -h / && uptime'", "Two commands, by a shell." },
		{ "tar c site | vectl exec web1 --cwd /srv tar x", "Standard input goes to the command." },
		{ "vectl exec web1 --tty --user postgres psql", "An interactive program, as another user." },
	},
	.exits =
	"N the command's own status; 128+N if signal N ended it\n125 vectl itself failed: no such VE, it does "
	"not run\n"
		 "126 the command could not be run\n127 there is no such command\n64 the command line makes no "
		 "sense",
	.see = "enter(8) run(8)",
	.since = "0.1",
};
