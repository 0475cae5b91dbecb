/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open-file-description locks conflict between two descriptions of one process too, so that most cases need no
 * second process. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/lock.h"
#include "base/str.h"
#include "temp_dir.h"

enum { LONG_MS = 60000 }; /* never waited out */

static void test_taken_and_released(void **state)
{
	struct dir *d = *state;
	_cleanup_close_ int a = -1, b = -1;
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "start", &a, NULL), 0);
	assert_true(fcntl(a, F_GETFD) & FD_CLOEXEC);
	struct stat st;
	assert_int_equal(fstat(a, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "stop", &b, NULL), -ETIMEDOUT);
	assert_int_equal(b, -1);
	close_fd(&a);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "stop", &b, NULL), 0);
}

static void test_holder_is_named(void **state)
{
	struct dir *d = *state;
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_close_ int a = -1, b = -1;
	char pid[32];
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "start", &a, NULL), 0);
	assert_int_equal(lock_take(d->fd, "lock", 20, -1, "web1", "stop", &b, &e), -ETIMEDOUT);
	snprintf(pid, sizeof(pid), "pid %d (start)", getpid());
	assert_int_equal(ve_error_category(e), VE_ERR_BUSY);
	assert_non_null(strstr(ve_error_message(e), "'web1'"));
	assert_non_null(strstr(ve_error_message(e), pid));
}

/* The file is readable for root only, yet what is in it goes to a terminal. */
static void test_holder_is_quoted(void **state)
{
	struct dir *d = *state;
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_close_ int a = -1, b = -1;
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "start", &a, NULL), 0);
	assert_int_equal(ftruncate(a, 0), 0);
	assert_int_equal(pwrite(a, "\033[31m\n", 6, 0), 6);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "stop", &b, &e), -ETIMEDOUT);
	assert_null(strchr(ve_error_message(e), '\033'));
	assert_null(strchr(ve_error_message(e), '\n'));
}

static void test_cancelled(void **state)
{
	struct dir *d = *state;
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_close_ int a = -1, b = -1, cancel = eventfd(1, EFD_CLOEXEC);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "start", &a, NULL), 0);
	assert_int_equal(lock_take(d->fd, "lock", LONG_MS, cancel, "web1", "stop", &b, &e), -EINTR);
	assert_int_equal(ve_error_category(e), VE_ERR_BUSY);
}

/* destroy removes the lock's file while others wait for it: whoever gets the removed file holds nothing. */
static void test_removed_while_waiting(void **state)
{
	struct dir *d = *state;
	_cleanup_close_ int a = -1, b = -1;
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "destroy", &a, NULL), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close_fd(&a); /* the description is shared with the parent: the lock stays the parent's */
		int fd, r = write(ready[1], "x", 1) == 1 ?
				    lock_take(d->fd, "lock", LONG_MS, -1, "web1", "start", &fd, NULL) :
				    -EIO;
		struct stat held, named;
		_exit(r == 0 && fstat(fd, &held) == 0 && fstatat(d->fd, "lock", &named, 0) == 0 &&
				      held.st_ino == named.st_ino ?
			      0 :
			      1);
	}
	char c;
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(unlinkat(d->fd, "lock", 0), 0);
	close_fd(&a);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "start", &b, NULL), 0);
	close(ready[0]);
	close(ready[1]);
}

/* One process of several that take the lock, remove its file (as destroy does) and release it. Returns 0 if nobody
 * else was inside at the same time. */
static int take_in_turn(struct dir *d, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		_cleanup_close_ int lock = -1;
		if (lock_take(d->fd, "lock", LONG_MS, -1, "web1", "destroy", &lock, NULL) < 0)
			return 2;
		_cleanup_close_ int inside = openat(d->fd, "inside", O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (inside < 0)
			return 1;
		unlinkat(d->fd, "inside", 0);
		unlinkat(d->fd, "lock", 0); /* from here on another one may have the new file's lock */
	}
	return 0;
}

static void test_one_at_a_time(void **state)
{
	enum { PROCESSES = 4, ROUNDS = 500 };
	struct dir *d = *state;
	pid_t children[PROCESSES];
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(take_in_turn(d, ROUNDS));
	}
	int worst = 0, status;
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		worst |= WIFEXITED(status) ? WEXITSTATUS(status) : 2;
	}
	assert_int_equal(worst, 0);
}

static void test_killed_holder_holds_nothing(void **state)
{
	struct dir *d = *state;
	_cleanup_close_ int mine = -1;
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fd;
		if (lock_take(d->fd, "lock", 0, -1, "web1", "start", &fd, NULL) == 0 &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	char c;
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "stop", &mine, NULL), -ETIMEDOUT);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(lock_take(d->fd, "lock", 0, -1, "web1", "stop", &mine, NULL), 0);
	close(ready[0]);
	close(ready[1]);
}

static void test_link_is_not_followed(void **state)
{
	struct dir *d = *state;
	_cleanup_close_ int fd = -1;
	assert_int_equal(symlinkat("elsewhere", d->fd, "link"), 0);
	assert_int_equal(lock_take(d->fd, "link", 0, -1, "web1", "start", &fd, NULL), -ELOOP);
	assert_int_equal(faccessat(d->fd, "elsewhere", F_OK, 0), -1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, temp_dir_setup, temp_dir_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_taken_and_released), CASE(test_holder_is_named),
		CASE(test_holder_is_quoted),   CASE(test_cancelled),
		CASE(test_removed_while_waiting), CASE(test_killed_holder_holds_nothing),
		CASE(test_one_at_a_time),      CASE(test_link_is_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
