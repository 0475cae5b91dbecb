/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "run/blobber.h"

static const struct blob *finish(struct blobber *b)
{
	assert_int_equal(blobber_finish(b, NULL), 0);
	return (const struct blob *)(void *)b->data;
}

static void test_strings_and_vectors_are_found_again(void **state)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	static const char *const words[] = { "/sbin/init", "", "a b", NULL };
	const uint64_t numbers[] = { 1, 2, UINT64_MAX };
	blobber_init(&b, MON_SUPERVISE);
	b.head.hostname = blobber_str(&b, "web1");
	b.head.cwd = blobber_str(&b, NULL);
	b.head.argv = blobber_strv(&b, words);
	b.head.rlimits = blobber_vec(&b, numbers, 3, sizeof(numbers[0]));
	const struct blob *h = finish(&b);
	assert_int_equal(h->magic, BLOB_MAGIC);
	assert_int_equal(h->size, b.len);
	assert_int_equal(h->role, MON_SUPERVISE);
	assert_string_equal(b.data + h->hostname, "web1");
	assert_int_equal(h->cwd, 0);
	assert_int_equal(h->argv.n, 3);
	const blob_str *argv = (const blob_str *)(void *)(b.data + h->argv.off);
	for (int i = 0; i < 3; i++)
		assert_string_equal(b.data + argv[i], words[i]);
	assert_int_equal(h->rlimits.off % 8, 0);
	assert_memory_equal(b.data + h->rlimits.off, numbers, sizeof(numbers));
}

static void test_descriptors_become_indexes(void **state)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	const int fds[] = { 40, 41 };
	blobber_init(&b, MON_JOIN);
	assert_int_equal(blobber_fd(&b, 7), 0);
	assert_int_equal(blobber_fd(&b, -1), -1);
	struct blob_vec v = blobber_fds(&b, fds, 2);
	const int32_t *indexes = (const int32_t *)(void *)(b.data + v.off);
	assert_int_equal(indexes[0], 1);
	assert_int_equal(indexes[1], 2);
	assert_int_equal(b.n_fds, 3);
	assert_int_equal(b.fds[2], 41);
}

static void test_what_no_message_can_hold_is_refused(void **state)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	_cleanup_free_ char *big = calloc(1, BLOB_MAX_BYTES + 1);
	ve_error *e = NULL;
	blobber_init(&b, MON_JOIN);
	memset(big, 'x', BLOB_MAX_BYTES);
	b.head.cwd = blobber_str(&b, big);
	assert_int_equal(blobber_finish(&b, &e), -E2BIG);
	assert_int_equal(ve_error_category(e), VE_ERR_USAGE);
	ve_error_free(e);
}

static void test_too_many_descriptors_are_refused(void **state)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	blobber_init(&b, MON_JOIN);
	for (int i = 0; i < BLOB_MAX_FDS; i++)
		assert_int_equal(blobber_fd(&b, 3), i);
	assert_int_equal(blobber_fd(&b, 3), -1);
	assert_true(blobber_finish(&b, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings_and_vectors_are_found_again),
		cmocka_unit_test(test_descriptors_become_indexes),
		cmocka_unit_test(test_what_no_message_can_hold_is_refused),
		cmocka_unit_test(test_too_many_descriptors_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
