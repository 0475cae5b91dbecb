/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/journal.h"
#include "temp_dir.h"

enum { PLENTY = 1 << 20 };

static int append(const struct dir *d, size_t max, const char *what)
{
	json_t *entry = json_pack("{s:s}", "what", what);
	int r = journal_append(d->fd, "log", max, entry);
	json_decref(entry);
	return r;
}

struct seen {
	json_int_t first, last;
	int n, stop_at;
};

/* Numbers follow one another, whatever file they are in. */
static int look(json_t *entry, void *data)
{
	struct seen *s = data;
	json_int_t seq = json_integer_value(json_object_get(entry, "seq"));
	if (!s->n)
		s->first = seq;
	else
		assert_int_equal(seq, s->last + 1);
	s->last = seq;
	return ++s->n == s->stop_at ? 7 : 0;
}

static struct seen read_all(const struct dir *d)
{
	struct seen s = { 0 };
	assert_int_equal(journal_read(d->fd, "log", look, &s), 0);
	return s;
}

static void test_numbered(void **state)
{
	struct dir *d = *state;
	assert_int_equal(read_all(d).n, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(append(d, PLENTY, "{\"seq\":99"), 0);
	struct seen s = read_all(d), two = { .stop_at = 2 };
	assert_int_equal(s.n, 5);
	assert_int_equal(s.first, 1);
	assert_int_equal(journal_read(d->fd, "log", look, &two), 7);
	assert_int_equal(two.n, 2);
}

static void test_two_files_at_most(void **state)
{
	struct dir *d = *state;
	struct stat st;
	for (int i = 0; i < 200; i++)
		assert_int_equal(append(d, 1000, "something"), 0);
	struct seen s = read_all(d);
	assert_int_equal(s.last, 200);
	assert_true(s.first > 1 && s.n >= 20);
	assert_int_equal(fstatat(d->fd, "log", &st, 0), 0);
	assert_true(st.st_size < 1200);
	assert_int_equal(fstatat(d->fd, "log.1", &st, 0), 0);
	assert_true(st.st_size < 1200);
	assert_int_equal(fstatat(d->fd, "log.2", &st, 0), -1);
}

static void test_a_line_cut_short_spoils_no_other(void **state)
{
	struct dir *d = *state;
	assert_int_equal(append(d, PLENTY, "whole"), 0);
	_cleanup_close_ int fd = openat(d->fd, "log", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "{\"seq\":2,\"wh", 12), 12);
	assert_int_equal(append(d, PLENTY, "after"), 0);
	struct seen s = read_all(d);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.last, 2);
}

static void test_too_long(void **state)
{
	struct dir *d = *state;
	_cleanup_free_ char *text = malloc(JOURNAL_LINE_MAX + 1);
	memset(text, 'x', JOURNAL_LINE_MAX);
	text[JOURNAL_LINE_MAX] = '\0';
	assert_int_equal(append(d, PLENTY, text), -EFBIG);
	text[JOURNAL_LINE_MAX - 100] = '\0';
	assert_int_equal(append(d, PLENTY, text), 0);
	assert_int_equal(append(d, PLENTY, "short"), 0);
	assert_int_equal(read_all(d).last, 2);
}

/* Nothing is lost, and no number is given twice, by several that append and rotate at once. */
static void test_at_once(void **state)
{
	enum { WRITERS = 4, LINES = 100 };
	struct dir *d = *state;
	for (int i = 0; i < WRITERS; i++) {
		if (fork() > 0)
			continue;
		for (int k = 0; k < LINES; k++)
			if (append(d, 9000, "from one of many") < 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0, status; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(read_all(d).last, WRITERS * LINES);
}

static void test_no_link_is_followed(void **state)
{
	struct dir *d = *state;
	assert_int_equal(symlinkat("elsewhere", d->fd, "log"), 0);
	assert_int_equal(append(d, PLENTY, "x"), -ELOOP);
	assert_int_equal(faccessat(d->fd, "elsewhere", F_OK, 0), -1);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, temp_dir_setup, temp_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_numbered), IN_DIR(test_two_files_at_most), IN_DIR(test_a_line_cut_short_spoils_no_other),
		IN_DIR(test_too_long), IN_DIR(test_at_once), IN_DIR(test_no_link_is_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
