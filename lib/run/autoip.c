/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Claims make it safe: an address is taken by whoever makes its claim, so that creates at the same time go on to the next one
 * where another was quicker. Stopped VEs have their claims too.
 */
#include "run/autoip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/pool.h"
#include "net/net.h"
#include "run/overlap.h"

enum { LABELS_MAX = 100 };

/* What nobody gets: the host's own addresses and its routers'. */
struct kept {
	struct net_addr *addrs;
	unsigned n;
};

static bool is_kept(const struct kept *k, const struct address *a)
{
	for (unsigned i = 0; i < k->n; i++)
		if (k->addrs[i].family == a->family && memcmp(&k->addrs[i].v6, a->bytes, a->family == AF_INET ? 4 : 16) == 0)
			return true;
	return false;
}

/* 0: A is V's now. -EEXIST: it is somebody else's. */
static int try_one(struct ve *v, const struct address *a, ve_error **ret_error)
{
	_cleanup_free_ char *key = address_format(a, false);
	char owner[UUID_LENGTH + 1];
	if (!key)
		return err_nomem(ret_error);
	/* What V has already, or has just got, is not free either. */
	if (store_claimed_by(v->ctx->store, CLAIM_ADDRESS, key, owner) == 0)
		return -EEXIST;
	_cleanup_err_ ve_error *e = NULL;
	int r = store_claim(v->ctx->store, CLAIM_ADDRESS, key, v->uuid, NULL);
	if (r == 0) {
		struct address alone = *a;
		alone.prefix = a->family == AF_INET ? 32 : 128;
		r = overlap_check(v, &alone, &e);
		if (r < 0)
			store_unclaim(v->ctx->store, CLAIM_ADDRESS, key, v->uuid);
	}
	if (r < 0 && r != -EEXIST)
		return err_plain(ret_error, VE_ERR_KERNEL, -r, "network", "cannot claim the address %s for '%s'", key, v->name);
	return r;
}

static int try_range(struct ve *v, const struct pool_range *range, const struct kept *kept, struct address *ret_address,
		     ve_error **ret_error)
{
	struct address a = range->first;
	do {
		int r = is_kept(kept, &a) ? -EEXIST : try_one(v, &a, ret_error);
		if (r == 0)
			*ret_address = a;
		if (r != -EEXIST)
			return r;
	} while (pool_next(range, &a));
	return -EEXIST;
}

static int no_pool(int family, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "network", "the host has no pool of %saddresses",
			  family == AF_INET ? "IPv4 " : family == AF_INET6 ? "IPv6 " : "");
	err_hint(ret_error, "give it one: vectl host set ip.pool=192.0.2.0/28,2001:db8::/64");
	return r;
}

static int used_up(const json_t *pool, int family, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (size_t i = 0; i < json_array_size(pool); i++)
		strbuf_addf(&b, "%s%s", i ? ", " : "", json_string_value(json_array_get(pool, i)));
	_cleanup_free_ char *listed = strbuf_steal(&b);
	int r = err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "network", "no IPv%d address of the host's pool is free (%s)",
			  family == AF_INET ? 4 : 6, listed ? listed : "");
	err_hint(ret_error, "make it larger: vectl host set ip.pool=..., or destroy VEs that are not needed");
	return r;
}

static bool pool_has(const json_t *pool, int family)
{
	struct pool_range range;
	for (size_t i = 0; i < json_array_size(pool); i++)
		if (pool_parse(json_string_value(json_array_get(pool, i)), &range, NULL) == 0 && range.first.family == family)
			return true;
	return false;
}

static int take(struct ve *v, int family, const struct kept *kept, struct address *ret_address, ve_error **ret_error)
{
	const json_t *pool = v->ctx->host->ip_pool;
	struct pool_range range;
	if (family == AF_UNSPEC)
		family = pool_has(pool, AF_INET) ? AF_INET : pool_has(pool, AF_INET6) ? AF_INET6 : AF_UNSPEC;
	if (family == AF_UNSPEC || !pool_has(pool, family))
		return no_pool(family, ret_error);
	for (size_t i = 0; i < json_array_size(pool); i++) {
		int r = pool_parse(json_string_value(json_array_get(pool, i)), &range, ret_error);
		if (r < 0)
			return r;
		if (range.first.family != family)
			continue;
		r = try_range(v, &range, kept, ret_address, ret_error);
		if (r != -EEXIST)
			return r;
	}
	return used_up(pool, family, ret_error);
}

static int resolve_list(struct ve *v, json_t *ips, bool keeps_netmask, const struct kept *kept, ve_error **ret_error)
{
	for (size_t i = 0; i < json_array_size(ips); i++) {
		struct address a;
		int family;
		const char *word = json_string_value(json_array_get(ips, i));
		if (!word || !pool_is_auto(word, &family))
			continue;
		int r = take(v, family, kept, &a, ret_error);
		if (r < 0)
			return r;
		/* Routed, a prefix would be the VE's as a whole; on a bridge it is the netmask. */
		_cleanup_free_ char *text = address_format(&a, keeps_netmask);
		if (!text || json_array_set_new(ips, i, json_string(text)) < 0)
			return err_nomem(ret_error);
	}
	return 0;
}

/* Calls RESOLVE for each list of addresses that has the word in it; NULL: only looks. 1: there is one. */
static int each_list(const struct config *c, struct ve *v, const struct kept *kept, ve_error **ret_error)
{
	unsigned labels[LABELS_MAX];
	int n = config_networks(c, labels, LABELS_MAX), any = 0;
	for (int k = 0; k < n; k++) {
		char key[32];
		snprintf(key, sizeof(key), "network.%u.ips", labels[k]);
		json_t *ips = config_list(c, key);
		for (size_t i = 0; i < json_array_size(ips); i++)
			any |= pool_is_auto(json_string_value(json_array_get(ips, i)), NULL);
		bool bridged = str_eq(config_network_type(c, labels[k]), "bridged");
		int r = v ? resolve_list(v, ips, bridged, kept, ret_error) : 0;
		if (r < 0)
			return r;
	}
	return any;
}

bool autoip_wanted(const struct config *c)
{
	return each_list(c, NULL, NULL, NULL) > 0;
}

int autoip_resolve(struct ve *v, struct config *c, ve_error **ret_error)
{
	struct kept kept = { 0 };
	if (!autoip_wanted(c))
		return 0;
	int r = ctx_host(v->ctx, ret_error);
	if (r == 0)
		r = net_own_addresses(&kept.addrs, &kept.n, ret_error);
	if (r == 0)
		r = each_list(c, v, &kept, ret_error);
	free(kept.addrs);
	return r < 0 ? r : 0;
}
