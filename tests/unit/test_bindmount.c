/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/bindmount.h"

static void test_good(void **state)
{
	struct bindmount b;
	(void)state;
	assert_int_equal(bindmount_parse("/srv/web1:/srv", &b, NULL), 0);
	assert_string_equal(b.source, "/srv/web1");
	assert_string_equal(b.target, "/srv");
	assert_false(b.readonly);
	assert_int_equal(bindmount_parse("/a b/...:/..a/.b:ro", &b, NULL), 0);
	assert_string_equal(b.source, "/a b/...");
	assert_string_equal(b.target, "/..a/.b");
	assert_true(b.readonly);
	/* Whether that may be given is for who knows where the store is. */
	assert_int_equal(bindmount_parse("/:/host:ro", &b, NULL), 0);
	assert_int_equal(bindmount_parse("/a:/devices", &b, NULL), 0);
	assert_int_equal(bindmount_parse("/a:/run/hosts", &b, NULL), 0);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", ":", "/a", "/a:", ":/a", "a:/b", "/a:b", "/a:/", "/a:/b:", "/a:/b:rw", "/a:/b:ro:", "/a:/b:ro,rw", "/a:/b:RO", "/a/:/b",
		"/a:/b/", "//a:/b", "/a//b:/c", "/a/../b:/c", "/..:/c", "/a:/..", "/a/.:/b", "/a:/./b", "/a:/proc", "/a:/proc/x", "/a:/sys/fs",
		"/a:/dev", "/a:/dev/fuse", "/a:/run/host", "/a:/run/host/x", "/a\n:/b", "/a:/b\x7f",
	};
	struct bindmount b;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		if (bindmount_parse(bad[i], &b, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	}
}

static void test_length(void **state)
{
	char text[2 * BINDMOUNT_PATH_SIZE + 8];
	struct bindmount b;
	(void)state;
	for (int over = 0; over < 2; over++) {
		size_t n = BINDMOUNT_PATH_SIZE - 1 + (size_t)over;
		memset(text, 'x', sizeof(text));
		text[0] = '/';
		memcpy(text + n, ":/b", 4);
		assert_int_equal(bindmount_parse(text, &b, NULL) < 0, over);
		memset(text, 'x', sizeof(text));
		memcpy(text, "/a:/", 4);
		text[3 + n] = '\0';
		assert_int_equal(bindmount_parse(text, &b, NULL) < 0, over);
	}
}

static void test_below(void **state)
{
	(void)state;
	assert_true(bindmount_is_below("/a", "/a"));
	assert_true(bindmount_is_below("/a/b", "/a"));
	assert_true(bindmount_is_below("/a", "/"));
	assert_false(bindmount_is_below("/ab", "/a"));
	assert_false(bindmount_is_below("/", "/a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
