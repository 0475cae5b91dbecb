/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "cancel.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

struct events_options {
	bool follow;
	const char *since;
	struct strings kinds;
};

static const struct option options[] = {
	FLAG("follow", 'f', struct events_options, follow,
	     "Go on with what happens from now on, until it is interrupted; what has happened is shown with --since only."),
	STRING("since", "TIME", struct events_options, since,
	       "Only from TIME on: 2026-01-31T10:00:00Z, or how long ago it was: 90s, 5m, 2h, 7d."),
	STRINGS("kind", "KIND", struct events_options, kinds, "Only events of this kind. May be repeated."),
	OPTIONS_END,
};

/* Each line goes out at once: somebody may read it from a pipe. */
static int print_json(const ve_doc *event, void *data)
{
	_cleanup_free_ char *line = ve_doc_json(event, 0);
	(void)data;
	return line && puts(line) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}

static int print_line(const ve_doc *event, void *data)
{
	_cleanup_free_ char *when = format_time(ve_doc_string(event, "time"));
	_cleanup_free_ char *detail = ve_doc_string(event, "detail") ? format_safe(ve_doc_string(event, "detail")) : NULL;
	(void)data;
	printf("%s  %s  %s%s%s\n", when, ve_doc_string(event, "name"), ve_doc_string(event, "event"), detail ? ": " : "",
	       detail ? detail : "");
	return fflush(stdout) == 0 ? 0 : 1;
}

static int run(struct call *call)
{
	const struct events_options *o = call->options;
	const struct ve_events_opts opts = { .size = sizeof(opts), .since = o->since, .kinds = o->kinds.items, .follow = o->follow };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call->n_operands > 0 ? call_open_ve(call, &v) : 0;
	if (code)
		return code;
	int r = ve_events(call->ctx, v, &opts, call->common.json ? print_json : print_line, NULL, &e);
	return r < 0 ? report_failure(call, r, e) : 0;
}

const struct command command_events = {
	.name = "events",
	.group = GROUP_LOOK,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME", .optional = true } },
	.options = options,
	.options_size = sizeof(struct events_options),
	.run = run,
	.summary = "tell what has happened to VEs",
	.description =
		"Prints what has happened to the VE NAME, or to all VEs, oldest first, a line each; with --json each line is a JSON "
		"document of its own.\n\nThe kinds are created, started, stopped, killed, crashed, rebooted, frozen, thawed, "
		"blocked, unblocked, renamed (with its old name), recovered, destroyed; quota-spent and quota-lifted (of network.N.quota); oom: the kernel has "
		"killed processes of the VE for lack of memory, with their names and what they held; forks-refused: pids.limit "
		"was reached; disk-full: a disk of its own has no room left, for bytes or for files, with which one (disk, inodes, volume.NAME); host-disk-full: "
		"the host's file system below them has none, and what the VE writes may be refused however much is left to it; hook-failed: a "
		"program of hooks.* did.\n\nWhat a VE is refused over and over is one event with a count, at first a second and later up to a "
		"minute apart; refused forks are noticed within ten seconds on cgroup v1. It is told late while the VE has no monitor (vectl recover), but never lost while the VE runs.\n\n"
		"Disks are looked at once a minute: full is one with less than a hundredth, and less than 16 MiB or 16 files, left (what the host keeps for "
		"its root is not counted). It is told once until there is room for twice that, and once a start; what is full for a shorter time may be missed.\n\nOf "
		"the log 16 MiB are kept.",
	.examples = {
		{ "vectl events web1 --since 1h", "What went on?" },
		{ "vectl events --follow --kind oom --kind crashed --json | while read -r event; do ...; done",
		  "For whatever calls somebody out of bed." },
	},
	.exits = "64 no such time\n66 there is no such VE",
	.see = "limits(8) logs(8) json(7)",
	.since = "0.1",
};
