/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "util.h"

struct register_options {
	const char *name;
	bool new_uuid;
};

static const struct option options[] = {
	STRING("name", "NAME", struct register_options, name, "Call it NAME. Without it, it keeps its name."),
	FLAG("new-uuid", 0, struct register_options, new_uuid,
	     "Give it a uuid of its own, where the VE that it is a copy of stays in use, here or on its host."),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int run(struct call *call)
{
	const struct register_options *o = call->options;
	const struct ve_register_opts opts = { .size = sizeof(opts), .name = o->name, .new_uuid = o->new_uuid };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int r = ve_register(call->ctx, call->operands[0], &opts, &v, &e);
	return r < 0 ? report_failure(call, r, e) : report_change(call, v, r, "registered", "is registered already");
}

const struct command command_register = {
	.name = "register",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { { "DIR" } },
	.options = options,
	.options_size = sizeof(struct register_options),
	.run = run,
	.summary = "make a VE of a directory that was copied from another host",
	.description =
		"Makes a VE of DIR, a copy of the directory /var/lib/vectl/ve/UUID that a stopped VE has on another host. It is that machine, "
		"with its name, uuid, addresses, keys, credentials, users and files, and blocked if it was; the ids that its files have on this "
		"host, and private addresses, are new. It is not started. Its history, traffic counters and lock are not taken over, nor is "
		"anything that its configuration says of the other host.\n\nDIR is copied (sharing its blocks where the file system can), and "
		"is yours to remove. It must be root's, with mode 0700. The image that the VE was made from must be here, with the same digest; its "
		"template need not be. Everything is refused that create would refuse, and what no VE can have made: devices, files that have "
		"a second name outside of DIR, other file systems inside. A file system in an image file is checked by e2fsck before it is "
		"mounted. Keys that give power over the host (hooks, mounts, features, security) are named in a warning: read them before "
		"you start it.\n\nWhatever goes wrong, nothing is left behind, and DIR is as it was.",
	.examples = {
		{ "vectl stop web1\nvectl show web1 --json | jq -r .uuid",
		  "On the other host: it is stopped, and its directory is /var/lib/vectl/ve/UUID." },
		{ "rsync -aHAXS --numeric-ids root@host1:/var/lib/vectl/ve/$UUID/ /var/tmp/web1/\nvectl register /var/tmp/web1\nvectl start "
		  "web1\nrm -rf /var/tmp/web1",
		  "Here: all of it is copied, with owners as numbers, and a VE made of it." },
		{ "rsync -aHAXS --numeric-ids root@host1:/var/lib/vectl/images/debian-12/$DIGEST /var/lib/vectl/images/debian-12/\nvectl image "
		  "verify debian-12@$DIGEST",
		  "Where its image is missing, as register has said: it is copied and checked." },
		{ "vectl register /backup/web1 --name web1-old --new-uuid", "A copy as a second VE, beside the one that it is of." },
	},
	.exits =
	"64 NAME is no name, or DIR no directory\n65 the files are damaged, or no VE has made them\n66 there is no config.json in DIR, or its "
	"image, its pool or a hook is not here\n69 the size cannot be enforced here, or a key is not in this version\n73 its name, uuid or one of its addresses is taken here\n"
	"74 no room on the disk\n77 others than root may enter DIR, or not with --unprivileged-keys-only\n78 a key or a value in config.json is "
	"wrong",
	.see = "clone(8) create(8) image-verify(8) storage(7)",
	.since = "0.1",
};
