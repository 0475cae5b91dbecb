/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written into controller files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cg/backend.h"
#include "model/units.h"

static void test_formats(void **state)
{
	static const struct {
		cg_format_fn format;
		int64_t value;
		const char *text; /* NULL: out of range */
	} cases[] = {
		{ cg_format_max, 512, "512" },
		{ cg_format_max, 0, "0" },
		{ cg_format_max, UNITS_UNLIMITED, "max" },
		{ cg_format_max, -1, NULL },
		{ cg_format_bytes_v1, 1 << 30, "1073741824" },
		{ cg_format_bytes_v1, UNITS_UNLIMITED, "-1" },
		{ cg_format_bytes_v1, -5, NULL },
		{ cg_format_number, 10000, "10000" },
		{ cg_format_cpu_max, 1500, "150000 100000" },
		{ cg_format_cpu_max, 10, "1000 100000" },
		{ cg_format_cpu_max, 9, NULL },
		{ cg_format_cpu_max, 0, NULL },
		{ cg_format_cpu_max, -1000, NULL },
		{ cg_format_cpu_max, INT64_MAX - 1, NULL },
		{ cg_format_cpu_max, UNITS_UNLIMITED, "max 100000" },
		{ cg_format_cfs_quota, 250, "25000" },
		{ cg_format_cfs_quota, 1, NULL },
		{ cg_format_cfs_quota, UNITS_UNLIMITED, "-1" },
		{ cg_format_shares, 100, "1024" },
		{ cg_format_shares, 1, "10" },
		{ cg_format_shares, 50, "512" },
		{ cg_format_shares, 10000, "102400" },
		{ cg_format_shares, 0, NULL },
		{ cg_format_shares, 10001, NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CG_TEXT_MAX] = "";
		int r = cases[i].format(cases[i].value, text);
		if (!cases[i].text) {
			assert_true(r < 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(text, cases[i].text);
	}
}

/* memory.swap is swap alone, v1's memsw the sum. */
static void test_memsw(void **state)
{
	assert_int_equal(cg_memsw(100, 0), 100);
	assert_int_equal(cg_memsw(100, 50), 150);
	assert_int_equal(cg_memsw(UNITS_UNLIMITED, 50), UNITS_UNLIMITED);
	assert_int_equal(cg_memsw(100, UNITS_UNLIMITED), UNITS_UNLIMITED);
	assert_int_equal(cg_memsw(INT64_MAX - 1, INT64_MAX - 1), UNITS_UNLIMITED);
}

static void test_init(void **state)
{
	struct cg_limits l;
	cg_limits_init(&l);
	const int64_t *fields = (const int64_t *)&l;
	for (size_t i = 0; i < sizeof(l) / sizeof(*fields); i++)
		assert_true(fields[i] == CG_UNSET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_memsw),
		cmocka_unit_test(test_init),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
