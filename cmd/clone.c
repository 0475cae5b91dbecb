/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

struct clone_options {
	const char *hostname;
	struct strings ips, set;
};

static const struct option options[] = {
	STRINGS("ip", "ADDR", struct clone_options, ips,
		"An address of its own, IPv4 or IPv6, or auto or auto6: of the host's ip.pool. May be repeated. Without one a "
		"VE that had addresses gets a private one behind the host's."),
	STRING("hostname", "HOST", struct clone_options, hostname, "What it calls itself; without it NEW."),
	STRINGS("set", "KEY=VALUE", struct clone_options, set, "Set a configuration key of the clone. May be repeated."),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int make_spec(struct call *call, const struct clone_options *o, ve_spec **ret_spec)
{
	struct strings items = { 0 };
	_cleanup_free_ char *hostname = o->hostname ? x_printf("hostname=%s", o->hostname) : NULL;

	for (size_t i = 0; i < o->set.n; i++)
		strings_add(&items, o->set.items[i]);
	if (hostname)
		strings_add(&items, hostname);
	int code = call_make_spec(call, items.items, ret_spec);
	free(items.items);
	return code;
}

static int run(struct call *call)
{
	const struct clone_options *o = call->options;
	_cleanup_spec_ ve_spec *spec = NULL;
	_cleanup_ve_ ve *v = NULL, *made = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (!code)
		code = make_spec(call, o, &spec);
	if (code)
		return code;
	const struct ve_clone_opts opts = { .size = sizeof(opts), .spec = spec, .ips = o->ips.items };
	int r = ve_clone(v, call->operands[1], &opts, &made, &e);
	return r < 0 ? report_failure(call, r, e) : report_change(call, made, r, "cloned: made", "is there already");
}

const struct command command_clone = {
	.name = "clone",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "NEW" } },
	.options = options,
	.options_size = sizeof(struct clone_options),
	.run = run,
	.summary = "make a VE from another one",
	.description =
		"Makes a VE called NEW with the configuration and the files of the stopped VE NAME, which stays as it is. With the back end "
		"btrfs that is a snapshot and takes no time; on other file systems the files share their blocks where that is "
		"possible (reflinks), and are copied where it is not. The limits of NAME's disk are NEW's as well.\n\nNEW is a machine of "
		"its own: its uuid, ids and MAC are new, and its ssh host keys, machine id and random seed are removed and made by its "
		"own system at the first start; to cloud-init it is a new instance, without user-data. Credentials, addresses, forwards, aliases, hostname and protect are not copied; owner, labels, notes, "
		"users, passwords and authorized keys are. It begins without history and traffic. Whatever goes wrong, nothing is left "
		"behind.",
	.examples = {
		{ "vectl stop web1\nvectl clone web1 web2\nvectl start web2", "A second web1, with a private address." },
		{ "vectl clone golden shop7 --ip 192.0.2.17 --set owner=C17", "From a VE that is kept as a pattern." },
	},
	.exits = "64 NEW is no name, or the key is fixed\n66 there is no such VE\n69 the size cannot be enforced here\n73 a VE of this name "
		 "exists, or the address is taken\n74 no room on the disk\n77 not with --unprivileged-keys-only\n78 a key or a value is wrong\n"
		 "79 NAME runs",
	.see = "create(8) rename(8) storage(7)",
	.since = "0.1",
};
