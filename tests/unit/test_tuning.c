/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/tuning.h"

static void test_grows_and_ends(void **state)
{
	static const uint64_t n[] = { 0, 1, 100, 10000, 1000000, UINT64_MAX };
	for (const struct tuning *t = tunings; t->name; t++) {
		assert_true(t->base > 0 && t->base <= t->most && t->each >= 0);
		for (size_t i = 0; i + 1 < sizeof(n) / sizeof(n[0]); i++)
			assert_true(tuning_wanted(t, n[i]) <= tuning_wanted(t, n[i + 1]));
		assert_true(tuning_wanted(t, 0) == t->base);
		assert_true(tuning_wanted(t, UINT64_MAX) == (t->each ? t->most : t->base));
	}
	const struct tuning *aio = tuning_find("fs.aio-max-nr");
	assert_non_null(aio);
	assert_int_equal(tuning_wanted(aio, 100), 1048576 + 100 * 16384);
}

static void test_names(void **state)
{
	char path[TUNING_PATH_SIZE];
	assert_null(tuning_find("fs.nosuch"));
	tuning_path(tuning_find("net.ipv4.neigh.default.gc_thresh3"), path);
	assert_string_equal(path, "net/ipv4/neigh/default/gc_thresh3");
	for (const struct tuning *t = tunings; t->name; t++) {
		assert_ptr_equal(tuning_find(t->name), t);
		assert_true(strlen(t->name) < TUNING_PATH_SIZE && *t->reason);
		assert_null(strchr(t->reason, '\n')); /* it becomes a comment of a file */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_grows_and_ends), cmocka_unit_test(test_names) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
