/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a host program. Its namespaces need root: without, only what is refused before. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "run/program.h"

struct heard {
	struct strbuf text;
	int write_fd; /* written to at the first line */
};

static void hear(const char *line, void *data)
{
	struct heard *h = data;
	strbuf_addf(&h->text, "%s|", line);
	if (h->write_fd > 0)
		(void)!write(h->write_fd, "x", 1);
}

static int run(const char *script, struct heard *h, int cancel_fd, int *status, ve_error **e)
{
	const char *const argv[] = { "sh", "-c", script, NULL }, *const env[] = { "X=y z", NULL };
	struct program p = { .argv = argv, .env = env, .cancel_fd = cancel_fd, .line = hear, .data = h };
	return program_run(&p, status, e);
}

static void says(const char *script, const char *expected, int expected_status)
{
	struct heard h = {};
	int status = -1;
	ve_error *e = NULL;
	if (run(script, &h, -1, &status, &e) < 0)
		fail_msg("%s: %s", script, ve_error_message(e));
	assert_string_equal(h.text.data ?: "", expected);
	assert_int_equal(status, expected_status);
	strbuf_done(&h.text);
}

static void test_output(void **state)
{
	if (geteuid() != 0)
		skip();
	says("echo one; echo two >&2; printf three", "one|two|three|", 0);
	says("printf 'a\\rb\\n\\nc\\0d\\n'", "a|b|cd|", 0);
	says("exit 7", "", 7);
	says("exec 2>/dev/null; sh -c 'kill -9 $$'", "", 137);
	says("echo \"$X $HOME $LC_ALL\"; pwd; id -u", "y z /root C.UTF-8|/|0|", 0);
	says("cat; ls /proc/self/fd | wc -l", "4|", 0); /* no input; 0, 1, 2 and ls' own */
	says("trap '' TERM; kill -TERM $$; umask", "0022|", 0);
}

/* What it leaves running dies with it, and what it mounts is not there for us. */
static void test_leaves_nothing(void **state)
{
	if (geteuid() != 0)
		skip();
	says("echo $$; mount -t tmpfs none /mnt && touch /mnt/vectl-test-program; sleep 1000 & :", "1|", 0);
	assert_int_equal(access("/mnt/vectl-test-program", F_OK), -1);
}

static void test_cancel(void **state)
{
	if (geteuid() != 0)
		skip();
	int fds[2], status = -1;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	struct heard h = { .write_fd = fds[1] };
	ve_error *e = NULL;
	/* Deaf to SIGTERM, with a child that holds the pipe open. */
	assert_int_equal(run("trap '' TERM INT; sleep 1000 & echo up; while :; do sleep 1000; done", &h, fds[0],
			     &status, &e),
			 -EINTR);
	assert_int_equal(ve_error_category(e), VE_ERR_BUSY);
	ve_error_free(e);
	strbuf_done(&h.text);
	close(fds[0]);
	close(fds[1]);
}

static void test_missing(void **state)
{
	const char *const argv[] = { "no-such-program-at-all", NULL };
	struct program p = { .argv = argv, .package = "some-package", .cancel_fd = -1 };
	ve_error *e = NULL;
	int status;
	assert_int_equal(program_run(&p, &status, &e), -ENOENT);
	assert_int_equal(ve_error_category(e), VE_ERR_UNSUPPORTED);
	assert_non_null(strstr(ve_error_message(e), "'no-such-program-at-all'"));
	assert_non_null(strstr(ve_error_hint(e), "some-package"));
	ve_error_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_output), cmocka_unit_test(test_leaves_nothing),
					    cmocka_unit_test(test_cancel), cmocka_unit_test(test_missing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
