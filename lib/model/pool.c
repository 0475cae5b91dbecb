/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/checks.h"

static int size_of(const struct address *a)
{
	return a->family == AF_INET ? 4 : 16;
}

/* Adds 1 or, with STEP -1, takes 1 off. */
static void step(struct address *a, int by)
{
	for (int i = size_of(a) - 1; i >= 0; i--) {
		a->bytes[i] = (unsigned char)(a->bytes[i] + by);
		if (a->bytes[i] != (by > 0 ? 0 : 0xff))
			return; /* nothing is carried on */
	}
}

static int compare(const struct address *a, const struct address *b)
{
	return memcmp(a->bytes, b->bytes, (size_t)size_of(a));
}

/* A pair of addresses, or one, has neither a network's own nor a broadcast address. */
static void range_of_network(const struct address *net, struct pool_range *r)
{
	int bits = 8 * size_of(net);
	r->first = r->last = *net;
	for (int bit = net->prefix; bit < bits; bit++)
		r->last.bytes[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
	if (net->prefix + 2 > bits)
		return;
	step(&r->first, 1);
	if (net->family == AF_INET)
		step(&r->last, -1);
}

static int parse_ends(const char *text, const char *dash, struct pool_range *r, ve_error **ret_error)
{
	_cleanup_free_ char *low = strndup(text, (size_t)(dash - text));
	if (!low)
		return err_nomem(ret_error);
	int e = address_parse(low, 0, &r->first, ret_error);
	if (e == 0)
		e = address_parse(dash + 1, 0, &r->last, ret_error);
	if (e < 0)
		return e;
	if (r->first.family != r->last.family || compare(&r->first, &r->last) > 0)
		return check_failed(text, "is no range: its end is before its beginning", ret_error);
	return 0;
}

int pool_parse(const char *text, struct pool_range *ret_range, ve_error **ret_error)
{
	const char *dash = strchr(text, '-');
	struct pool_range r;
	struct address net;
	int e = dash ? parse_ends(text, dash, &r, ret_error)
		     : address_parse(text, ADDRESS_PREFIX | ADDRESS_NETWORK, &net, ret_error);
	if (e < 0)
		return e;
	if (!dash && net.prefix < 8)
		return check_failed(text, "is too large for a pool", ret_error);
	if (!dash)
		range_of_network(&net, &r);
	*ret_range = r;
	return 0;
}

int pool_canonical(const char *text, char **ret_text, ve_error **ret_error)
{
	struct pool_range r;
	struct address net;
	int e = pool_parse(text, &r, ret_error);
	if (e < 0)
		return e;
	char *s;
	if (strchr(text, '-')) {
		_cleanup_free_ char *first = address_format(&r.first, false), *last = address_format(&r.last, false);
		s = first && last ? str_printf("%s-%s", first, last) : NULL;
	} else {
		e = address_parse(text, ADDRESS_PREFIX | ADDRESS_NETWORK, &net, ret_error);
		s = e == 0 ? address_format(&net, true) : NULL;
	}
	if (!s)
		return err_nomem(ret_error);
	*ret_text = s;
	return 0;
}

bool pool_next(const struct pool_range *r, struct address *a)
{
	if (compare(a, &r->last) >= 0)
		return false;
	step(a, 1);
	return true;
}

bool pool_is_auto(const char *text, int *ret_family)
{
	static const struct {
		const char *word;
		int family;
	} words[] = { { "auto", AF_UNSPEC }, { "auto4", AF_INET }, { "auto6", AF_INET6 } };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!str_eq(text, words[i].word))
			continue;
		if (ret_family)
			*ret_family = words[i].family;
		return true;
	}
	return false;
}
