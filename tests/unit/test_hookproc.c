/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run of a hook: what becomes of it. What it gets is in tests/e2e/hooks.bats. */
#include "run/hookproc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"

enum { LONG_MS = 60000 };

/* Runs SCRIPT, /bin/sh's, from a file. */
static int run(const char *script, int64_t deadline_ms, int cancel_fd, struct hookproc_end *end, ve_error **e)
{
	char path[] = "/tmp/hookproc.XXXXXX";
	static const char *const env[] = { "X=y", NULL };
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	dprintf(fd, "%s", script);
	fchmod(fd, 0700);
	close(fd);
	_cleanup_close_ int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct hookproc p = { .path = path, .env = env, .in_fd = in, .cancel_fd = cancel_fd, .deadline_ms = deadline_ms };
	int r = hookproc_run(&p, end, e);
	unlink(path);
	return r;
}

static void test_status_and_words(void **state)
{
	(void)state;
	struct hookproc_end end;
	assert_int_equal(run("#!/bin/sh\necho one; echo \"$X\" >&2; exit 7\n", LONG_MS, -1, &end, NULL), 0);
	assert_int_equal(end.status, 7);
	assert_string_equal(end.words, "one;y");
	assert_false(end.late || end.cancelled);
	assert_int_equal(run("#!/bin/sh\nkill -9 $$\n", LONG_MS, -1, &end, NULL), 0);
	assert_int_equal(end.status, 128 + SIGKILL);
	assert_int_equal(run("#!/bin/sh\ni=0; while [ $i -lt 9000 ]; do echo some line of many; i=$((i + 1)); done; echo the end\n", LONG_MS, -1,
			     &end, NULL), 0);
	assert_true(strlen(end.words) >= HOOK_WORDS_MAX - 2 && strstr(end.words, "the end"));
}

static void test_what_is_left_of_its_group_is_killed(void **state)
{
	(void)state;
	struct hookproc_end end;
	assert_int_equal(run("#!/bin/sh\nsleep 1000 &\necho $!\n", LONG_MS, -1, &end, NULL), 0);
	pid_t left = (pid_t)atoi(end.words);
	assert_true(left > 1);
	/* A zombie, until whoever has adopted it looks; nothing else. */
	char path[48], text[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)left);
	for (int i = 0; i < 10000; i++) {
		_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		if (!*text || strstr(text, ") Z ") || strstr(text, ") X "))
			return;
		usleep(1000);
	}
	fail_msg("it is still there: %s", text);
}

static void test_deadline_and_cancel(void **state)
{
	(void)state;
	struct hookproc_end end;
	int ends[2];
	static const char hangs[] = "#!/bin/sh\ntrap '' TERM INT\necho here\nsleep 1000 & wait\nsleep 1000\n";
	assert_int_equal(run(hangs, 300, -1, &end, NULL), 0);
	assert_true(end.late && !end.cancelled && end.status == 128 + SIGKILL);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(run(hangs, LONG_MS, ends[0], &end, NULL), 0);
	assert_true(end.cancelled);
	close(ends[0]);
	close(ends[1]);
}

static void test_what_cannot_be_run(void **state)
{
	(void)state;
	struct hookproc_end end;
	_cleanup_err_ ve_error *e = NULL, *f = NULL;
	assert_int_equal(run("no program", LONG_MS, -1, &end, &e), -ENOEXEC);
	assert_non_null(strstr(ve_error_message(e), "cannot execute"));
	assert_int_equal(run("#!/no/such/interpreter\n", LONG_MS, -1, &end, &f), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_words),
		cmocka_unit_test(test_what_is_left_of_its_group_is_killed),
		cmocka_unit_test(test_deadline_and_cancel),
		cmocka_unit_test(test_what_cannot_be_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
