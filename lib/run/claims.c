/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/net.h"
#include "ns/idrange.h"
#include "run/addrclaims.h"
#include "run/autoip.h"
#include "run/plan.h"

void claims_release_all(struct ve_ctx *ctx, const char *uuid)
{
	for (int kind = 0; kind < CLAIM_KIND_COUNT; kind++) {
		_cleanup_strv_ char **keys = NULL;
		if (store_claim_keys(ctx->store, (enum claim_kind)kind, &keys, NULL) < 0)
			continue;
		for (char **k = keys; k && *k; k++)
			store_unclaim(ctx->store, (enum claim_kind)kind, *k, uuid);
	}
}

static int claim_ids(struct ve *v, ve_error **ret_error)
{
	struct idrange range;
	if (config_identity_int(v->config, "id_base"))
		return 0;
	int r = idrange_claim(v->ctx->store, v->ctx->host, v->uuid, &range, ret_error);
	if (r < 0)
		return r;
	if (config_set_identity(v->config, "id_base", json_integer(range.base)) < 0 ||
	    config_set_identity(v->config, "link_id", json_integer(range.link_id)) < 0)
		return err_nomem(ret_error);
	return 0;
}

/* Private addresses: the range's address with the number of the VE's id range, or the next one that is free. */
static int claim_nat(struct ve *v, unsigned label, ve_error **ret_error)
{
	_cleanup_free_ char *field = str_printf("nat_address_%u", label);
	if (!field)
		return err_nomem(ret_error);
	if (config_identity_string(v->config, field))
		return 0;
	uint32_t first = (uint32_t)(config_identity_int(v->config, "link_id") - IDRANGE_LOWEST / IDRANGE_SIZE);
	uint32_t wrapped = 0;
	for (uint32_t i = 0;; i++) {
		struct net_addr a;
		_cleanup_err_ ve_error *e = NULL;
		int r = net_nat_address(v->ctx->host->nat_range, first + label * 7919 + i - wrapped, &a, &e);
		if (r == -ENOSPC && !wrapped) {
			wrapped = first + label * 7919 + i; /* past the end: from its beginning */
			continue;
		}
		_cleanup_free_ char *text = r == 0 ? net_addr_format(&a, false) : NULL;
		if (r == 0)
			r = text ? store_claim(v->ctx->store, CLAIM_ADDRESS, text, v->uuid, &e) : -ENOMEM;
		if (r == -EEXIST)
			continue;
		if (r == 0)
			r = config_set_identity(v->config, field, json_string(text));
		if (r < 0)
			err_propagate(ret_error, &e);
		return r;
	}
}

/* Calls FN for each of the host's ports that lead to it: "tcp:8080". */
static int each_port(struct ve *v, const struct config *c, int (*fn)(struct ve *, const char *, void *), void *data,
		     ve_error **ret_error)
{
	struct net_plan net = { 0 };
	struct net_if ifs[PLAN_MAX_IFS];
	char key[16];
	int r = plan_network(v->ctx, c, ifs, &net, ret_error);
	for (unsigned i = 0; r == 0 && i < net.n_ifs; i++)
		for (unsigned k = 0; r == 0 && k < ifs[i].n_forwards; k++)
			for (unsigned p = 0; r == 0 && p < ifs[i].forwards[k].n; p++) {
				snprintf(key, sizeof(key), "%s:%u", portforward_protocol(&ifs[i].forwards[k]),
					 ifs[i].forwards[k].first + p);
				r = fn(v, key, data);
			}
	plan_network_done(&net);
	return r;
}

static int claim_port(struct ve *v, const char *port, void *ret_error)
{
	return store_claim(v->ctx->store, CLAIM_PORT, port, v->uuid, ret_error);
}

int claims_take_addresses(struct ve *v, const struct config *c, ve_error **ret_error)
{
	int r = addrclaims_take(v, c, ret_error);
	return r == 0 ? each_port(v, c, claim_port, ret_error, ret_error) : r;
}

/* Is NAME what C is called, or one of its aliases? */
static bool is_called(const struct config *c, const char *name)
{
	size_t i;
	json_t *alias;
	if (str_eq(config_name(c), name))
		return true;
	json_array_foreach(config_list(c, "aliases"), i, alias)
		if (str_eq(json_string_value(alias), name))
			return true;
	return false;
}

int claims_take_aliases(struct ve *v, const struct config *c, ve_error **ret_error)
{
	size_t i;
	json_t *alias;
	int r = 0;
	json_array_foreach(config_list(c, "aliases"), i, alias)
		if (r == 0)
			r = store_claim(v->ctx->store, CLAIM_NAME, json_string_value(alias), v->uuid, ret_error);
	return r;
}

void claims_drop_aliases(struct ve *v, const json_t *aliases, const struct config *keep)
{
	size_t i;
	json_t *alias;
	json_array_foreach((json_t *)aliases, i, alias)
		if (!is_called(keep, json_string_value(alias)))
			store_unclaim(v->ctx->store, CLAIM_NAME, json_string_value(alias), v->uuid);
}

