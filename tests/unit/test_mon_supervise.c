/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor of a running VE: what it believes, what it keeps, and how much of its time the VE may take. */
#include "run/monitor/account.c"
#include "run/monitor/console.c"
#include "run/monitor/disks.c"
#include "run/monitor/msg.c"
#include "run/monitor/notice.c"
#include "run/monitor/reap.c"
#include "run/monitor/supervise.c"
#include "run/monitor/trim.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"

static char place[32];
static int dir = -1, ours = -1, theirs = -1;
static struct blob blob;
static struct mon mon;

static int set_up(void **state)
{
	int pair[2];
	(void)state;
	strcpy(place, "/tmp/vectl-unit.XXXXXX");
	if (!mkdtemp(place) || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	dir = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ours = pair[0];
	theirs = pair[1];
	blob = (struct blob){ .fd_run_dir = 0, .fd_notify = 1, .fd_log_dir = 0, .fd_console_listen = -1, .init_pid = 1,
			      .log_max_bytes = 65536 };
	mon = (struct mon){ .blob = &blob, .base = "?log", .fds = { dir, ours }, .n_fds = 2, .console = -1,
			    .console_slave = -1 };
	blob.log_name = 1;
	supervise_prepare(&mon);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(dir);
	close(ours);
	close(theirs);
	return file_remove_tree(AT_FDCWD, place);
}

static bool there(const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* ---- notifications ---- */

static void say(const char *text)
{
	assert_int_equal(send(theirs, text, strlen(text), 0), (ssize_t)strlen(text));
	hear(&mon, ours);
}

static void test_init_is_believed(void **state)
{
	(void)state;
	blob.init_pid = (uint32_t)getpid();
	say("STATUS=READY=1\nXREADY=1\nREADY=0\nREADY=11");
	assert_false(there("ready"));
	say("STATUS=Startup finished\nREADY=1\n");
	assert_true(there("ready"));
	say("STOPPING=1\nX_SYSTEMD_SHUTDOWN=reboot");
	assert_true(there("reboot"));
	assert_false(there("poweroff"));
	say("X_SYSTEMD_SHUTDOWN=halt");
	assert_true(there("poweroff"));
}

static void test_others_are_not(void **state)
{
	(void)state;
	say("READY=1\nX_SYSTEMD_SHUTDOWN=reboot\n");
	assert_false(there("ready"));
	assert_false(there("reboot"));
}

static void test_descriptors_sent_along_are_not_kept(void **state)
{
	(void)state;
	blob.init_pid = (uint32_t)getpid();
	unsigned before = open_descriptors();
	const struct msg m = { .kind = 1 };
	const int fds[3] = { dir, dir, dir };
	for (int i = 0; i < 10; i++) {
		assert_int_equal(msg_send(theirs, &m, fds, 3), 0);
		hear(&mon, ours);
	}
	assert_int_equal(open_descriptors(), before);
}

static void test_words_without_end(void **state)
{
	char text[8192];
	(void)state;
	blob.init_pid = (uint32_t)getpid();
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "READY=1\n", 8);
	say(text);
	assert_true(there("ready"));
	say("");
	hear(&mon, ours); /* nothing there: it does not wait */
}

/* ---- the VE's share of our time ---- */

static void test_turns_are_numbered_in_a_period(void **state)
{
	struct pace p = { 0 };
	(void)state;
	assert_int_equal(pace_left(&p), 0);
	p.turns = PACE_TURNS - 1;
	p.ends_ms += 3600000; /* however long this test is stopped meanwhile */
	assert_int_equal(pace_left(&p), 0);
	p.turns++;
	assert_true(pace_left(&p) > PACE_PERIOD_MS);
	p.ends_ms -= 7200000;
	assert_int_equal(pace_left(&p), 0);
	assert_int_equal(p.turns, 0);
}

static void test_a_ve_that_had_its_turns_is_not_polled(void **state)
{
	struct pollfd p[P_COUNT];
	struct notice notice = { 0 };
	struct console c;
	(void)state;
	mon.console = theirs;
	console_init(&c, &mon);
	fill(&mon, &c, &notice, false, true, p);
	assert_int_equal(p[P_MASTER].fd, theirs);
	assert_int_equal(p[P_NOTIFY].fd, ours);
	fill(&mon, &c, &notice, false, false, p);
	assert_int_equal(p[P_MASTER].fd, -1);
	assert_int_equal(p[P_NOTIFY].fd, -1);
	assert_int_equal(p[P_INIT].fd, mon.pidfd);
	close(c.log);
}

/* ---- its disks ---- */

static void test_full_until_there_is_room_for_some_time(void **state)
{
	const uint64_t gib = UINT64_C(1) << 30;
	(void)state;
	assert_false(is_full(&(struct room){ 0, 0 }, MOST_BYTES, false)); /* no limit */
	assert_false(is_full(&(struct room){ 100 * gib, MOST_BYTES }, MOST_BYTES, false));
	assert_true(is_full(&(struct room){ 100 * gib, MOST_BYTES - 1 }, MOST_BYTES, false));
	assert_true(is_full(&(struct room){ 100 * gib, MOST_BYTES }, MOST_BYTES, true));
	assert_false(is_full(&(struct room){ 100 * gib, 2 * MOST_BYTES }, MOST_BYTES, true));
	assert_false(is_full(&(struct room){ 1000, 10 }, MOST_FILES, false));
	assert_true(is_full(&(struct room){ 1000, 9 }, MOST_FILES, false));
	assert_true(is_full(&(struct room){ 10, 0 }, MOST_FILES, false));
	assert_false(is_full(&(struct room){ 10, 1 }, MOST_FILES, false));
}

static void test_what_has_no_size_of_its_own_is_the_hosts(void **state)
{
	const struct filling host = { { { 1, 2 } }, { 1000, 0 }, { 50, 0 } };
	struct filling none = host, quota = { { { 1, 2 } }, { 500, 0 }, { 50, 0 } }, other = { { { 1, 3 } }, { 1000, 0 }, { 50, 0 } };
	(void)state;
	leave_to_host(&none, &host);
	assert_int_equal(none.bytes.size + none.files.size, 0);
	leave_to_host(&quota, &host);
	assert_int_equal(quota.bytes.size, 500);
	assert_int_equal(quota.files.size, 0);
	leave_to_host(&other, &host);
	assert_int_equal(other.bytes.size, 1000);
}

static void put(const char *name, const char *text)
{
	assert_int_equal(file_replace(dir, name, text, strlen(text), 0700, false), 0);
}

/* One more look, at so much in use of 1000; the helper that it sends has ended when we return. */
static void look_at(struct disks *d, const char *used)
{
	siginfo_t info;
	put("used", used);
	close(d->of[0].fd);
	d->of[0].fd = openat(dir, "used", O_RDONLY | O_CLOEXEC);
	disks_turn(d, &mon);
	if (d->of[0].bytes.helper > 0)
		assert_int_equal(waitid(P_PID, (id_t)d->of[0].bytes.helper, &info, WEXITED | WNOWAIT), 0);
}

static void assert_told(const char *expected)
{
	char *text = NULL;
	assert_int_equal(file_read(dir, "told", 4096, &text, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void test_a_full_disk_is_told_once_and_again_where_that_failed(void **state)
{
	char strings[128] = "", script[128];
	(void)state;
	/* What is told is "WHAT DISK"; from the third line on that succeeds. */
	snprintf(script, sizeof(script), "#!/bin/sh\ncd %s && echo \"$3 $4\" >>told && [ $(wc -l <told) -ge 3 ]\n", place);
	put("ended", script);
	put("limit", "1000");
	snprintf(strings + 1, sizeof(strings) - 1, "%s/ended", place);
	mon.base = strings;
	blob.ended_program = blob.root_dir = blob.uuid = 1;
	struct disks d = { .n = 1, .every_ms = 1000, .of = { { .fd = -1, .name = "disk" } } };
	d.of[0].limit_fd = openat(dir, "limit", O_RDONLY | O_CLOEXEC);
	look_at(&d, "990");
	assert_false(there("told"));
	look_at(&d, "991");
	look_at(&d, "992");
	assert_told("disk-full disk\ndisk-full disk\n");
	look_at(&d, "1001");
	look_at(&d, "985");
	look_at(&d, "1000");
	assert_told("disk-full disk\ndisk-full disk\ndisk-full disk\n");
	look_at(&d, "100");
	look_at(&d, "1000");
	assert_told("disk-full disk\ndisk-full disk\ndisk-full disk\ndisk-full disk\n");
	look_at(&d, "1000");
	assert_int_equal(d.of[0].bytes.helper, 0);
	disks_close(&d);
}

/* ---- the console ---- */

/* N bytes of C come from the VE. */
static void write_console(struct console *c, char letter, size_t n)
{
	char text[1024];
	memset(text, letter, sizeof(text));
	for (; n >= sizeof(text); n -= sizeof(text)) {
		assert_int_equal(send(theirs, text, sizeof(text), 0), sizeof(text));
		assert_true(console_output(c));
	}
}

static off_t size_of(const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_size : 0;
}

static void test_the_log_is_bounded_and_keeps_the_end(void **state)
{
	struct console c;
	char last[16];
	(void)state;
	mon.console = ours;
	console_init(&c, &mon);
	write_console(&c, 'a', 1 << 20);
	write_console(&c, 'z', 1024);
	assert_true(size_of("log") + size_of("log.1") <= 65536 + 2048);
	assert_true(size_of("log") + size_of("log.1") >= 32768);
	assert_int_equal(pread(c.log, last, 4, size_of("log") - 4), 4);
	assert_memory_equal(last, "zzzz", 4);
	close(c.log);
}

static void test_a_log_that_cannot_be_moved_is_emptied(void **state)
{
	struct console c;
	(void)state;
	mon.console = ours;
	assert_int_equal(mkdirat(dir, "log.1", 0700), 0);
	console_init(&c, &mon);
	write_console(&c, 'a', 1 << 20);
	assert_true(size_of("log") <= 65536);
	close(c.log);
}

static void test_the_log_is_no_link(void **state)
{
	struct console c;
	(void)state;
	assert_int_equal(symlinkat("elsewhere", dir, "log"), 0);
	mon.console = ours;
	console_init(&c, &mon);
	assert_int_equal(c.log, -1);
	write_console(&c, 'a', 4096);
	assert_false(there("elsewhere"));
}

static void test_a_client_is_shown_what_was_before_across_files(void **state)
{
	struct console c;
	int client[2];
	char text[4096];
	size_t seen = 0, old = 0;
	(void)state;
	mon.console = ours;
	console_init(&c, &mon);
	write_console(&c, 'a', 33 * 1024); /* moved away now */
	write_console(&c, 'b', 4096);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, client), 0);
	show_scrollback(&c, client[0]);
	for (ssize_t n; (n = recv(client[1], text, sizeof(text), 0)) > 0; seen += (size_t)n)
		old += text[0] == 'a' ? (size_t)n : 0;
	assert_int_equal(seen, SCROLLBACK_BYTES);
	assert_true(old > 0 && old < seen);
	assert_int_equal(text[0], 'b');
	close(client[0]);
	close(client[1]);
	close(c.log);
}

static void test_a_client_that_does_not_read_holds_nobody_up(void **state)
{
	struct console c;
	int client[2];
	(void)state;
	mon.console = ours;
	console_init(&c, &mon);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, client), 0);
	c.clients[0] = client[0];
	alarm(20);
	write_console(&c, 'a', 4 << 20);
	alarm(0);
	assert_int_equal(c.clients[0], client[0]);
	close(client[1]);
	write_console(&c, 'a', 1024);
	assert_int_equal(c.clients[0], -1);
	close(c.log);
}

