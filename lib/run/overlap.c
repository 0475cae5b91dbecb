/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/overlap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/guard.h"
#include "base/str.h"

static bool is_prefix(const struct address *a)
{
	return a->prefix < (a->family == AF_INET ? 32 : 128);
}

static struct address network_of(const struct address *a)
{
	struct address n = *a;
	for (unsigned bit = a->prefix; bit < (a->family == AF_INET ? 32u : 128u); bit++)
		n.bytes[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	return n;
}

/* "2001:db8:1::-64": a claim is a file's name, which has no '/'. */
char *overlap_key(const struct address *a)
{
	struct address n = network_of(a);
	_cleanup_free_ char *text = address_format(&n, false);
	/* Nor does it begin with a dot, which "::" does not either. */
	return text ? str_printf("%s-%u", text, n.prefix) : NULL;
}

static bool parse_key(const char *key, struct address *ret)
{
	_cleanup_free_ char *text = strdup(key);
	char *dash = text ? strchr(text, '-') : NULL;
	if (dash)
		*dash = '/';
	return text && address_parse(text, ADDRESS_PREFIX | (dash ? ADDRESS_NETWORK : 0), ret, NULL) == 0;
}

static int refuse(struct ve *v, const struct address *a, const struct address *b, const char *owner, ve_error **ret_error)
{
	_cleanup_free_ char *mine = address_format(a, true), *theirs = address_format(b, true);
	_cleanup_ve_ struct ve *other = NULL;
	if (!ret_error)
		return -EEXIST;
	handle_open_uuid(v->ctx, owner, &other, NULL);
	return err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "network", "the address '%s' overlaps '%s', which belongs to VE '%s'",
			 mine ? mine : "", theirs ? theirs : "", other ? other->name : owner);
}

static int check_kind(struct ve *v, const struct address *a, enum claim_kind kind, ve_error **ret_error)
{
	_cleanup_strv_ char **keys = NULL;
	char owner[UUID_LENGTH + 1];
	int r = store_claim_keys(v->ctx->store, kind, &keys, ret_error);
	for (char **k = keys; r == 0 && k && *k; k++) {
		struct address b;
		if (!parse_key(*k, &b) || (!address_covers(a, &b) && !address_covers(&b, a)))
			continue;
		if (store_claimed_by(v->ctx->store, kind, *k, owner) == 0 && !str_eq(owner, v->uuid))
			r = refuse(v, a, &b, owner, ret_error);
	}
	return r;
}

int overlap_check(struct ve *v, const struct address *a, ve_error **ret_error)
{
	int r = check_kind(v, a, CLAIM_PREFIX, ret_error);
	/* Single addresses in a prefix; of a single address its own claim says enough. */
	return r == 0 && is_prefix(a) ? check_kind(v, a, CLAIM_ADDRESS, ret_error) : r;
}
