/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

struct pull_options {
	const char *owner;
	bool replace;
};

static const struct option options[] = {
	STRING("owner", "UID:GID", struct pull_options, owner,
	       "Whose it is on the host; 'keep': the numbers that it has in the VE, which are somebody else's here. Without it "
	       "the caller's."),
	FLAG("replace", 0, struct pull_options, replace,
	     "A directory takes the place of one of the same name, all at once; what was in that is gone."),
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct pull_options *o = call->options;
	const char *src = call->operands[1], *dst = str_eq(call->operands[2], "-") ? NULL : call->operands[2];
	const struct ve_copy_opts opts = { .size = sizeof(opts), .replace = o->replace, .owner = o->owner, .fd = STDOUT_FILENO };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	if (!dst && call->common.json)
		return report_refusal(call, VE_ERR_USAGE, NULL, "standard output is for the file ('-'), not for --json");
	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_pull(v, src, dst, &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	if (!dst) {
		report_warnings(call);
		return 0;
	}
	_cleanup_free_ char *done = x_printf("copied %s out of", src);
	return report_change_plain(call, v, r, done, "");
}

const struct command command_pull = {
	.name = "pull",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "SRC" }, { "DST" } },
	.options = options,
	.options_size = sizeof(struct pull_options),
	.run = run,
	.summary = "copy a file or a directory out of a VE",
	.description =
		"Copies SRC, a file, a link or a directory with all that is below it, from the VE NAME to the host, whether it runs or "
		"not. Where DST is a directory the copy goes into it; else DST is its new name, in a directory that is there. '-' "
		"writes the bytes of one file to standard output. The rules are those of push(8).\n\n"
		"Nothing that the VE sends is believed: nothing is written, and no link is followed, outside of what is made for the "
		"copy; names are single names; what comes is no longer than was announced before, with an eighth and 64 MiB to spare "
		"for what grows meanwhile; no devices and no set-user-ID or set-group-ID bits are made, and all is the caller's "
		"unless --owner is given. Links, though, are copied as they are: what the tenant's links lead to is for whoever "
		"follows them later to ask. Files of /proc and /sys, which have no size, are empty in a copy.",
	.examples = {
		{ "vectl pull web1 /etc/os-release -", "Shows a file. (With '-' a link is followed, inside the VE.)" },
		{ "vectl pull web1 /var/www/site .", "The directory site, here." },
		{ "vectl pull web1 /home/ann /srv/archive/ann-web1 --owner keep", "With the numbers of its owners, to be put back." },
	},
	.exits = "64 SRC has no name at its end\n65 what the VE sends is no copy, or more than it had announced\n66 there is no such "
		 "VE, file or directory\n69 SRC is a device, a FIFO or a socket\n73 DST is there already\n74 no room on the host\n75 "
		 "nothing has moved for a minute, or another copy to DST is under way\n79 the VE is frozen",
	.see = "push(8) exec(8)",
	.since = "0.1",
};
