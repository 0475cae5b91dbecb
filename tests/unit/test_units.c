/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/units.h"

static const struct {
	enum unit unit;
	const char *text;
	int64_t value;
	const char *back; /* what the formatter writes */
} good[] = {
	{ UNIT_NONE, "0", 0, "0" },
	{ UNIT_NONE, "10000", 10000, "10000" },
	{ UNIT_NONE, "1.0", 1, "1" },
	{ UNIT_NONE, "9223372036854775806", INT64_MAX - 1, "9223372036854775806" },
	{ UNIT_NONE, "unlimited", UNITS_UNLIMITED, "unlimited" },
	{ UNIT_BYTES, "0", 0, "0" },
	{ UNIT_BYTES, "1000", 1000, "1000" },
	{ UNIT_BYTES, "1024", 1024, "1K" },
	{ UNIT_BYTES, "1K", 1024, "1K" },
	{ UNIT_BYTES, "1k", 1024, "1K" },
	{ UNIT_BYTES, "512M", 536870912, "512M" },
	{ UNIT_BYTES, "512MiB", 536870912, "512M" },
	{ UNIT_BYTES, "1.5G", 1610612736, "1536M" },
	{ UNIT_BYTES, "0.5K", 512, "512" },
	{ UNIT_BYTES, "1025M", 1074790400, "1025M" },
	{ UNIT_BYTES, "2T", INT64_C(2) << 40, "2T" },
	{ UNIT_BYTES, "8388607T", INT64_C(8388607) << 40, "8388607T" },
	{ UNIT_BYTES, "007K", 7168, "7K" },
	{ UNIT_BYTES_PER_S, "20MiB", 20971520, "20M" },
	{ UNIT_BITS_PER_S, "100M", 100000000, "100M" },
	{ UNIT_BITS_PER_S, "1.5Gbit", 1500000000, "1500M" },
	{ UNIT_BITS_PER_S, "64K", 64000, "64K" },
	{ UNIT_SECONDS, "90", 90, "90s" },
	{ UNIT_SECONDS, "90s", 90, "90s" },
	{ UNIT_SECONDS, "5m", 300, "5m" },
	{ UNIT_SECONDS, "1.5h", 5400, "90m" },
	{ UNIT_SECONDS, "2d", 172800, "2d" },
	{ UNIT_MILLICORES, "1.5", 1500, "1.5" },
	{ UNIT_MILLICORES, "150%", 1500, "1.5" },
	{ UNIT_MILLICORES, "2", 2000, "2" },
	{ UNIT_MILLICORES, "0.25", 250, "0.25" },
	{ UNIT_MILLICORES, "0.001", 1, "0.001" },
	{ UNIT_MILLICORES, "12.5%", 125, "0.125" },
	{ UNIT_MILLICORES, "100", 100000, "100" },
};

