/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "call.h"
#include "cancel.h"
#include "commands.h"
#include "guest.h"
#include "report.h"
#include "util.h"

struct run_options {
	const char *image, *rootfs, *template_name, *user, *cwd, *name;
	struct strings set, env, publish, mounts;
	bool no_network, tty, read_only, detach, keep, init;
};

static const struct option options[] = {
	STRING("image", "IMAGE", struct run_options, image,
	       "The root tree is that of IMAGE; what is changed in it is gone afterwards, without --keep."),
	STRING("rootfs", "DIR", struct run_options, rootfs,
	       "The root tree is the directory DIR of the host, in place of an image."),
	STRING("template", "TEMPLATE", struct run_options, template_name,
	       "The limits are those of TEMPLATE. Without it 'jail'."),
	STRINGS("set", "KEY=VALUE", struct run_options, set,
		"Set a configuration key, after the template. May be repeated."),
	STRING("name", "NAME", struct run_options, name, "Call it NAME. Without it 'run-' and eight digits."),
	FLAG("no-network", 0, struct run_options, no_network, "Nothing but its own loopback."),
	STRINGS("publish", "[PROTOCOL:]PORT[-LAST]:PORT", struct run_options, publish,
		"Lead a port of the host's, or a range of them, to one of the jail's: 8080:80, udp:5000-5009:6000. PROTOCOL is tcp or "
		"udp, without it tcp. May be repeated; the same as network.0.forwards."),
	STRINGS("mount", "SOURCE:TARGET[:ro]", struct run_options, mounts,
		"Show the directory or file SOURCE of the host's at TARGET. May be repeated; the same as mounts, see vectl-storage(7)."),
	STRING("user", "USER", struct run_options, user,
	       "Run as USER of the root tree: a name, or uid[:gid]. Without it as root."),
	STRINGS("env", "NAME=VALUE", struct run_options, env,
		"Set a variable; the environment is clean but for these. May be repeated."),
	STRING("cwd", "DIR", struct run_options, cwd, "Run in DIR of the root tree."),
	FLAG("read-only", 0, struct run_options, read_only,
	     "Nothing in the root tree can be changed. /tmp, /var/tmp, /run and /dev/shm are empty, in memory, and can be written."),
	FLAG("tty", 0, struct run_options, tty,
	     "Give the command a terminal of its own inside, joined to this one."),
	FLAG("init", 0, struct run_options, init,
	     "Have a small init as process 1, which reaps what the command leaves behind; signals that vectl gets are the command's. "
	     "--detach and --keep have it always."),
	FLAG("detach", 'd', struct run_options, detach,
	     "Print the name and return when the command runs. Its output is in 'vectl logs'; 'vectl stop' ends it."),
	FLAG("keep", 0, struct run_options, keep,
	     "Keep the VE when the command has ended: stopped, with its files. 'vectl start' runs the command again."),
	OPTIONS_END,
};

static int check_options(struct call *call, const struct run_options *o)
{
	if (o->image && o->rootfs)
		return report_refusal(call, VE_ERR_USAGE, NULL,
				      "--image and --rootfs both give the root tree: give one of them");
	if (o->rootfs && o->keep)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--keep needs an image: with --rootfs the files are the host's");
	if (o->detach && o->tty)
		return report_refusal(call, VE_ERR_USAGE, NULL,
				      "--detach and --tty: a detached command has a console, see 'vectl console'");
	if (o->no_network && o->publish.n)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--no-network and --publish: give one of them");
	if (o->rootfs && call->common.unprivileged_keys_only)
		return report_unprivileged(call, "--rootfs gives a directory of the host's");
	if (o->template_name && call->common.unprivileged_keys_only)
		return report_unprivileged(call, "--template may have any key");
	return call_check_env(call, &o->env);
}

/* The assignments: --publish and --mount are some of them. */
static int make_spec(struct call *call, const struct run_options *o, ve_spec **ret_spec)
{
	_cleanup_strings_ struct strings items = { 0 };

	for (size_t i = 0; i < o->set.n; i++)
		strings_add(&items, x_strdup(o->set.items[i]));
	for (size_t i = 0; i < o->publish.n; i++) {
		const char *port = o->publish.items[i];
		bool has_protocol = strncmp(port, "tcp:", 4) == 0 || strncmp(port, "udp:", 4) == 0;
		strings_add(&items, x_printf("network.0.forwards+=%s%s", has_protocol ? "" : "tcp:", port));
	}
	for (size_t i = 0; i < o->mounts.n; i++)
		strings_add(&items, x_printf("mounts+=%s", o->mounts.items[i]));
	return items.n ? call_make_spec(call, items.items, ret_spec) : 0;
}

