/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

struct push_options {
	const char *owner, *mode;
	bool replace;
};

static const struct option options[] = {
	STRING("owner", "UID:GID", struct push_options, owner,
	       "Whose it is in the VE, in the VE's numbers; 'keep': the numbers that it has here. Without it root's."),
	STRING("mode", "BITS", struct push_options, mode,
	       "With SRC '-': the file's permission bits, octal. Without it 0644."),
	FLAG("replace", 0, struct push_options, replace,
	     "A directory takes the place of one of the same name, all at once; what was in that is gone."),
	OPTIONS_END,
};

/* "0600"; 0 where there is none. */
static int parse_mode(struct call *call, const char *text, bool from_stdin, unsigned *ret_mode)
{
	char *end;

	if (!text)
		return 0;
	unsigned long mode = strtoul(text, &end, 8);
	if (!from_stdin)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--mode goes with '-' only: else the file's own bits are kept");
	if (text[0] < '0' || text[0] > '7' || *end || mode == 0 || mode > 0777)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--mode takes an octal number up to 0777, not '%s'", text);
	*ret_mode = (unsigned)mode;
	return 0;
}

static int run(struct call *call)
{
	const struct push_options *o = call->options;
	bool from_stdin = str_eq(call->operands[1], "-");
	const char *src = from_stdin ? NULL : call->operands[1];
	struct ve_copy_opts opts = { .size = sizeof(opts), .replace = o->replace, .owner = o->owner, .fd = STDIN_FILENO };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = parse_mode(call, o->mode, from_stdin, &opts.mode);
	if (!code)
		code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_push(v, src, call->operands[2], &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *done = x_printf("copied %s into", src ? src : "standard input");
	return report_change_plain(call, v, r, done, "");
}

const struct command command_push = {
	.name = "push",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "SRC" }, { "DST" } },
	.options = options,
	.options_size = sizeof(struct push_options),
	.run = run,
	.summary = "copy a file or a directory into a VE",
	.description =
		"Copies SRC, a file, a link or a directory with all that is below it, from the host into the VE NAME, whether it "
		"runs or not. '-' takes a file from standard input. Where DST is a directory in the VE the copy goes into it; else "
		"DST is its new name, in a directory that is there. A DST that ends in '/' must be a directory. A path that does not "
		"begin with '/' is below the VE's '/'.\n\n"
		"The copy is made under another name beside its place (.NAME.vectl-new) and renamed when it is whole: nobody sees "
		"half of it, and when it fails or is broken off nothing is left. A file takes the place of a file or a link of its "
		"name. A directory that is there already is not mixed with the new one: it is an error, unless --replace is given. "
		"A loss of power may leave a directory without all that was in its files, and a copy whose end in the VE was killed "
		"the unfinished one: it is taken away by the next copy to the same place.\n\n"
		"Permission bits, times and holes are kept; links stay links, and are not followed but where SRC ends in '/'. Not "
		"copied are set-user-ID and set-group-ID bits, extended attributes (ACLs, capabilities), and that two names are one "
		"file. Devices, FIFOs, sockets and what is mounted below SRC are left out, with a warning.\n\n"
		"Inside, all is done by a process that is in the VE's namespaces and has nothing of the host's but a socket: where "
		"links lead, or are made to lead meanwhile, is the VE's own affair. While a stopped VE is copied into it is locked.",
	.examples = {
		{ "vectl push web1 site /var/www", "The directory site becomes /var/www/site in the VE." },
		{ "vectl push web1 site /var/www --replace --owner 33:33", "A new one in its place, all at once, www-data's." },
		{ "vectl push web1 - /etc/nginx/cert.key --mode 0600 <cert.key", "From standard input, for root alone." },
	},
	.exits = "64 SRC or DST has no name at its end\n66 there is no such VE, file or directory\n69 SRC is a device, a FIFO or a "
		 "socket\n73 DST is there already\n74 no room in the VE\n75 nothing has moved for a minute, or another copy to DST is "
		 "under way\n79 the VE is frozen",
	.see = "pull(8) exec(8)",
	.since = "0.1",
};