/* ---- the end of a child ---- */

static int early(int how, struct failure *f)
{
	mon.child = fork();
	if (mon.child == 0) {
		if (how < 0)
			raise(-how);
		_exit(how);
	}
	mon.pidfd = pidfd_open(mon.child, 0);
	mon.child_ended = false;
	int r = reap_early(&mon, how == 0, f);
	close(mon.pidfd);
	return r;
}

static void test_an_early_end_is_no_success(void **state)
{
	struct failure f = { 0 };
	(void)state;
	assert_int_equal(early(-SIGKILL, &f), -1);
	assert_string_equal(f.text, "killed by signal 9");
	assert_int_equal(early(1, &f), -1);
	assert_string_equal(f.text, "exit status 1");
	assert_int_equal(early(0, &f), 0);
}

/* ---- what is given back ---- */

static bool trims(struct trim *t, uint64_t free_mib)
{
	trim_turn(t, -1, free_mib << 20);
	bool did = t->helper > 0;
	trim_end(t);
	return did;
}

static void test_trims_what_has_become_free(void **state)
{
	struct trim t = TRIM_BEGIN;
	(void)state;
	assert_false(trims(&t, 1000)); /* free when we came: nobody can tell since when */
	assert_false(trims(&t, 1015));
	assert_true(trims(&t, 1016));
	assert_false(trims(&t, 1016)); /* not twice */
	assert_false(trims(&t, 400));
	assert_false(trims(&t, 410));
	assert_true(trims(&t, 416)); /* since it was fullest, not since the last look */
}

