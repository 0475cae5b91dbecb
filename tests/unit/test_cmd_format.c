/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people read: sizes, times, wrapped text, and strings in JSON. The code is the program's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../cmd/format.c"
#include "../../cmd/util.c"

static void same(char *got, const char *expected)
{
	assert_string_equal(got, expected);
	free(got);
}

static void test_bytes(void **state)
{
	(void)state;
	same(format_bytes(0), "0");
	same(format_bytes(1023), "1023");
	same(format_bytes(1024), "1K");
	same(format_bytes(INT64_C(512) << 20), "512M");
	same(format_bytes((INT64_C(1) << 30) + (INT64_C(1) << 29)), "1.50G");
	same(format_bytes(123456789), "118M");
	same(format_bytes(12345678), "11.8M");
	same(format_bytes(-1024), "-1K");
	same(format_bytes(INT64_MAX), "8192P");
}

static void test_units(void **state)
{
	(void)state;
	same(format_int(100000000, "bits/s"), "100Mbit/s");
	same(format_int(1 << 20, "bytes/s"), "1M/s");
	same(format_int(1500, "millicores"), "1.5");
	same(format_int(7, NULL), "7");
	same(format_int(3000000, "nanoseconds"), "3ms");
	same(format_int(INT64_C(12300000000), "nanoseconds"), "12.3s");
	same(format_int(INT64_C(3700) * 1000000000, "nanoseconds"), "1h1m");
	assert_string_equal(format_unit_of("size_bytes"), "bytes");
	assert_string_equal(format_unit_of("started_at"), "time");
	assert_null(format_unit_of("name"));
}

static void test_seconds(void **state)
{
	(void)state;
	same(format_seconds(0), "0s");
	same(format_seconds(59), "59s");
	same(format_seconds(60), "1m");
	same(format_seconds(3661), "1h1m");
	same(format_seconds(2 * 86400 + 5), "2d");
}

static void test_time(void **state)
{
	(void)state;
	setenv("TZ", "UTC-2", 1);
	tzset();
	same(format_time("2026-01-31T23:30:00Z"), "2026-02-01 01:30:00");
	same(format_time("2026-01-31T23:30:00.125Z"), "2026-02-01 01:30:00");
	same(format_time("soon"), "soon");
	same(format_time("2026-01-31T23:30:00"), "2026-01-31T23:30:00");
}

static void test_safe(void **state)
{
	(void)state;
	same(format_safe("a\nb\x1b[31m\x7f"), "a?b?[31m?");
	same(format_safe("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
	same(format_safe("a\xff\x9bz"), "a??z");
	/* C1 controls, which some terminals obey. */
	same(format_safe("x\xc2\x9by"), "x??y");
}

static void json_is(const char *s, const char *expected)
{
	struct text t = { 0 };

	format_json_string(&t, s);
	assert_string_equal(t.s, expected);
	text_done(&t);
}

static void test_json(void **state)
{
	(void)state;
	json_is(NULL, "null");
	json_is("", "\"\"");
	json_is("a\"b\\c", "\"a\\\"b\\\\c\"");
	json_is("a\nb\x01", "\"a\\u000ab\\u0001\"");
	json_is("gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"");
	/* What was typed need not be UTF-8; a document is. */
	json_is("a\xff", "\"a\\ufffd\"");
	json_is("\xc3", "\"\\ufffd\"");
	json_is("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
	json_is("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
}

static void wrapped_is(const char *s, unsigned indent, unsigned width, const char *expected)
{
	struct text t = { 0 };

	format_wrapped(&t, s, indent, width);
	assert_string_equal(t.s ? t.s : "", expected);
	text_done(&t);
}

static void test_wrapped(void **state)
{
	(void)state;
	wrapped_is("", 2, 10, "");
	wrapped_is("one two three", 2, 10, "  one two\n  three\n");
	wrapped_is("one\n\ntwo", 0, 10, "one\n\ntwo\n");
	wrapped_is("averyverylongword x", 0, 5, "averyverylongword\nx\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes), cmocka_unit_test(test_units), cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_time),  cmocka_unit_test(test_safe),  cmocka_unit_test(test_json),
		cmocka_unit_test(test_wrapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
