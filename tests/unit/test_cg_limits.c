/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written into controller files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

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
		{ cg_format_burst, 0, "0" },
		{ cg_format_burst, 1500, "150000" },
		{ cg_format_burst, -1, NULL },
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
	for (size_t i = 0; i < offsetof(struct cg_limits, cpu_set) / sizeof(*fields); i++)
		assert_true(fields[i] == CG_UNSET);
	assert_null(l.cpu_set);
	assert_int_equal(l.n_disks, 0);
}

/* Only what differs is written; what is no longer set goes back to the kernel's default. */
static void test_change(void **state)
{
	struct cg_limits a, b, c;
	cg_limits_init(&a);
	b = a;
	assert_false(cg_limits_change(&a, &b, &c));
	a.memory_bytes = b.memory_bytes = 100;
	a.io_weight = 200;
	a.pids = 10;
	b.pids = 20;
	assert_true(cg_limits_change(&a, &b, &c));
	assert_true(c.memory_bytes == CG_UNSET && c.cpu_weight == CG_UNSET && c.cpu_cores == CG_UNSET && !c.cpu_set);
	assert_int_equal(c.io_weight, 100);
	assert_int_equal(c.pids, 20);
	/* Cores and set are one list: either brings the other along. */
	cg_limits_init(&a);
	b = a;
	a.cpu_cores = b.cpu_cores = 2;
	a.cpu_set = "0-3";
	assert_true(cg_limits_change(&a, &b, &c));
	assert_int_equal(c.cpu_cores, 2);
	assert_string_equal(c.cpu_set, "");
	b.cpu_set = "1";
	b.cpu_cores = CG_UNSET;
	assert_true(cg_limits_change(&a, &b, &c));
	assert_true(c.cpu_cores == UNITS_UNLIMITED);
	assert_string_equal(c.cpu_set, "1");
}

/* Lines of files that have one a disk, and those that take them back. */
static void test_io(void **state)
{
	static const struct {
		int version;
		int64_t value;
		const char *all, *line, *old;
	} cases[] = {
		{ 1, 1000, "", "254:0 1000", "254:0 0" },
		{ 1, UNITS_UNLIMITED, "8:0 7\n254:0 55\n", "254:0 0", "254:0 55" },
		{ 2, 1000, "", "254:0 wbps=1000", "254:0 wbps=max" },
		{ 2, UNITS_UNLIMITED, "254:0 rbps=1 wbps=22 riops=max wiops=max\n", "254:0 wbps=max", "254:0 wbps=22" },
		{ 2, 5, "25:40 rbps=1 wbps=22\n254:0 rbps=9\n8:0 wbps=3\n", "254:0 wbps=5", "254:0 wbps=max" },
		{ 1, 0, "", NULL, NULL },
		{ 2, -1, "", NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[CG_TEXT_MAX];
		int r = cg_io_format(cases[i].version, "wbps", makedev(254, 0), cases[i].value, line);
		assert_int_equal(r < 0, !cases[i].line);
		if (r < 0)
			continue;
		assert_string_equal(line, cases[i].line);
		char *old = cg_io_old(cases[i].version, line, cases[i].all);
		assert_string_equal(old, cases[i].old);
		free(old);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_memsw),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_io),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
