/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/addrclaims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/net.h"
#include "run/claims.h"
#include "run/overlap.h"
#include "run/plan.h"

typedef int (*address_fn)(struct ve *v, const struct net_if *i, const struct net_addr *a, void *data, ve_error **ret_error);

/* Calls FN for each address that C gives its interfaces. */
static int each_address(struct ve *v, const struct config *c, address_fn fn, void *data, ve_error **ret_error)
{
	struct net_plan net = { 0 };
	struct net_if ifs[PLAN_MAX_IFS];
	int r = plan_network(v->ctx, c, ifs, &net, ret_error);
	for (unsigned i = 0; r == 0 && i < net.n_ifs; i++)
		for (unsigned k = 0; r == 0 && k < ifs[i].n_addrs; k++)
			r = fn(v, &ifs[i], &ifs[i].addrs[k], data, ret_error);
	plan_network_done(&net);
	return r;
}

static size_t size_of(const struct net_addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

static struct address plain(const struct net_addr *a)
{
	struct address out = { .family = a->family, .prefix = a->prefix };
	memcpy(out.bytes, &a->v6, size_of(a));
	return out;
}

/* Is the whole prefix of A routed to the VE? On a bridge the prefix is only a netmask. */
static bool routes_prefix(const struct net_if *i, const struct net_addr *a)
{
	return i->type == NET_ROUTED && a->prefix < 8 * size_of(a);
}

/* ---- take ------------------------------------------------------------------------------------------- */

static int refuse_own(const struct net_addr *a, const char *text, ve_error **ret_error)
{
	int r = net_is_own(a, ret_error);
	return r <= 0 ? r : err_plain(ret_error, VE_ERR_EXISTS, EADDRINUSE, "network", "the address %s is taken: it is the host's own",
				      text);
}

/* The very same prefix of another's is no failure here: the look for overlaps, which follows, words it better. */
static int claim_prefix(struct ve *v, const struct address *a, ve_error **ret_error)
{
	_cleanup_free_ char *key = overlap_key(a);
	_cleanup_err_ ve_error *e = NULL;
	if (!key)
		return err_nomem(ret_error);
	int r = store_claim(v->ctx->store, CLAIM_PREFIX, key, v->uuid, &e);
	if (r < 0 && r != -EEXIST)
		err_propagate(ret_error, &e);
	return r == -EEXIST ? 0 : r;
}

static int claim_one(struct ve *v, const struct net_if *i, const struct net_addr *a, void *data, ve_error **ret_error)
{
	struct address address = plain(a);
	_cleanup_free_ char *text = net_addr_format(a, false);
	char owner[UUID_LENGTH + 1];
	if (!text)
		return err_nomem(ret_error);
	bool had = store_claimed_by(v->ctx->store, CLAIM_ADDRESS, text, owner) == 0 && str_eq(owner, v->uuid);
	int r = had ? 0 : refuse_own(a, text, ret_error);
	if (r == 0)
		r = store_claim(v->ctx->store, CLAIM_ADDRESS, text, v->uuid, ret_error);
	if (r == 0 && routes_prefix(i, a))
		r = claim_prefix(v, &address, ret_error);
	if (!routes_prefix(i, a))
		address.prefix = (unsigned char)(8 * size_of(a));
	return r == 0 ? overlap_check(v, &address, ret_error) : r;
}

int addrclaims_take(struct ve *v, const struct config *c, ve_error **ret_error)
{
	return each_address(v, c, claim_one, NULL, ret_error);
}

/* ---- drop ------------------------------------------------------------------------------------------- */

struct kept {
	char **addresses, **prefixes;
};

static int note_one(struct ve *v, const struct net_if *i, const struct net_addr *a, void *data, ve_error **ret_error)
{
	struct kept *kept = data;
	struct address address = plain(a);
	_cleanup_free_ char *text = net_addr_format(a, false);
	_cleanup_free_ char *key = routes_prefix(i, a) ? overlap_key(&address) : NULL;
	if (!text || strv_add(&kept->addresses, text) < 0)
		return -ENOMEM;
	return key ? strv_add(&kept->prefixes, key) : 0;
}

void addrclaims_drop(struct ve *v, const struct config *keep)
{
	struct kept kept = { 0 };
	if (each_address(v, keep, note_one, &kept, NULL) == 0) {
		claims_drop_kind(v, CLAIM_ADDRESS, kept.addresses);
		claims_drop_kind(v, CLAIM_PREFIX, kept.prefixes);
	}
	strv_free(kept.addresses);
	strv_free(kept.prefixes);
}
