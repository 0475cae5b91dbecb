/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add(struct tail *t, const char *s)
{
	tail_add(t, s, strlen(s));
}

static void test_what_fits_is_kept(void **state)
{
	(void)state;
	char text[16];
	struct tail t = { .text = text, .size = sizeof(text) };
	add(&t, "one\n");
	add(&t, "two\t\n\n");
	tail_finish(&t);
	assert_string_equal(text, "one;two");
	struct tail none = { .text = text, .size = sizeof(text) };
	tail_finish(&none);
	assert_string_equal(text, "");
}

static void test_of_much_the_end_is_kept(void **state)
{
	(void)state;
	char text[8];
	struct tail t = { .text = text, .size = sizeof(text) };
	add(&t, "abcdef");
	add(&t, "ghi");
	tail_finish(&t);
	assert_string_equal(text, "cdefghi");
	add(&t, "0123456789");
	tail_finish(&t);
	assert_string_equal(text, "3456789");
	add(&t, "");
	tail_finish(&t);
	assert_string_equal(text, "3456789");
}

static void test_nothing_moves_a_terminals_cursor(void **state)
{
	(void)state;
	char text[32];
	struct tail t = { .text = text, .size = sizeof(text) };
	static const char raw[] = "a\033[1m\0b\xff\x7f.";
	tail_add(&t, raw, sizeof(raw) - 1);
	tail_finish(&t);
	assert_string_equal(text, "a [1m b  .");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_fits_is_kept),
		cmocka_unit_test(test_of_much_the_end_is_kept),
		cmocka_unit_test(test_nothing_moves_a_terminals_cursor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
