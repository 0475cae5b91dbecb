/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "base/str.h"

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_natural_order(void **state)
{
	/* In rising order: every pair is compared both ways. */
	static const char *const rising[] = {
		"", "0", "9", "10", "101", "a", "a1", "a1b", "a2", "a10", "a10b", "b", "web9", "web9-1", "web10",
		"web10-2", "web10-10",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rising); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rising); j++)
			assert_int_equal(sign(str_natural_cmp(rising[i], rising[j])), (i > j) - (i < j));
}

static void test_natural_order_leading_zeros(void **state)
{
	assert_true(str_natural_cmp("007", "8") < 0);
	assert_true(str_natural_cmp("08", "7") > 0);
	assert_int_equal(str_natural_cmp("a0", "a0"), 0);
}

static void test_natural_order_huge_numbers(void **state)
{
	assert_true(str_natural_cmp("99999999999999999999998", "99999999999999999999999") < 0);
	assert_true(str_natural_cmp("99999999999999999999999", "100000000000000000000000") < 0);
}

static void test_distance(void **state)
{
	assert_int_equal(str_distance("limit", "limit", 3), 0);
	assert_int_equal(str_distance("limt", "limit", 3), 1);	 /* one missing */
	assert_int_equal(str_distance("liimit", "limit", 3), 1); /* one too many */
	assert_int_equal(str_distance("lomit", "limit", 3), 1);	 /* another */
	assert_int_equal(str_distance("ilmit", "limit", 3), 1);	 /* two exchanged */
	assert_int_equal(str_distance("", "abc", 5), 3);
	assert_int_equal(str_distance("abc", "", 5), 3);
	assert_int_equal(str_distance("kitten", "sitting", 5), 3);
	assert_int_equal(str_distance("abcdef", "uvwxyz", 2), 3); /* at most MAX + 1 */
}

static void test_distance_of_long_strings(void **state)
{
	char a[300], b[64];
	memset(a, 'a', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	memset(b, 'a', sizeof(b) - 1);
	b[sizeof(b) - 1] = '\0';
	assert_int_equal(str_distance(a, "b", 2), 3);
	assert_int_equal(str_distance("b", a, 2), 3);
	assert_int_equal(str_distance(b, b, 2), 0); /* 63 characters, the longest it looks at */
}

static void test_quote(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain-1", "plain-1" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "\033[2J", "\\x1b[2J" },
		{ "it's", "it\\x27s" },
		{ "\\x41", "\\x5cx41" }, /* what was quoted cannot be confused with what was there */
		{ "\x7f", "\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xc3", "\\xc3" },		 /* cut off */
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc0\xaf", "\\xc0\\xaf" },	 /* overlong '/' */
		{ "\xf0\x9f\x90", "\\xf0\\x9f\\x90" },
		{ "", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *quoted = str_quote(cases[i].in);
		assert_string_equal(quoted, cases[i].out);
	}
}

static void test_strbuf(void **state)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&b, "%d,", i);
	strbuf_add(&b, "end");
	_cleanup_free_ char *s = strbuf_steal(&b);
	assert_true(str_starts(s, "0,1,2,"));
	assert_true(str_ends(s, "998,999,end"));
	_cleanup_free_ char *empty = strbuf_steal(&b);
	assert_string_equal(empty, "");
}

static void test_strv(void **state)
{
	_cleanup_strv_ char **v = strv_split(",a,,b c,", ",");
	assert_int_equal(strv_length((const char *const *)v), 2);
	assert_string_equal(v[0], "a");
	assert_string_equal(v[1], "b c");
	assert_int_equal(strv_add(&v, "d"), 0);
	assert_string_equal(v[2], "d");
	assert_null(v[3]);
	_cleanup_strv_ char **none = strv_split("", ",");
	assert_non_null(none);
	assert_int_equal(strv_length((const char *const *)none), 0);
	assert_int_equal(strv_length(NULL), 0);
}

static void test_ends_and_starts(void **state)
{
	assert_true(str_ends("a.json", ".json"));
	assert_false(str_ends("json", ".json"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq(NULL, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_natural_order),	   cmocka_unit_test(test_natural_order_leading_zeros),
		cmocka_unit_test(test_natural_order_huge_numbers), cmocka_unit_test(test_distance),
		cmocka_unit_test(test_distance_of_long_strings), cmocka_unit_test(test_quote),
		cmocka_unit_test(test_strbuf),		   cmocka_unit_test(test_strv),
		cmocka_unit_test(test_ends_and_starts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
