/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/extimage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"
#include "fs/loop.h"
#include "temp_dir.h"

#define MIB (UINT64_C(1) << 20)

static int dir;

static int set_up(void **state)
{
	int r = temp_dir_setup(state);
	dir = r == 0 ? ((struct dir *)*state)->fd : -1;
	return r;
}

static void make(const char *name, uint64_t bytes, uint64_t inodes)
{
	const struct storage_size size = { .bytes = bytes, .inodes = inodes };
	assert_int_equal(extimage_make(dir, name, &size, NULL), 0);
}

static void test_made_sparse(void **state)
{
	(void)state;
	struct storage_usage u;
	struct stat st;
	make("a", 10240 * MIB, 0);
	assert_true(extimage_exists(dir, "a"));
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_size, 10240 * MIB);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true((uint64_t)st.st_blocks * 512 < 64 * MIB);
	assert_int_equal(extimage_usage(dir, "a", 0, &u, NULL), 0);
	assert_int_equal(u.size_bytes, 10240 * MIB);
	assert_true(u.used_bytes > 0 && (uint64_t)u.used_bytes < 512 * MIB);
	/* One for each 16 KiB. */
	assert_int_equal(u.inodes, 10240 * MIB / 16384);
}

static void test_number_of_files(void **state)
{
	(void)state;
	struct storage_usage u;
	make("b", 64 * MIB, 5000);
	assert_int_equal(extimage_usage(dir, "b", 0, &u, NULL), 0);
	assert_in_range(u.inodes, 5000, 6000);
	assert_in_range(u.used_inodes, 1, 20);
}

static void test_no_size_for_a_file_system(void **state)
{
	(void)state;
	_cleanup_err_ ve_error *e = NULL;
	const struct storage_size size = { .bytes = 16384 };
	assert_true(extimage_make(dir, "c", &size, &e) < 0);
	assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	assert_false(extimage_exists(dir, "c"));
}

static void damaged(const char *name)
{
	_cleanup_err_ ve_error *e = NULL;
	struct storage_usage u;
	assert_true(extimage_usage(dir, name, 0, &u, &e) < 0);
	assert_int_equal(ve_error_category(e), VE_ERR_DATA);
}

static void test_damaged(void **state)
{
	(void)state;
	static const char zeroes[4096];
	make("d", 32 * MIB, 0);
	_cleanup_close_ int fd = openat(dir, "d", O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 16 * MIB), 0);
	damaged("d"); /* shorter than its own file system */
	assert_int_equal(ftruncate(fd, 32 * MIB), 0);
	assert_int_equal(pwrite(fd, zeroes, sizeof(zeroes), 0), sizeof(zeroes));
	damaged("d");
	assert_int_equal(ftruncate(fd, 100), 0);
	damaged("d");
	damaged("missing");
	assert_int_equal(symlinkat("d", dir, "link"), 0);
	damaged("link");
}

static void test_sole_user(void **state)
{
	(void)state;
	make("e", 32 * MIB, 0);
	int one = openat(dir, "e", O_RDWR | O_CLOEXEC);
	assert_int_equal(loop_in_use(one), 0);
	int two = openat(dir, "e", O_RDWR | O_CLOEXEC);
	assert_int_equal(loop_in_use(one), 1);
	close(two);
	assert_int_equal(loop_in_use(one), 0);
	close(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_sparse), cmocka_unit_test(test_number_of_files),
		cmocka_unit_test(test_no_size_for_a_file_system), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_sole_user),
	};
	return cmocka_run_group_tests(tests, set_up, temp_dir_teardown);
}
