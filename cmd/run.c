/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "guest.h"
#include "report.h"
#include "util.h"

struct run_options {
	const char *image, *rootfs, *template_name, *user, *cwd;
	struct strings set, env;
	bool no_network, tty;
};

static const struct option options[] = {
	STRING("image", "IMAGE", struct run_options, image,
	       "The root tree is that of IMAGE; what is changed in it is gone afterwards."),
	STRING("rootfs", "DIR", struct run_options, rootfs,
	       "The root tree is the directory DIR of the host, in place of an image."),
	STRING("template", "TEMPLATE", struct run_options, template_name,
	       "The limits are those of TEMPLATE. Without it 'jail'."),
	STRINGS("set", "KEY=VALUE", struct run_options, set,
		"Set a configuration key, after the template. May be repeated."),
	FLAG("no-network", 0, struct run_options, no_network, "Nothing but its own loopback."),
	STRING("user", "USER", struct run_options, user,
	       "Run as USER of the root tree: a name, or uid[:gid]. Without it as root."),
	STRINGS("env", "NAME=VALUE", struct run_options, env,
		"Set a variable; the environment is clean but for these. May be repeated."),
	STRING("cwd", "DIR", struct run_options, cwd, "Run in DIR of the root tree."),
	FLAG("tty", 0, struct run_options, tty,
	     "Give the command a terminal of its own inside, joined to this one."),
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct run_options *o = call->options;
	bool tty = o->tty || (!call->n_operands && guest_terminal()); /* a shell that somebody will type into */
	_cleanup_spec_ ve_spec *spec = NULL;
	_cleanup_strings_ struct strings env = { 0 };
	ve_error *e = NULL;
	int status = 0;

	if (o->image && o->rootfs)
		return report_refusal(call, VE_ERR_USAGE, NULL,
				      "--image and --rootfs both give the root tree: give one of them");
	if (o->rootfs && call->common.unprivileged_keys_only)
		return report_unprivileged(call, "--rootfs gives a directory of the host's");
	if (o->template_name && call->common.unprivileged_keys_only)
		return report_unprivileged(call, "--template may have any key");
	int code = call_check_env(call, &o->env);
	if (!code && o->set.n)
		code = call_make_spec(call, o->set.items, &spec);
	if (code)
		return code;
	guest_environment(&o->env, tty, &env);
	struct ve_run_opts opts = {
		.size = sizeof(opts),
		.image = o->image,
		.rootfs = o->rootfs,
		.template_name = o->template_name,
		.spec = spec,
		.argv = call->operands,
		.env = env.items,
		.cwd = o->cwd,
		.user = o->user,
		.no_network = o->no_network,
		.tty = tty,
	};
	int r = ve_run(call->ctx, &opts, &status, &e);
	return guest_end(call, r, status, e);
}

const struct command command_run = {
	.name = "run",
	.group = GROUP_JAILS,
	.flags = COMMAND_GUEST,
	.operands = { { "COMMAND", .optional = true, .many = true } },
	.options = options,
	.options_size = sizeof(struct run_options),
	.run = run,
	.summary = "run one command in a VE made for it",
	.description =
		"Makes a jail, runs COMMAND in it (a shell, if none is given), ends with its status, and removes "
		"the jail. All that separates a VE from the host separates a jail from it; it has fewer "
		"capabilities and a list of the system calls that it may make.\n\nThe first word that is no "
		"option begins the command; from there on every word is the command's. No shell is involved.",
	.examples = {
		{ "vectl run --image busybox", "A shell in a fresh tree, on a terminal." },
		{ "vectl run --image busybox --no-network -- /bin/sh -c 'id; ip link'",
		  "One command, without a network." },
		{ "vectl run --rootfs /srv/app --user 1000 --set memory.limit=128M -- /bin/app",
		  "An application of one's own." },
	},
	.exits =
	"N the command's own status; 128+N if signal N ended it\n125 vectl itself failed\n126 the command could "
	"not be run\n"
		 "127 there is no such command\n64 the command line makes no sense",
	.see = "exec(8) image-list(8) template-list(8)",
	.since = "0.1",
};