static void test_one_trim_at_a_time(void **state)
{
	struct trim t = TRIM_BEGIN;
	(void)state;
	trim_turn(&t, -1, 0);
	t.helper = fork();
	if (t.helper == 0) {
		pause();
		_exit(0);
	}
	pid_t busy = t.helper;
	trim_turn(&t, -1, UINT64_C(1) << 30);
	assert_int_equal(t.helper, busy);
	trim_end(&t);
	assert_true(trims(&t, 1 << 10));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_init_is_believed),
		T(test_others_are_not),
		T(test_descriptors_sent_along_are_not_kept),
		T(test_words_without_end),
		T(test_turns_are_numbered_in_a_period),
		T(test_a_ve_that_had_its_turns_is_not_polled),
		T(test_full_until_there_is_room_for_some_time),
		T(test_what_has_no_size_of_its_own_is_the_hosts),
		T(test_a_full_disk_is_told_once_and_again_where_that_failed),
		T(test_trims_what_has_become_free),
		T(test_one_trim_at_a_time),
		T(test_the_log_is_bounded_and_keeps_the_end),
		T(test_a_log_that_cannot_be_moved_is_emptied),
		T(test_the_log_is_no_link),
		T(test_a_client_is_shown_what_was_before_across_files),
		T(test_a_client_that_does_not_read_holds_nobody_up),
		T(test_an_early_end_is_no_success),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
