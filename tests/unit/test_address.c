/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/address.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *canonical;
		int prefix;
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7", 32 },
		{ "192.0.2.7/32", "192.0.2.7", 32 },
		{ "192.0.2.7/24", "192.0.2.7/24", 24 },
		{ "1.0.0.0", "1.0.0.0", 32 },
		{ "223.255.255.255", "223.255.255.255", 32 },
		{ "10.0.0.1/8", "10.0.0.1/8", 8 },
		{ "192.0.2.6/31", "192.0.2.6/31", 31 },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", 128 },
		{ "2001:db8::1/128", "2001:db8::1", 128 },
		{ "2001:db8::1/64", "2001:db8::1/64", 64 },
		{ "fd00::1", "fd00::1", 128 },
		{ "::2", "::2", 128 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address a;
		_cleanup_err_ ve_error *e = NULL;
		if (address_parse(cases[i].text, ADDRESS_PREFIX, &a, &e) < 0)
			fail_msg("%s", ve_error_message(e));
		assert_int_equal(a.prefix, cases[i].prefix);
		_cleanup_free_ char *text = address_format(&a, true);
		assert_string_equal(text, cases[i].canonical);
		_cleanup_free_ char *host = address_format(&a, false);
		assert_null(strchr(host, '/'));
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", "/", "/24", "192.0.2", "192.0.2.256", "192.0.2.7.", "192.0.2.07", " 192.0.2.7", "192.0.2.7 ",
		"0xC0.0.2.7", "3221225991", "192.0.2.7/", "192.0.2.7/33", "192.0.2.7/0", "192.0.2.7/08",
		"192.0.2.7/-1",
		"192.0.2.7/24/24", "192.0.2.7/ 8", "2001:db8::1/129", "2001:db8::1/0", "2001:db8::g",
		"2001:db8:::1",
		"fe80::1%eth0", "[2001:db8::1]", "example.org", "192.0.2.7\n", "192.0.2.7,192.0.2.8",
		/* what no VE can have */
		"10.0.0.0/8", "192.0.2.0/24", "192.0.2.255/24", "192.0.2.12/30", "2001:db8::/64",
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "169.254.1.1", "224.0.0.1", "239.255.255.250",
		"240.0.0.1",
		"255.255.255.255", "::", "::1", "fe80::1", "febf::1", "ff02::1", "::ffff:192.0.2.7",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct address a;
		_cleanup_err_ ve_error *e = NULL;
		if (address_parse(bad[i], ADDRESS_PREFIX, &a, &e) >= 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
		assert_null(strchr(ve_error_message(e), '\n'));
	}
}

static void test_flags(void **state)
{
	struct address a;
	assert_true(address_parse("192.0.2.7/24", 0, &a, NULL) < 0);
	assert_int_equal(address_parse("127.0.0.53", ADDRESS_LOOPBACK, &a, NULL), 0);
	assert_int_equal(address_parse("::1", ADDRESS_LOOPBACK, &a, NULL), 0);
	assert_true(address_parse("224.0.0.1", ADDRESS_LOOPBACK, &a, NULL) < 0);
	assert_int_equal(address_parse("192.0.2.0/24", ADDRESS_PREFIX | ADDRESS_NETWORK, &a, NULL), 0);
	assert_true(address_parse("192.0.2.1/24", ADDRESS_PREFIX | ADDRESS_NETWORK, &a, NULL) < 0);
	assert_true(address_parse("224.0.0.0/4", ADDRESS_PREFIX | ADDRESS_NETWORK, &a, NULL) < 0);
	assert_int_equal(address_parse("224.0.0.0/4", ADDRESS_PREFIX | ADDRESS_NETWORK | ADDRESS_ANY_KIND, &a, NULL), 0);
	assert_int_equal(address_parse("0.0.0.0/0", ADDRESS_PREFIX | ADDRESS_NETWORK | ADDRESS_ANY_KIND, &a, NULL), 0);
	assert_int_equal(a.prefix, 0);
}

static void test_covers(void **state)
{
	struct address net, a;
	assert_int_equal(address_parse("192.0.2.9/29", ADDRESS_PREFIX, &net, NULL), 0);
	assert_int_equal(address_parse("192.0.2.15", 0, &a, NULL), 0);
	assert_true(address_covers(&net, &a));
	assert_int_equal(address_parse("192.0.2.16", 0, &a, NULL), 0);
	assert_false(address_covers(&net, &a));
	assert_int_equal(address_parse("c000:20f::", 0, &a, NULL), 0); /* the same first four bytes */
	assert_false(address_covers(&net, &a));
}

static void test_same(void **state)
{
	struct address a, b, c, d;
	assert_int_equal(address_parse("192.0.2.7/24", ADDRESS_PREFIX, &a, NULL), 0);
	assert_int_equal(address_parse("192.0.2.7", ADDRESS_PREFIX, &b, NULL), 0);
	assert_int_equal(address_parse("192.0.2.8", ADDRESS_PREFIX, &c, NULL), 0);
	assert_int_equal(address_parse("c000:207::", ADDRESS_PREFIX, &d, NULL), 0); /* the same first four bytes */
	assert_true(address_same(&a, &b));
	assert_false(address_same(&b, &c));
	assert_false(address_same(&b, &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_covers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
