/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void test_first_error_wins(void **state)
{
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(err_make(&e, VE_ERR_NOT_FOUND, ENOENT, "store", "cannot open '%s'", "x"), -ENOENT);
	assert_int_equal(err_make(&e, VE_ERR_BUG, EIO, "other", "second"), -EIO);
	assert_string_equal(ve_error_message(e), "cannot open 'x': No such file or directory");
	assert_int_equal(ve_error_category(e), VE_ERR_NOT_FOUND);
	assert_int_equal(ve_error_errno(e), ENOENT);
	assert_string_equal(ve_error_stage(e), "store");
	assert_null(ve_error_hint(e));
}

static void test_plain_appends_nothing(void **state)
{
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(err_plain(&e, VE_ERR_STATE, EINVAL, "state", "it is so"), -EINVAL);
	assert_string_equal(ve_error_message(e), "it is so");
}

static void test_no_errno_is_still_negative(void **state)
{
	_cleanup_err_ ve_error *e = NULL;
	assert_true(err_make(&e, VE_ERR_USAGE, 0, "args", "no") < 0);
	assert_string_equal(ve_error_message(e), "no");
	assert_int_equal(ve_error_errno(e), 0);
}

static void test_propagate(void **state)
{
	(void)state;
	ve_error *first = NULL, *second = NULL, *out = NULL;
	err_propagate(&out, &first); /* there is none */
	assert_null(out);
	err_plain(&first, VE_ERR_USAGE, EINVAL, "a", "first");
	err_plain(&second, VE_ERR_BUG, EINVAL, "b", "second");
	err_propagate(NULL, &first); /* nobody wants it */
	assert_non_null(first);
	err_propagate(&out, &first);
	assert_null(first);
	err_propagate(&out, &second);
	assert_non_null(second); /* stays its maker's */
	assert_string_equal(ve_error_message(out), "first");
	ve_error_free(second);
	ve_error_free(out);
}

static void test_null_destination(void **state)
{
	assert_int_equal(err_make(NULL, VE_ERR_BUSY, EBUSY, "x", "y"), -EBUSY);
	assert_int_equal(err_nomem(NULL), -ENOMEM);
	assert_true(err_wrap(NULL, "x") < 0);
	err_hint(NULL, "x");
	ve_error_free(NULL);
	assert_string_equal(ve_error_stage(NULL), "");
	assert_non_null(ve_error_message(NULL));
}

static void test_wrap_and_hint(void **state)
{
	_cleanup_err_ ve_error *e = NULL;
	err_plain(&e, VE_ERR_CONFIG, EINVAL, "config", "bad");
	assert_int_equal(err_wrap(&e, "file:%d", 7), -EINVAL);
	assert_string_equal(ve_error_message(e), "file:7: bad");
	err_hint(&e, "do %s", "this");
	err_hint(&e, "do that");
	assert_string_equal(ve_error_hint(e), "do this");
}

static void test_out_of_memory_is_static(void **state)
{
	ve_error *e = NULL, *f = NULL;
	assert_int_equal(err_nomem(&e), -ENOMEM);
	assert_int_equal(err_nomem(&f), -ENOMEM);
	assert_ptr_equal(e, f);
	assert_int_equal(ve_error_category(e), VE_ERR_NO_ROOM);
	assert_int_equal(err_wrap(&e, "more"), -ENOMEM); /* must not touch what all share */
	err_hint(&e, "more");
	assert_string_equal(ve_error_message(e), "out of memory");
	assert_null(ve_error_hint(e));
	ve_error_free(e);
	assert_string_equal(ve_error_message(f), "out of memory");
}

/* DESIGN's chapter 8 fixes the exit codes; names are stable too and must differ. */
static void test_categories(void **state)
{
	static const int codes[VE_ERR_COUNT] = { 0, 64, 65, 66, 69, 70, 71, 73, 74, 75, 77, 78, 79 };
	for (int c = 0; c < VE_ERR_COUNT; c++) {
		assert_int_equal(ve_category_exit_code((enum ve_category)c), codes[c]);
		assert_non_null(ve_category_name((enum ve_category)c));
		for (int d = 0; d < c; d++)
			assert_string_not_equal(ve_category_name((enum ve_category)c),
						ve_category_name((enum ve_category)d));
	}
	assert_int_equal(ve_category_exit_code(VE_ERR_COUNT), 70);
}

static void test_category_of_errno(void **state)
{
	assert_int_equal(err_category_of(ENOSPC), VE_ERR_NO_ROOM);
	assert_int_equal(err_category_of(EDQUOT), VE_ERR_NO_ROOM);
	assert_int_equal(err_category_of(ENOENT), VE_ERR_NOT_FOUND);
	assert_int_equal(err_category_of(EEXIST), VE_ERR_EXISTS);
	assert_int_equal(err_category_of(ETIMEDOUT), VE_ERR_BUSY);
	assert_int_equal(err_category_of(ENOSYS), VE_ERR_UNSUPPORTED);
	assert_int_equal(err_category_of(EIO), VE_ERR_KERNEL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_error_wins),	cmocka_unit_test(test_propagate),
		cmocka_unit_test(test_plain_appends_nothing),
		cmocka_unit_test(test_no_errno_is_still_negative), cmocka_unit_test(test_null_destination),
		cmocka_unit_test(test_wrap_and_hint),		cmocka_unit_test(test_out_of_memory_is_static),
		cmocka_unit_test(test_categories),		cmocka_unit_test(test_category_of_errno),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
