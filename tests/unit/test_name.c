/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/name.h"

#define S63 "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxy"

static void test_good_names(void **state)
{
	static const char *const good[] = { "a", "1", "101", "web1", "a-b", "a--b", "0-0", S63,
					    "3a0bd0b8-7c1d-4e55-9f6a-2b1c0d9e8f7", /* one digit short of a uuid */
					    "ga0bd0b8-7c1d-4e55-9f6a-2b1c0d9e8f77" };
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(name_check("VE", good[i], NULL), 0);
	assert_int_equal(strlen(S63), NAME_MAX_LENGTH);
}

static void test_bad_names(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "/", "-rf", "a-", "-", "A", "Web1", "a b", "a\nb", "a_b", "a.b", "web1\n",
		" web1", "\xc3\xbc", "\xff", "a\033[2J", S63 "a", "*", "3a0bd0b8-7c1d-4e55-9f6a-2b1c0d9e8f77",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		assert_true(name_check("VE", bad[i], &e) < 0);
		assert_int_equal(ve_error_category(e), VE_ERR_USAGE);
		for (const char *p = ve_error_message(e); *p; p++) /* nothing raw reaches a terminal */
			assert_true((unsigned char)*p >= 0x20 && *p != '\xff');
	}
}

static void test_long_name_is_not_repeated(void **state)
{
	_cleanup_free_ char *name = malloc(100001);
	_cleanup_err_ ve_error *e = NULL;
	memset(name, 'a', 100000);
	name[100000] = '\0';
	assert_true(name_check("image", name, &e) < 0);
	assert_true(strlen(ve_error_message(e)) < 300);
	assert_non_null(strstr(ve_error_message(e), "image"));
}

static void test_uuid(void **state)
{
	char a[UUID_LENGTH + 1], b[UUID_LENGTH + 1];
	for (int i = 0; i < 100; i++) {
		assert_int_equal(uuid_make(a, NULL), 0);
		assert_int_equal(uuid_make(b, NULL), 0);
		assert_true(uuid_is(a));
		assert_int_equal(a[14], '4');			 /* version */
		assert_non_null(strchr("89ab", a[19]));		 /* variant */
		assert_string_not_equal(a, b);
	}
	assert_false(uuid_is(""));
	assert_false(uuid_is("3a0bd0b8"));
	assert_false(uuid_is("3A0BD0B8-7C1D-4E55-9F6A-2B1C0D9E8F77"));
	assert_false(uuid_is("3a0bd0b8-7c1d-4e55-9f6a-2b1c0d9e8f77x"));
	assert_false(uuid_is("3a0bd0b8/7c1d-4e55-9f6a-2b1c0d9e8f77"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_names),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_long_name_is_not_repeated),
		cmocka_unit_test(test_uuid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
