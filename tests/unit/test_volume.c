/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/volume.h"

static void test_good(void **state)
{
	struct volume v;
	_cleanup_free_ char *text = NULL;
	(void)state;
	assert_int_equal(volume_parse("data:1024M:/srv/..data", &v, NULL), 0);
	assert_string_equal(v.name, "data");
	assert_true(v.bytes == UINT64_C(1) << 30);
	assert_string_equal(v.target, "/srv/..data");
	assert_int_equal(volume_canonical("data:1024M:/srv/..data", &text, NULL), 0);
	assert_string_equal(text, "data:1G:/srv/..data");
	assert_int_equal(volume_parse("0:16M:/a", &v, NULL), 0);
	assert_int_equal(volume_parse("a-1:1024T:/runs", &v, NULL), 0);
	assert_int_equal(volume_check_name("data", NULL), 0);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", ":", "::", "data", "data:", "data:1G", "data:1G:", "data::/srv", ":1G:/srv", "1G:/srv", "data:1G:srv", "data:1G:/",
		"data:1G:/srv/", "data:1G:/srv:", "data:1G:/srv:ro", "data:1G:/a/../b", "data:1G:/a//b", "data:1G:/./b", "data:1G:/proc",
		"data:1G:/sys/x", "data:1G:/dev", "data:1G:/run", "data:1G:/run/host", "data:15M:/srv", "data:1025T:/srv", "data:1GB:/srv",
		"data:-1G:/srv", "data:unlimited:/srv", "Data:1G:/srv", "../x:1G:/srv", "-a:1G:/srv", "a-:1G:/srv", "data:1G:/s\nrv",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1G:/srv",
	};
	struct volume v;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		if (volume_parse(bad[i], &v, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	}
	assert_true(volume_check_name("a:b", NULL) < 0);
	assert_true(volume_check_name("", NULL) < 0);
}

static void test_length(void **state)
{
	char text[BINDMOUNT_PATH_SIZE + 16];
	struct volume v;
	(void)state;
	for (int over = 0; over < 2; over++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "d:1G:/", 6);
		text[5 + BINDMOUNT_PATH_SIZE - 1 + over] = '\0';
		assert_int_equal(volume_parse(text, &v, NULL) < 0, over);
	}
}

static void test_order(void **state)
{
	struct volume all[VOLUMES_MAX];
	json_t *list = json_pack("[s,s,s]", "deep:1G:/srv/a/b", "other:1G:/opt", "above:1G:/srv/a");
	(void)state;
	assert_int_equal(volume_list(NULL, all), 0);
	assert_int_equal(volume_list(list, all), 3);
	assert_string_equal(all[0].name, "other");
	assert_string_equal(all[1].name, "above");
	assert_string_equal(all[2].name, "deep");
	assert_ptr_equal(volume_find(all, 3, "deep"), &all[2]);
	assert_null(volume_find(all, 2, "deep"));
	json_decref(list);
}

static void grows(const char *a, const char *b, bool expected)
{
	json_t *x = json_loads(a, 0, NULL), *y = json_loads(b, 0, NULL);
	if (volume_grows_only(x, y) != expected)
		fail_msg("%s -> %s", a, b);
	json_decref(x);
	json_decref(y);
}

static void test_what_is_live(void **state)
{
	(void)state;
	grows("[\"a:1G:/a\",\"b:1G:/b\"]", "[\"b:2G:/b\",\"a:1G:/a\"]", true);
	grows("[\"a:2G:/a\"]", "[\"a:1G:/a\"]", false);
	grows("[\"a:1G:/a\"]", "[\"a:2G:/b\"]", false);
	grows("[\"a:1G:/a\"]", "[\"b:1G:/a\"]", false);
	grows("[\"a:1G:/a\"]", "[]", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_what_is_live),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
