/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "run/account.h"

static int64_t at(const char *text)
{
	struct tm tm = { 0 };
	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return timegm(&tm);
}

static void period_is(const char *now, unsigned day, const char *from, const char *til)
{
	uint32_t a, b;
	char begins[32], ends[32];
	snprintf(begins, sizeof(begins), "%s 00:00:00", from);
	snprintf(ends, sizeof(ends), "%s 00:00:00", til);
	account_period(at(now), day, &a, &b);
	assert_int_equal(a, at(begins) / 86400);
	assert_int_equal(b, at(ends) / 86400);
}

static void test_periods(void **state)
{
	period_is("2026-01-15 12:00:00", 1, "2026-01-01", "2026-02-01");
	period_is("2026-01-15 12:00:00", 15, "2026-01-15", "2026-02-15");
	period_is("2026-01-15 12:00:00", 16, "2025-12-16", "2026-01-16");
	period_is("2026-01-14 23:59:59", 15, "2025-12-15", "2026-01-15");
	period_is("2026-01-15 00:00:00", 15, "2026-01-15", "2026-02-15");
	period_is("2026-12-31 23:59:59", 28, "2026-12-28", "2027-01-28");
	period_is("2026-12-01 00:00:00", 1, "2026-12-01", "2027-01-01");
	period_is("2028-02-29 10:00:00", 28, "2028-02-28", "2028-03-28");
	period_is("2028-03-01 10:00:00", 28, "2028-02-28", "2028-03-28");
}

/* A host whose clock is at its beginning has a period all the same. */
static void test_no_clock(void **state)
{
	uint32_t from, til;
	account_period(0, 1, &from, &til);
	assert_int_equal(from, 0);
	assert_int_equal(til, 31);
	account_period(-5, 28, &from, &til);
	assert_true(til > from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_no_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