/* Whoever changes its names has the VE's lock, and has claimed before he writes: asked again with the lock in our hands. */
static void drop_if_not_called(struct ve *v, const char *name)
{
	if (!v->config || is_called(v->config, name) || handle_lock(v, "recover", NULL) < 0)
		return;
	if (v->config && !is_called(v->config, name))
		store_unclaim(v->ctx->store, CLAIM_NAME, name, v->uuid);
	handle_unlock(v);
}

int claims_sweep_names(struct ve_ctx *ctx, ve_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	int r = store_claim_keys(ctx->store, CLAIM_NAME, &names, ret_error);
	for (char **n = names; r == 0 && n && *n; n++) {
		_cleanup_ve_ struct ve *v = NULL;
		char uuid[UUID_LENGTH + 1];
		if (store_claimed_by(ctx->store, CLAIM_NAME, *n, uuid) == 0 && handle_open_uuid(ctx, uuid, &v, NULL) == 0)
			drop_if_not_called(v, *n);
	}
	return r;
}

static int note_one(struct ve *v, const char *address, void *data)
{
	(void)v;
	return strv_add(data, address);
}

void claims_drop_kind(struct ve *v, enum claim_kind kind, char *const *kept)
{
	_cleanup_strv_ char **keys = NULL;
	if (store_claim_keys(v->ctx->store, kind, &keys, NULL) < 0)
		return;
	for (char **k = keys; k && *k; k++) {
		bool wanted = false;
		for (char *const *w = kept; w && *w; w++)
			wanted = wanted || str_eq(*k, *w);
		if (!wanted)
			store_unclaim(v->ctx->store, kind, *k, v->uuid);
	}
}

void claims_drop_addresses(struct ve *v, const struct config *keep)
{
	_cleanup_strv_ char **ports = NULL;
	addrclaims_drop(v, keep);
	if (each_port(v, keep, note_one, &ports, NULL) == 0)
		claims_drop_kind(v, CLAIM_PORT, ports);
}

/* Is what we hold in memory what is on disk, and all that it claims a name and ids? Each save is a new file. */
static bool has_name_and_ids_only(const struct ve *v)
{
	struct net_plan net = { 0 };
	struct net_if ifs[PLAN_MAX_IFS];
	struct stat st;
	if (!v->config || !v->saved || config_list(v->config, "aliases") || fstatat(v->dir_fd, "config.json", &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != v->saved ||
	    plan_network(v->ctx, v->config, ifs, &net, NULL) < 0)
		return false;
	bool alone = net.n_ifs == 0;
	plan_network_done(&net);
	return alone;
}

void claims_release(struct ve *v)
{
	char ids[16];
	if (!has_name_and_ids_only(v)) {
		claims_release_all(v->ctx, v->uuid);
		return;
	}
	snprintf(ids, sizeof(ids), "%u", (unsigned)config_identity_int(v->config, "id_base"));
	store_unclaim(v->ctx->store, CLAIM_IDS, ids, v->uuid);
	store_unclaim(v->ctx->store, CLAIM_NAME, v->name, v->uuid);
}

static void undo_claims(void *data)
{
	claims_release(data);
}

static int claim_private(struct ve *v, ve_error **ret_error)
{
	struct net_plan net = { 0 };
	struct net_if ifs[PLAN_MAX_IFS];
	int r = plan_network(v->ctx, v->config, ifs, &net, ret_error);
	for (unsigned i = 0; r == 0 && i < net.n_ifs; i++)
		if (ifs[i].type == NET_NAT)
			r = claim_nat(v, ifs[i].label, ret_error);
	plan_network_done(&net);
	return r;
}

int claims_take(struct ve *v, struct undo *undo, ve_error **ret_error)
{
	if (undo_push(undo, undo_claims, v) < 0)
		return err_nomem(ret_error);
	int r = ctx_host(v->ctx, ret_error);
	if (r == 0)
		r = store_claim(v->ctx->store, CLAIM_NAME, v->name, v->uuid, ret_error);
	if (r == 0)
		r = claims_take_aliases(v, v->config, ret_error);
	if (r == 0)
		r = claim_ids(v, ret_error);
	if (r == 0)
		r = autoip_resolve(v, v->config, ret_error);
	if (r == 0)
		r = claim_private(v, ret_error);
	return r < 0 ? r : claims_take_addresses(v, v->config, ret_error);
}

int claims_probe(struct ve *v, const struct config *old, const struct config *c, ve_error **ret_error)
{
	struct net_plan old_net = { 0 }, net = { 0 };
	struct net_if old_ifs[PLAN_MAX_IFS], ifs[PLAN_MAX_IFS];
	_cleanup_err_ ve_error *e = NULL;
	if (old && json_equal(config_raw(old, "network"), config_raw(c, "network")))
		return 0;
	int r = old ? plan_network(v->ctx, old, old_ifs, &old_net, ret_error) : 0;
	if (r == 0)
		r = plan_network(v->ctx, c, ifs, &net, ret_error);
	if (r == 0 && net_probe(old ? &old_net : NULL, &net, &e) < 0 && ve_error_category(e) == VE_ERR_EXISTS) {
		r = -EADDRINUSE;
		err_propagate(ret_error, &e);
	}
	plan_network_done(&old_net);
	plan_network_done(&net);
	return r;
}
