/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "temp_dir.h"

static void put(int dir_fd, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static bool exists(int dir_fd, const char *path)
{
	struct stat st;
	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned count_entries(int dir_fd)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fdopendir(copy);
	unsigned n = 0;
	while (readdir(dir))
		n++;
	return n - 2;
}

/* ---- reading and replacing */

static void test_read(void **state)
{
	struct dir *d = *state;
	_cleanup_free_ char *data = NULL;
	size_t size;
	put(d->fd, "f", "hello");
	assert_int_equal(file_read(d->fd, "f", 5, &data, &size), 0);
	assert_int_equal(size, 5);
	assert_string_equal(data, "hello");
	char *other = NULL;
	assert_int_equal(file_read(d->fd, "f", 4, &other, NULL), -EFBIG);
	assert_int_equal(file_read(d->fd, "none", 4, &other, NULL), -ENOENT);
	assert_null(other);
}

static void test_read_large(void **state)
{
	struct dir *d = *state;
	_cleanup_free_ char *big = malloc(100001), *data = NULL;
	size_t size;
	memset(big, 'x', 100000);
	big[100000] = '\0';
	put(d->fd, "big", big);
	assert_int_equal(file_read(d->fd, "big", 100000, &data, &size), 0);
	assert_int_equal(size, 100000);
	assert_string_equal(data, big);
}

/* A FIFO in the place of a file must neither block nor be read; a link is not followed. */
static void test_read_refuses_others(void **state)
{
	struct dir *d = *state;
	char *data = NULL;
	assert_int_equal(mkfifoat(d->fd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("/etc/passwd", d->fd, "link"), 0);
	assert_int_equal(file_read(d->fd, "fifo", 100, &data, NULL), -EINVAL);
	assert_int_equal(file_read(d->fd, "link", 100000, &data, NULL), -ELOOP);
	assert_int_equal(file_read(d->fd, ".", 100, &data, NULL), -EISDIR);
	assert_null(data);
}

static void test_replace(void **state)
{
	struct dir *d = *state;
	for (int durable = 0; durable < 2; durable++) {
		_cleanup_free_ char *data = NULL;
		struct stat st;
		mode_t old = umask(077);
		assert_int_equal(file_replace(d->fd, "f", "one", 3, 0644, durable), 0);
		assert_int_equal(file_replace(d->fd, "f", "two", 3, 0640, durable), 0);
		umask(old);
		assert_int_equal(file_read(d->fd, "f", 10, &data, NULL), 0);
		assert_string_equal(data, "two");
		assert_int_equal(fstatat(d->fd, "f", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0640);
		assert_int_equal(count_entries(d->fd), 1); /* no temporary file is left */
	}
}

static void test_replace_in_subdirectory(void **state)
{
	struct dir *d = *state;
	assert_int_equal(file_mkdirs(d->fd, "a/b", 0755), 0);
	assert_int_equal(file_replace(d->fd, "a/b/f", "x", 1, 0600, true), 0);
	assert_true(exists(d->fd, "a/b/f"));
}

/* The link is replaced, what it leads to is not. */
static void test_replace_over_link(void **state)
{
	struct dir *d = *state;
	struct stat st;
	_cleanup_free_ char *data = NULL;
	put(d->fd, "victim", "safe");
	assert_int_equal(symlinkat("victim", d->fd, "f"), 0);
	assert_int_equal(file_replace(d->fd, "f", "new", 3, 0600, false), 0);
	assert_int_equal(file_read(d->fd, "victim", 10, &data, NULL), 0);
	assert_string_equal(data, "safe");
	assert_int_equal(fstatat(d->fd, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void test_failed_replace_leaves_the_old(void **state)
{
	struct dir *d = *state;
	assert_int_equal(mkdirat(d->fd, "f", 0755), 0);
	assert_true(file_replace(d->fd, "f", "x", 1, 0600, false) < 0);
	assert_true(file_replace(d->fd, "no/such", "x", 1, 0600, false) < 0);
	assert_int_equal(count_entries(d->fd), 1);
}

static void test_mkdirs(void **state)
{
	struct dir *d = *state;
	assert_int_equal(file_mkdirs(d->fd, "a/b/c", 0755), 0);
	assert_int_equal(file_mkdirs(d->fd, "a/b/c", 0755), 0);
	assert_int_equal(file_mkdirs(d->fd, "a/b/c/", 0755), 0);
	put(d->fd, "file", "");
	assert_int_equal(file_mkdirs(d->fd, "file/x", 0755), -ENOTDIR);
}

/* ---- removing what a tenant has built */

static void test_remove_missing_and_simple(void **state)
{
	struct dir *d = *state;
	assert_int_equal(file_remove_tree(d->fd, "none"), 0);
	put(d->fd, "file", "x");
	assert_int_equal(file_remove_tree(d->fd, "file"), 0);
	assert_false(exists(d->fd, "file"));
	assert_int_equal(symlinkat("/", d->fd, "link"), 0);
	assert_int_equal(file_remove_tree(d->fd, "link"), 0);
	assert_false(exists(d->fd, "link"));
}

static void test_remove_never_leaves_the_tree(void **state)
{
	struct dir *d = *state;
	assert_int_equal(file_mkdirs(d->fd, "outside/kept", 0755), 0);
	put(d->fd, "outside/file", "x");
	assert_int_equal(file_mkdirs(d->fd, "tree/sub", 0755), 0);
	assert_int_equal(symlinkat("../outside", d->fd, "tree/link"), 0);
	assert_int_equal(symlinkat("../../outside", d->fd, "tree/sub/link"), 0);
	assert_int_equal(linkat(d->fd, "outside/file", d->fd, "tree/hard", 0), 0);
	assert_int_equal(file_remove_tree(d->fd, "tree"), 0);
	assert_false(exists(d->fd, "tree"));
	assert_true(exists(d->fd, "outside/kept"));
	assert_true(exists(d->fd, "outside/file"));
}

static void test_remove_odd_names(void **state)
{
	struct dir *d = *state;
	static const char *const names[] = { "-rf", "a\nb", "...", "\xff\xfe", " ", "*", "\\", ".hidden" };
	assert_int_equal(mkdirat(d->fd, "tree", 0755), 0);
	_cleanup_close_ int tree = file_opendir(d->fd, "tree");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(mkdirat(tree, names[i], 0), 0);
		char sub[64];
		snprintf(sub, sizeof(sub), "%s.d", names[i]);
		assert_int_equal(mkdirat(tree, sub, 0755), 0);
		_cleanup_close_ int fd = file_opendir(tree, sub);
		put(fd, names[i], "x");
	}
	assert_int_equal(mkfifoat(tree, "fifo", 0600), 0);
	assert_int_equal(file_remove_tree(d->fd, "tree"), 0);
	assert_false(exists(d->fd, "tree"));
}

/* DEPTH directories below each other, with a file at the bottom; CLUTTER: a sibling file in each. */
static void make_deep(int dir_fd, const char *name, unsigned depth, bool clutter)
{
	assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
	int fd = file_opendir(dir_fd, name);
	for (unsigned i = 0; i < depth; i++) {
		if (clutter)
			put(fd, "f", "x");
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		int sub = file_opendir(fd, "d");
		assert_true(sub >= 0);
		close(fd);
		fd = sub;
	}
	put(fd, "bottom", "x");
	close(fd);
}

/* Deeper than there are descriptors, and than PATH_MAX is long. */
static void test_remove_deep(void **state)
{
	struct dir *d = *state;
	struct rlimit few = { .rlim_cur = 256, .rlim_max = 256 }, old;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	make_deep(d->fd, "tree", 5000, true);
	assert_int_equal(file_remove_tree(d->fd, "tree"), 0);
	assert_false(exists(d->fd, "tree"));
	setrlimit(RLIMIT_NOFILE, &old);
}

/* A tenant who has read the source takes the names that deep directories are moved to. */
static void test_remove_deep_with_taken_names(void **state)
{
	struct dir *d = *state;
	make_deep(d->fd, "tree", 300, false);
	_cleanup_close_ int tree = file_opendir(d->fd, "tree");
	for (unsigned i = 0; i < 40; i++) {
		char name[64];
		snprintf(name, sizeof(name), ".deep-%u", i);
		if (i % 2) {
			put(tree, name, "x");
			continue;
		}
		assert_int_equal(mkdirat(tree, name, 0755), 0);
		_cleanup_close_ int sub = file_opendir(tree, name);
		put(sub, "full", "x");
		make_deep(sub, "deep", 100, false);
	}
	assert_int_equal(file_remove_tree(d->fd, "tree"), 0);
	assert_false(exists(d->fd, "tree"));
}

static void test_remove_many_deep(void **state)
{
	struct dir *d = *state;
	assert_int_equal(mkdirat(d->fd, "tree", 0755), 0);
	_cleanup_close_ int tree = file_opendir(d->fd, "tree");
	for (unsigned i = 0; i < 30; i++) {
		char name[16];
		snprintf(name, sizeof(name), "t%u", i);
		make_deep(tree, name, 200, i % 2);
	}
	assert_int_equal(file_remove_tree(d->fd, "tree"), 0);
	assert_false(exists(d->fd, "tree"));
}

static void test_remove_wide(void **state)
{
	struct dir *d = *state;
	assert_int_equal(mkdirat(d->fd, "tree", 0755), 0);
	_cleanup_close_ int tree = file_opendir(d->fd, "tree");
	for (unsigned i = 0; i < 3000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%u", i);
		if (i % 3)
			put(tree, name, "");
		else
			assert_int_equal(mkdirat(tree, name, 0755), 0);
	}
	assert_int_equal(file_remove_tree(d->fd, "tree"), 0);
	assert_false(exists(d->fd, "tree"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, temp_dir_setup, temp_dir_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_read),
		CASE(test_read_large),
		CASE(test_read_refuses_others),
		CASE(test_replace),
		CASE(test_replace_in_subdirectory),
		CASE(test_replace_over_link),
		CASE(test_failed_replace_leaves_the_old),
		CASE(test_mkdirs),
		CASE(test_remove_missing_and_simple),
		CASE(test_remove_never_leaves_the_tree),
		CASE(test_remove_odd_names),
		CASE(test_remove_deep),
		CASE(test_remove_deep_with_taken_names),
		CASE(test_remove_many_deep),
		CASE(test_remove_wide),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