static int detach(struct call *call, const struct ve_run_opts *opts)
{
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;
	int r = ve_run_detached(call->ctx, opts, &v, &e);

	if (r < 0)
		return report_failure(call, r, e);
	if (call->common.json)
		return report_change(call, v, r, "", "");
	report_warnings(call);
	report_line(call, "%s", ve_name(v));
	return 0;
}

static int attend(struct call *call, struct ve_run_opts *opts)
{
	ve_error *e = NULL;
	int status = 0;

	int r = opts->init || opts->keep ? cancel_forward(call->ctx, &opts->signal_fd) : 0;
	if (r < 0)
		return report_refusal(call, VE_ERR_KERNEL, NULL, "cannot make a pipe: %s", strerror(-r));
	r = ve_run(call->ctx, opts, &status, &e);
	return guest_end(call, r, status, e);
}

static int run(struct call *call)
{
	const struct run_options *o = call->options;
	bool shell = !call->n_operands && !o->detach;
	bool tty = o->tty || (shell && guest_terminal()); /* a shell that somebody will type into */
	_cleanup_spec_ ve_spec *spec = NULL;
	_cleanup_strings_ struct strings env = { 0 };

	call->detached = o->detach;
	int code = check_options(call, o);
	if (!code)
		code = make_spec(call, o, &spec);
	if (code)
		return code;
	/* Whose terminal it is today is nothing to keep. */
	guest_environment(&o->env, tty && !o->keep, &env);
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
		.name = o->name,
		.read_only = o->read_only,
		.keep = o->keep,
		.init = o->init,
	};
	return o->detach ? detach(call, &opts) : attend(call, &opts);
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
		"option begins the command; from there on every word is the command's. No shell is involved.\n\n"
		"COMMAND is process 1 in its jail, which the kernel spares signals that would end it, and which has to reap what "
		"others leave. With --init, --detach, --keep, and wherever the key 'command' is set, a small init of vectl's is "
		"process 1 instead: it reaps, hands every signal that it gets on to COMMAND, and ends with its status, 128+N where "
		"signal N ended it; all else that runs inside ends then. With --init and --keep SIGINT, SIGTERM, SIGHUP, SIGQUIT, "
		"SIGUSR1 and SIGUSR2 that vectl gets are COMMAND's. A COMMAND that goes into the background has ended.\n\n"
		"With --detach its output goes to its console, with no one to wait for its end: 'vectl logs' and 'vectl console' show it, "
		"'vectl stop' sends SIGTERM (stop.signal), and 'vectl list' has it until it ends. Then it is gone, and its output too.\n\n"
		"With --keep it is made like any VE, with storage of its own, and stays: stopped, its last status in 'vectl status'. What "
		"was said here is in its keys (command, environment, run.user, run.cwd, run.read_only), so that 'vectl start NAME' runs "
		"the same command again, detached, on the files that are there; 'vectl destroy NAME' removes it. Without --name its name is "
		"told at the end.",
	.examples = {
		{ "vectl run --image busybox", "A shell in a fresh tree, on a terminal." },
		{ "vectl run --image busybox --no-network -- /bin/sh -c 'id; ip link'",
		  "One command, without a network." },
		{ "vectl run --rootfs /srv/app --user 1000 --set memory.limit=128M -- /bin/app",
		  "An application of one's own." },
		{ "vectl run --detach --name www --publish 8080:80 --read-only --image busybox -- httpd -f -h /\nvectl logs www\nvectl stop www",
		  "A web server on port 8080 of the host, what it says, and its end." },
	},
	.exits =
	"N the command's own status; 128+N if signal N ended it\n125 vectl itself failed\n126 the command could "
	"not be run\n"
		 "127 there is no such command\n64 the command line makes no sense\n"
		 "66 with --detach: there is no such image or template\n73 with --detach: a VE of this name exists, or the port is taken\n"
		 "78 with --detach: a key or a value is wrong",
	.see = "exec(8) start(8) stop(8) logs(8) console(8) image-list(8) template-list(8) network(7)",
	.since = "0.1",
};
