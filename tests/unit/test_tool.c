/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"
#include "base/str.h"

static char words[TOOL_WORDS_MAX];

static int run(const char *script)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct tool t = { .argv = argv, .package = "dash" };
	int status = -1;
	assert_int_equal(tool_run(&t, &status, words, NULL), 0);
	return status;
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0"), 0);
	assert_string_equal(words, "");
	assert_int_equal(run("exit 7"), 7);
	assert_int_equal(run("kill -9 $$"), 137);
}

static void test_words(void **state)
{
	(void)state;
	run("echo one; echo two >&2; echo");
	assert_string_equal(words, "one;two");
	run("printf 'a\\033[1mb'");
	assert_string_equal(words, "a [1mb");
	/* Of much only the end is kept, and nobody waits for a reader. */
	run("i=0; while [ $i -lt 3000 ]; do echo some line of many; i=$((i + 1)); done; echo the end");
	assert_true(strlen(words) < TOOL_WORDS_MAX);
	assert_true(str_ends(words, "the end"));
}

static void test_descriptors(void **state)
{
	(void)state;
	static const char *const argv[] = { "sh", "-c", "[ /proc/self/fd/3 -ef /dev/null ] && [ /proc/self/fd/4 -ef /dev/zero ]",
					    NULL };
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC), zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	const struct tool t = { .argv = argv, .package = "dash", .fds = { null, zero }, .n_fds = 2 };
	int status = -1;
	assert_int_equal(tool_run(&t, &status, words, NULL), 0);
	assert_int_equal(status, 0);
}

static void note_progress(uint64_t bytes, uint64_t total, void *data)
{
	assert_int_equal(total, 77);
	*(uint64_t *)data = bytes;
}

/* One that takes long is watched, and ended when the caller wants. */
static void test_watched(void **state)
{
	(void)state;
	_cleanup_err_ ve_error *e = NULL;
	static const char *const argv[] = { "sh", "-c", "head -c 100000 /dev/zero >/dev/null; sleep 1000", NULL };
	int ends[2], status;
	uint64_t seen = UINT64_MAX;
	assert_int_equal(pipe(ends), 0);
	const struct storage_watch watch = { .cancel_fd = ends[0], .progress = note_progress, .data = &seen, .total = 77 };
	const struct tool t = { .argv = argv, .package = "dash", .watch = &watch };
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(tool_run(&t, &status, words, &e), -EINTR);
	assert_int_equal(ve_error_category(e), VE_ERR_BUSY);
	close(ends[0]);
	close(ends[1]);
	static const char *const slow[] = { "sh", "-c", "sleep 2", NULL };
	const struct storage_watch only = { .cancel_fd = -1, .progress = note_progress, .data = &seen, .total = 77 };
	const struct tool s = { .argv = slow, .package = "dash", .watch = &only };
	assert_int_equal(tool_run(&s, &status, words, NULL), 0);
	assert_true(seen < UINT64_MAX);
}

static void test_missing(void **state)
{
	(void)state;
	_cleanup_err_ ve_error *e = NULL;
	const char *const argv[] = { "no-such-program-anywhere", NULL };
	const struct tool t = { .argv = argv, .package = "a-package" };
	int status;
	assert_true(tool_run(&t, &status, words, &e) < 0);
	assert_int_equal(ve_error_category(e), VE_ERR_UNSUPPORTED);
	assert_non_null(strstr(ve_error_hint(e), "a-package"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status), cmocka_unit_test(test_words), cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_watched), cmocka_unit_test(test_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
