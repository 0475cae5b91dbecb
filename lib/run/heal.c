/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/heal.h"

#include "base/guard.h"
#include "base/str.h"
#include "run/plan.h"
#include "run/verbs.h"

int heal_network(struct ve *v, bool *ret_mended, ve_error **ret_error)
{
	_cleanup_config_ struct config *running = NULL;
	struct net_plan net = { 0 };
	struct net_if ifs[PLAN_MAX_IFS];
	*ret_mended = false;
	if (handle_running_config(v, &running, NULL) < 0)
		return 0;
	int r = ctx_host(v->ctx, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, running, ifs, &net, ret_error);
	if (r == 0)
		r = net_heal(&net, ret_mended, ret_error);
	plan_network_done(&net);
	return r;
}

static void heal_other(struct ve_ctx *ctx, const char *uuid)
{
	_cleanup_ve_ struct ve *v = NULL;
	_cleanup_err_ ve_error *e = NULL;
	bool mended = false;
	if (handle_open_uuid(ctx, uuid, &v, &e) < 0)
		return;
	enum ve_state s = handle_state(v, NULL);
	if (s == STATE_RUNNING || s == STATE_FROZEN)
		heal_network(v, &mended, &e);
	if (e)
		ctx_warn(ctx, "'%s' has no network: %s", v->name, ve_error_message(e));
	else if (mended)
		event_log(ctx, "recovered", v->name, v->uuid, "its part of the host's firewall was put back");
}

void heal_others(const struct ve *v)
{
	_cleanup_strv_ char **uuids = NULL;
	if (store_uuids(v->ctx->store, &uuids, NULL) < 0)
		return;
	for (char **u = uuids; u && *u; u++)
		if (!str_eq(*u, v->uuid))
			heal_other(v->ctx, *u);
}
