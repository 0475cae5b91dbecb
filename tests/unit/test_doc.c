/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <ve.h>

static const char text[] = "{\"name\":\"web1\",\"memory.used\":512,\"cpu\":{\"cores\":2,\"load\":0.5},"
			   "\"addresses\":[\"192.0.2.1\",\"2001:db8::1\"],\"pending\":[],\"blocked\":null,\"up\":true}";

static ve_doc *doc(void)
{
	return (ve_doc *)json_loads(text, 0, NULL);
}

static void test_values_are_found_by_path(void **state)
{
	ve_doc *d = doc();
	assert_string_equal(ve_doc_string(d, "name"), "web1");
	assert_string_equal(ve_doc_string(d, "addresses.1"), "2001:db8::1");
	assert_int_equal(ve_doc_int(d, "cpu.cores"), 2);
	assert_true(ve_doc_real(d, "cpu.load") == 0.5);
	assert_true(ve_doc_bool(d, "up"));
	assert_int_equal(ve_doc_type(d, ""), VE_OBJECT);
	assert_int_equal(ve_doc_type(d, "blocked"), VE_NULL);
	ve_doc_free(d);
}

static void test_a_key_may_hold_dots(void **state)
{
	ve_doc *d = doc();
	assert_int_equal(ve_doc_int(d, "memory.used"), 512);
	ve_doc_free(d);
}

static void test_what_is_not_there_is_empty(void **state)
{
	ve_doc *d = doc();
	static const char *const absent[] = { "nothing", "name.x", "addresses.2", "addresses.x", "addresses.-1", "cpu.", ".", "cpu..cores" };
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		assert_int_equal(ve_doc_type(d, absent[i]), VE_NULL);
		assert_null(ve_doc_string(d, absent[i]));
		assert_int_equal(ve_doc_length(d, absent[i]), 0);
	}
	assert_null(ve_doc_string(d, "cpu.cores")); /* a number is no string */
	ve_doc_free(d);
	ve_doc_free(NULL);
}

static void test_elements_and_keys_in_order(void **state)
{
	ve_doc *d = doc();
	assert_int_equal(ve_doc_length(d, "addresses"), 2);
	assert_string_equal(ve_doc_key(d, "", 0), "name");
	assert_string_equal(ve_doc_key(d, "cpu", 1), "load");
	assert_null(ve_doc_key(d, "cpu", 2));
	assert_string_equal(ve_doc_string(ve_doc_at(d, "addresses", 0), ""), "192.0.2.1");
	assert_null(ve_doc_at(d, "addresses", 2));
	char *json = ve_doc_json(d, 0);
	assert_string_equal(json, text);
	free(json);
	ve_doc_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_found_by_path),
		cmocka_unit_test(test_a_key_may_hold_dots),
		cmocka_unit_test(test_what_is_not_there_is_empty),
		cmocka_unit_test(test_elements_and_keys_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
