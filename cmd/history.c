/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <time.h>

#include "call.h"
#include "commands.h"
#include "format.h"
#include "options.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

struct history_options {
	const char *since;
	bool no_header;
};

static const struct option options[] = {
	STRING("since", "TIME", struct history_options, since,
	       "Only what was done since then: 90s, 5m, 2h or 7d ago, or 2026-01-31, or 2026-01-31T10:00:00Z (UTC)."),
	FLAG("no-header", 0, struct history_options, no_header, "No line of titles."),
	OPTIONS_END,
};

/* Seconds since 1970, or -1. */
static int64_t since_parse(const char *text)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ" };
	unsigned ago;

	if (seconds_parse(text, &ago) == 0)
		return (int64_t)time(NULL) - ago;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);
		if (end && !*end)
			return (int64_t)timegm(&tm);
	}
	return -1;
}

static void add_value(struct text *t, const ve_doc *row, const char *field)
{
	const char *s = ve_doc_string(row, field);

	text_add(t, s ? s : "default");
}

/* "memory.limit: 512M -> 1G, state: running -> stopped"; of a failure why; the reason. */
static char *what_cell(const ve_doc *row)
{
	const char *message = ve_doc_string(row, "message"), *reason = ve_doc_string(row, "reason");
	_cleanup_text_ struct text t = { 0 };

	text_add(&t, message ? message : "");
	for (size_t i = 0; !message && i < ve_doc_length(row, "changes"); i++) {
		_cleanup_free_ char *path = x_printf("changes.%zu", i), *old = x_printf("%s.old", path),
				    *new = x_printf("%s.new", path), *key = x_printf("%s.key", path);
		text_addf(&t, "%s%s", i ? ", " : "", ve_doc_string(row, key));
		if (!ve_doc_string(row, old) && !ve_doc_string(row, new))
			continue;
		text_add(&t, ": ");
		add_value(&t, row, old);
		text_add(&t, " -> ");
		add_value(&t, row, new);
	}
	if (reason)
		text_addf(&t, "%s(%s)", t.len ? " " : "", reason);
	return format_safe(t.s);
}

static int run(struct call *call)
{
	static const struct column columns[] = {
		{ "time" }, { "actor" }, { "verb" }, { "name" }, { "result" }, { "what", .format = what_cell, .wrap = true },
	};
	const struct history_options *o = call->options;
	struct ve_history_opts opts = { .size = sizeof(opts), .name = call->operands ? call->operands[0] : NULL };
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	if (o->since && (opts.since = since_parse(o->since)) < 0)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--since takes a time like 2h, 7d or 2026-01-31, not '%s'", o->since);
	int code, r = ve_history(call->ctx, &opts, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print(doc, columns, ARRAY_SIZE(columns), !o->no_header);
	return 0;
}

const struct command command_history = {
	.name = "history",
	.group = GROUP_LOOK,
	.operands = { { "NAME", .optional = true } },
	.options = options,
	.options_size = sizeof(struct history_options),
	.run = run,
	.summary = "tell who changed what, and why",
	.description =
		"Shows what was done to the VE NAME, or to all VEs, images and the host's configuration, oldest first: when, by whom "
		"(--actor, VECTL_ACTOR, else the user who logged in), which command, what it changed from what to what, how it ended, "
		"and --reason, where one was given. What was refused or failed is there too; what changed nothing because all was as "
		"wanted is not.\n\nPasswords never appear, nor what environment holds. A VE that is gone is found by its uuid, and by its "
		"name while no other has it. The file is var/log/vectl/audit.jsonl, a JSON document a line; it becomes audit.jsonl.1 when "
		"it has 8 MiB, so that at most twice as much is kept. What a VE does by itself is in events.jsonl.",
	.examples = {
		{ "vectl history web1", "What has been done to web1?" },
		{ "vectl history --since 24h", "And to all of them since yesterday?" },
		{ "vectl set web1 memory.limit=2G --reason 'order 4711' --actor panel", "Say who and why." },
		{ "vectl history --json | jq '.[] | select(.actor == \"panel\" and .result != \"ok\")'", "What did not work for the panel." },
	},
	.exits = "64 --since is no time\n66 there is no such VE, and nothing is known of one",
	.see = "list(8) lock(8) json(7)",
	.since = "0.1",
};
