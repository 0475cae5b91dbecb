/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* terminal_join between two socket pairs: the test plays both the person at the terminal and the far end. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/terminal.h"

struct ends {
	int person, far; /* ours */
	pid_t joiner;
};

static struct ends join(bool packets, bool escape)
{
	int near[2], far[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, near), 0);
	assert_int_equal(socketpair(AF_UNIX, packets ? SOCK_SEQPACKET : SOCK_STREAM, 0, far), 0);
	struct ends e = { .person = near[0], .far = far[0], .joiner = fork() };
	if (e.joiner == 0) {
		close(near[0]);
		close(far[0]);
		signal(SIGPIPE, SIG_IGN); /* a pty answers EIO where these sockets have a signal */
		const struct terminal t = { .in = near[1], .out = near[1], .far = far[1], .packets = packets, .escape = escape,
					    .until_fd = -1 };
		_exit(terminal_join(&t, NULL));
	}
	close(near[1]);
	close(far[1]);
	return e;
}

static int finish(struct ends *e)
{
	int status;
	close(e->person);
	close(e->far);
	assert_int_equal(waitpid(e->joiner, &status, 0), e->joiner);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_bytes_pass_both_ways(void **state)
{
	struct ends e = join(false, false);
	char buf[16] = { 0 };
	assert_int_equal(write(e.person, "ls\r", 3), 3);
	assert_int_equal(read(e.far, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "ls\r", 3);
	assert_int_equal(write(e.far, "\0\xff\x1d", 3), 3);
	assert_int_equal(read(e.person, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "\0\xff\x1d", 3);
	assert_int_equal(finish(&e), 0);
}

static void test_a_console_gets_packets(void **state)
{
	struct ends e = join(true, true);
	char buf[16] = { 0 };
	assert_int_equal(write(e.person, "x", 1), 1);
	assert_int_equal(recv(e.far, buf, sizeof(buf), 0), 2);
	assert_memory_equal(buf, "dx", 2);
	assert_int_equal(finish(&e), 0);
}

static void test_the_escape_ends_it(void **state)
{
	struct ends e = join(true, true);
	assert_int_equal(write(e.person, "\x1d\x1d\x1d", 3), 3);
	int status;
	assert_int_equal(waitpid(e.joiner, &status, 0), e.joiner);
	assert_int_equal(WEXITSTATUS(status), 1);
	close(e.person);
	close(e.far);
}

static void test_two_of_three_are_data(void **state)
{
	struct ends e = join(true, true);
	char buf[16] = { 0 };
	assert_int_equal(write(e.person, "\x1d\x1dq", 3), 3);
	assert_int_equal(recv(e.far, buf, sizeof(buf), 0), 4);
	assert_memory_equal(buf, "d\x1d\x1dq", 4);
	assert_int_equal(finish(&e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_pass_both_ways),
		cmocka_unit_test(test_a_console_gets_packets),
		cmocka_unit_test(test_the_escape_ends_it),
		cmocka_unit_test(test_two_of_three_are_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