static const struct {
	enum unit unit;
	const char *text;
	int errnum;
	const char *says; /* part of the message */
} bad[] = {
	{ UNIT_NONE, "", EINVAL, "a whole number" },
	{ UNIT_NONE, "-1", EINVAL, "negative" },
	{ UNIT_NONE, "+1", EINVAL, "a whole number" },
	{ UNIT_NONE, "1K", EINVAL, "a whole number" },
	{ UNIT_NONE, "1.5", EINVAL, "too fine" },
	{ UNIT_NONE, " 1", EINVAL, "a whole number" },
	{ UNIT_NONE, "1 ", EINVAL, "a whole number" },
	{ UNIT_NONE, "0x10", EINVAL, "a whole number" },
	{ UNIT_NONE, "1e3", EINVAL, "a whole number" },
	{ UNIT_NONE, "9223372036854775807", ERANGE, "too large" },
	{ UNIT_NONE, "18446744073709551617", ERANGE, "too large" },
	{ UNIT_NONE, "340282366920938463463374607431768211457", ERANGE, "too many digits" },
	{ UNIT_BYTES, "512MB", EINVAL, "write '512M' for powers of 1024 (MiB), '512000000' for powers of 1000" },
	{ UNIT_BYTES, "1.5gb", EINVAL, "write '1.5G' for powers of 1024 (GiB), '1500000000'" },
	{ UNIT_BYTES, "1.0001KB", EINVAL, "ambiguous" },
	{ UNIT_BYTES, "99999999TB", EINVAL, "ambiguous" },
	{ UNIT_BYTES_PER_S, "20MB", EINVAL, "ambiguous" },
	{ UNIT_BYTES, "1.", EINVAL, "a size" },
	{ UNIT_BYTES, ".5G", EINVAL, "a size" },
	{ UNIT_BYTES, "1..5G", EINVAL, "a size" },
	{ UNIT_BYTES, "1.5.5G", EINVAL, "a size" },
	{ UNIT_BYTES, "G", EINVAL, "a size" },
	{ UNIT_BYTES, "1X", EINVAL, "a size" },
	{ UNIT_BYTES, "1Mi", EINVAL, "a size" },
	{ UNIT_BYTES, "1 M", EINVAL, "a size" },
	{ UNIT_BYTES, "0.0001K", EINVAL, "too fine" },
	{ UNIT_BYTES, "8388608T", ERANGE, "too large" },
	{ UNIT_BYTES, "99999999999999999999T", ERANGE, "too large" },
	{ UNIT_BYTES, "1.00000000000000000000001T", ERANGE, "too many digits" },
	{ UNIT_BYTES, "1M\n", EINVAL, "\\x0a" },
	{ UNIT_BYTES, "Unlimited", EINVAL, "a size" },
	{ UNIT_BITS_PER_S, "1KiB", EINVAL, "powers of 1000" },
	{ UNIT_SECONDS, "1w", EINVAL, "a time" },
	{ UNIT_SECONDS, "1h30m", EINVAL, "a time" },
	{ UNIT_MILLICORES, "150 %", EINVAL, "cores" },
	{ UNIT_MILLICORES, "0.0001", EINVAL, "too fine" },
	{ UNIT_MILLICORES, "1.5%", 0, NULL }, /* 15 thousandths: good */
};

static void test_good(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t value = -1;
		_cleanup_err_ ve_error *e = NULL;
		if (units_parse(good[i].unit, good[i].text, &value, &e) < 0)
			fail_msg("%s", ve_error_message(e));
		if (value != good[i].value)
			fail_msg("'%s' is %lld", good[i].text, (long long)value);
		_cleanup_free_ char *back = units_format(good[i].unit, value);
		assert_string_equal(back, good[i].back);
	}
}

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t value = -7;
		_cleanup_err_ ve_error *e = NULL;
		int r = units_parse(bad[i].unit, bad[i].text, &value, &e);
		if (r != -bad[i].errnum)
			fail_msg("'%s' gives %d", bad[i].text, r);
		if (r == 0)
			continue;
		assert_int_equal(value, -7);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
		if (!strstr(ve_error_message(e), bad[i].says))
			fail_msg("'%s' is not in '%s'", bad[i].says, ve_error_message(e));
	}
}

/* Whatever is written is read as the same value. */
static void test_round_trip(void **state)
{
	static const int64_t values[] = { 0, 1, 7, 59, 60, 61, 999, 1000, 1001, 1023, 1024, 1025, 1048575, 1048576,
			86400,
					  1000000007, INT64_C(1) << 40, (INT64_C(1) << 40) + 1, INT64_MAX - 1,
					  UNITS_UNLIMITED };
	for (int unit = 0; unit < UNIT_COUNT; unit++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			int64_t back = -1;
			_cleanup_free_ char *text = units_format((enum unit)unit, values[i]);
			assert_int_equal(units_parse((enum unit)unit, text, &back, NULL), 0);
			assert_true(back == values[i]);
		}
		assert_non_null(units_name((enum unit)unit));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
