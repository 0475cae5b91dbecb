/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vectl: the command line of libve. One command line is parsed by the table, its store opened, and its
 * handler called; everything it can do is in <ve.h>.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cancel.h"
#include "helptext.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "util.h"

static int print_help(const struct call *call)
{
	if (call->command)
		help_command(call->command);
	else if (call->operands)
		help_prefix(call->operands[0]);
	else
		help_all();
	return 0;
}

/* Who asks, and why. */
static int name_caller(const struct call *call, ve_error **ret_error)
{
	const char *actor = call->common.actor ? call->common.actor : getenv("VECTL_ACTOR");

	int r = ve_ctx_set_actor(call->ctx, actor && *actor ? actor : NULL, ret_error);
	return r < 0 ? r : ve_ctx_set_reason(call->ctx, call->common.reason, ret_error);
}

static int open_store(struct call *call)
{
	const char *root = call->common.root ? call->common.root : getenv("VECTL_ROOT");
	ve_error *e = NULL;

	/* In a store of one's own choice there may be any configuration. */
	if (call->common.root && call->common.unprivileged_keys_only)
		return report_unprivileged(call, "--root chooses the store");

	int r = ve_ctx_new(root && *root ? root : NULL, &call->ctx, &e);
	if (r < 0)
		return report_failure(call, r, e);
	r = name_caller(call, &e);
	if (r < 0)
		return report_failure(call, r, e);
	ve_ctx_set_unprivileged_keys_only(call->ctx, call->common.unprivileged_keys_only);
	ve_ctx_set_dry_run(call->ctx, call->common.dry_run);
	if (call->common.lock_timeout.given)
		ve_ctx_set_lock_timeout_ms(call->ctx, call->common.lock_timeout.value * 1000);
	if (!call->common.quiet && !call->common.json)
		progress_install(call->ctx);
	if (call->command->flags & COMMAND_CANCEL && cancel_install(call->ctx) < 0)
		return report_refusal(call, VE_ERR_KERNEL, NULL, "cannot make a pipe: %s", strerror(errno));
	return 0;
}

static int run(struct call *call)
{
	if (!(call->command->flags & COMMAND_NO_STORE)) {
		int code = open_store(call);
		if (code)
			return code;
	}
	return call->command->run(call);
}

int main(int argc, char **argv)
{
	struct call call;
	struct usage usage;
	int code;

	if (options_parse(argc, argv, &call, &usage) < 0)
		code = report_usage(&call, &usage);
	else if (call.common.help)
		code = print_help(&call);
	else
		code = run(&call);
	progress_done();
	int flushed = report_flush();
	ve_ctx_free(call.ctx);
	options_done(&call);
	usage_done(&usage);
	return code ? code : flushed;
}
