/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/heal.h"

#include "base/guard.h"
#include "base/str.h"
#include "run/account.h"
#include "run/plan.h"
#include "run/verbs.h"

/* The network of a VE as it runs: the plan borrows from the configuration. */
struct running {
	struct config *config;
	struct net_plan net;
	struct net_if ifs[PLAN_MAX_IFS];
};

static void running_done(struct running *run)
{
	plan_network_done(&run->net);
	config_free(run->config);
}
#define _cleanup_running_ __attribute__((cleanup(running_done)))

/* 1, or 0 where it does not run. RUN is all zeros. */
static int running_network(struct ve *v, struct running *run, ve_error **ret_error)
{
	if (handle_running_config(v, &run->config, NULL) < 0)
		return 0;
	int r = ctx_host(v->ctx, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, run->config, run->ifs, &run->net, ret_error);
	return r < 0 ? r : 1;
}

int heal_rules(struct ve_ctx *ctx, ve_error **ret_error)
{
	bool mended = false;
	_cleanup_err_ ve_error *e = NULL;
	int r = ctx_host(ctx, ret_error);
	if (r < 0)
		return r;
	/* A host without nftables has no VE that could lack its rules, and everything else to be recovered. */
	const struct net_plan host = {
		.data_dir = store_data_dir(),
		.uplink = ctx->host->uplink,
		.nat_range = ctx->host->nat_range,
		.fastpath = ctx->host->fastpath,
	};
	r = net_heal_rules(&host, &mended, &e);
	if (r < 0 && ve_error_category(e) != VE_ERR_UNSUPPORTED)
		ctx_warn(ctx, "the firewall's rules could not be mended: %s", ve_error_message(e));
	else if (mended)
		ctx_warn(ctx, "the firewall's rules were not those of the installed files: they were loaded anew");
	return 0;
}

int heal_look(struct ve *v, struct net_missing *ret, ve_error **ret_error)
{
	_cleanup_running_ struct running run = { 0 };
	*ret = (struct net_missing){ 0 };
	int r = running_network(v, &run, ret_error);
	return r == 1 ? net_look(&run.net, ret, ret_error) : r;
}

int heal_network(struct ve *v, bool *ret_mended, ve_error **ret_error)
{
	_cleanup_running_ struct running run = { 0 };
	*ret_mended = false;
	int r = running_network(v, &run, ret_error);
	if (r == 1 && !run.net.fastpath)
		account_book(v); /* its counters go with the fast path */
	return r == 1 ? net_heal(&run.net, ret_mended, ret_error) : r;
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
		event_log(ctx, "recovered", v->name, v->uuid, "its part of the host's network was put back");
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
