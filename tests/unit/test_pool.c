/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/pool.h"

static void test_ranges(void **state)
{
	static const struct {
		const char *text, *first, *last;
		unsigned n; /* how many; 0: not counted */
	} cases[] = {
		{ "192.0.2.0/28", "192.0.2.1", "192.0.2.14", 14 },
		{ "192.0.2.4/30", "192.0.2.5", "192.0.2.6", 2 },
		{ "192.0.2.4/31", "192.0.2.4", "192.0.2.5", 2 },
		{ "192.0.2.4", "192.0.2.4", "192.0.2.4", 1 },
		{ "192.0.2.250-192.0.3.5", "192.0.2.250", "192.0.3.5", 12 },
		{ "10.0.0.0/8", "10.0.0.1", "10.255.255.254", 0 },
		{ "2001:db8::/126", "2001:db8::1", "2001:db8::3", 3 },
		{ "2001:db8::/64", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", 0 },
		{ "2001:DB8::fffe-2001:db8::1:1", "2001:db8::fffe", "2001:db8::1:1", 4 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pool_range r;
		_cleanup_err_ ve_error *e = NULL;
		if (pool_parse(cases[i].text, &r, &e) < 0)
			fail_msg("%s", ve_error_message(e));
		_cleanup_free_ char *first = address_format(&r.first, false), *last = address_format(&r.last, false);
		assert_string_equal(first, cases[i].first);
		assert_string_equal(last, cases[i].last);
		unsigned n = 1;
		struct address a = r.first;
		while (cases[i].n && pool_next(&r, &a))
			n++;
		if (cases[i].n)
			assert_int_equal(n, cases[i].n);
	}
}

static void test_canonical(void **state)
{
	char *text = NULL;
	assert_int_equal(pool_canonical("2001:DB8:0::/64", &text, NULL), 0);
	assert_string_equal(text, "2001:db8::/64");
	free(text);
	assert_int_equal(pool_canonical("2001:DB8:0::1-2001:DB8:0::9", &text, NULL), 0);
	assert_string_equal(text, "2001:db8::1-2001:db8::9");
	free(text);
	assert_int_equal(pool_canonical("192.0.2.7/32", &text, NULL), 0);
	assert_string_equal(text, "192.0.2.7");
	free(text);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", "-", "192.0.2.1/28", "192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "192.0.2.1-", "-192.0.2.1", "0.0.0.0/0",
		"224.0.0.0/8", "127.0.0.0/8", "fe80::/64", "192.0.2.0/28-192.0.2.9", "auto", "10.0.0.0/7", "192.0.2.1-20",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pool_range r;
		_cleanup_err_ ve_error *e = NULL;
		if (pool_parse(bad[i], &r, &e) >= 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	}
}

static void test_words(void **state)
{
	int family = -1;
	assert_true(pool_is_auto("auto", &family));
	assert_int_equal(family, AF_UNSPEC);
	assert_true(pool_is_auto("auto6", &family));
	assert_int_equal(family, AF_INET6);
	assert_false(pool_is_auto("auto5", &family));
	assert_false(pool_is_auto("", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
