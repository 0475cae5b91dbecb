/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "run/record.h"

struct place {
	char path[32];
	int fd;
};

static int set_up(void **state)
{
	static struct place p;
	strcpy(p.path, "/tmp/record-XXXXXX");
	p.fd = mkdtemp(p.path) ? file_opendir(AT_FDCWD, p.path) : -1;
	*state = &p;
	return p.fd < 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	close(p->fd);
	return file_remove_tree(AT_FDCWD, p->path);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void test_read_is_what_was_written(void **state)
{
	struct place *p = *state;
	struct record r, got;
	assert_int_equal(record_make(getpid(), getppid(), &r, NULL), 0);
	assert_int_equal(record_write(p->fd, &r, NULL), 0);
	assert_int_equal(record_read(p->fd, &got, NULL), 0);
	assert_int_equal(got.init_pid, getpid());
	assert_int_equal(got.init_start, r.init_start);
	assert_string_equal(got.boot_id, r.boot_id);
	assert_true(record_init_alive(&got));
}

static void test_a_dead_process_is_not_alive(void **state)
{
	struct record r;
	pid_t pid = sleeper();
	assert_int_equal(record_make(pid, pid, &r, NULL), 0);
	_cleanup_close_ int fd = record_init(&r);
	assert_true(fd >= 0);
	kill(pid, SIGKILL);
	/* A zombie is as dead as a reaped one: waited for, but not reaped. */
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(record_init_alive(&r));
	waitpid(pid, NULL, 0);
	assert_false(record_init_alive(&r));
	assert_true(record_init(&r) < 0);
}

static void test_a_pid_used_again_is_another_process(void **state)
{
	struct record r;
	assert_int_equal(record_make(getpid(), getpid(), &r, NULL), 0);
	r.init_start++;
	assert_false(record_init_alive(&r));
	assert_int_equal(record_init(&r), -ESRCH);
}

static void test_another_boot_is_another_world(void **state)
{
	struct record r;
	assert_int_equal(record_make(getpid(), getpid(), &r, NULL), 0);
	r.boot_id[0] = r.boot_id[0] == '0' ? '1' : '0';
	assert_false(record_init_alive(&r));
	assert_false(record_monitor_alive(&r));
}

static void test_damage_is_told_from_absence(void **state)
{
	struct place *p = *state;
	struct record r;
	ve_error *e = NULL;
	unlinkat(p->fd, "record.json", 0);
	assert_int_equal(record_read(p->fd, &r, &e), -ENOENT);
	assert_null(e);
	static const char *const damaged[] = { "", "{", "[]", "{\"init_pid\":1}", "{\"boot_id\":7}" };
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		assert_int_equal(file_replace(p->fd, "record.json", damaged[i], strlen(damaged[i]), 0600, false), 0);
		assert_true(record_read(p->fd, &r, &e) < 0);
		assert_int_equal(ve_error_category(e), VE_ERR_DATA);
		ve_error_free(e);
		e = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_is_what_was_written),
		cmocka_unit_test(test_a_dead_process_is_not_alive),
		cmocka_unit_test(test_a_pid_used_again_is_another_process),
		cmocka_unit_test(test_another_boot_is_another_world),
		cmocka_unit_test(test_damage_is_told_from_absence),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
