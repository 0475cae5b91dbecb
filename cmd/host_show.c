/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"
#include "report.h"
#include "table_print.h"
#include "util.h"

static int run(struct call *call)
{
	_cleanup_doc_ ve_doc *doc = NULL;
	ve_error *e = NULL;

	int code, r = ve_host_show(call->ctx, &doc, &e);
	if (report_look(call, r, e, doc, &code))
		return code;
	table_print_object(doc, 0, NULL, NULL);
	return 0;
}

const struct command command_host_show = {
	.name = "host show",
	.group = GROUP_HOST,
	.run = run,
	.summary = "show the host's configuration",
	.description =
		"Shows what holds for all VEs of this host: the default template, image and storage, the uplink, "
		"the private range, the name servers, the ids that VEs are given. What is not set has its "
		"default.",
	.examples = {
		{ "vectl host show", "All of it." },
	},
	.exits = "78 /etc/vectl/host.json is wrong",
	.see = "host-set(8) config(5)",
	.since = "0.1",
};
