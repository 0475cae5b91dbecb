/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both ends of a copy: what goes in comes out, and what was made up by somebody who means harm leaves nothing. */
#include "base/treestream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "temp_dir.h"

enum { STREAM_MAX = 1 << 20 };

/* What a sender says, byte by byte. */
struct script {
	char bytes[STREAM_MAX];
	size_t n;
};
static struct script script;

static void say(const void *data, size_t n)
{
	assert_true(script.n + n <= sizeof(script.bytes));
	memcpy(script.bytes + script.n, data, n);
	script.n += n;
}
static void frame(enum tree_kind kind, const char *body, size_t length, uint64_t size, uint64_t count)
{
	const struct tree_frame f = { .kind = kind, .length = (uint32_t)length, .size = size, .count = count, .mode = 07777 };
	say(&f, sizeof(f));
	say(body, length);
}
static void named(enum tree_kind kind, const char *name, uint64_t size) { frame(kind, name, strlen(name), size, 0); }
static void begin(void)
{
	script.n = 0;
	frame(TREE_TOTAL, "", 0, 100, 10);
	frame(TREE_DIR, "", 0, 0, 0);
}
static void end(void)
{
	frame(TREE_END, "", 0, 0, 0);
	frame(TREE_DONE, "", 0, 0, 0);
}

/* Receives the first N bytes of the script as "copy" in DIR. */
static int receive_some(int dir, size_t n, bool bounded)
{
	static struct treestream t;
	int pair[2], status;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t sender = fork();
	if (sender == 0) {
		size_t at = 0;
		for (ssize_t k = 1; at < n && k > 0; at += (size_t)(k > 0 ? k : 0))
			k = send(pair[0], script.bytes + at, n - at, MSG_NOSIGNAL);
		_exit(0);
	}
	close(pair[0]);
	memset(&t, 0, sizeof(t));
	t.fd = pair[1];
	const struct tree_rules rules = { .dir_fd = dir, .name = "copy", .out_fd = -1, .uid = getuid(), .gid = getgid(), .bounded = bounded };
	int r = tree_receive(&t, &rules);
	close(pair[1]);
	assert_int_equal(waitpid(sender, &status, 0), sender);
	return r;
}
static int receive(int dir) { return receive_some(dir, script.n, true); }

static bool exists(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
static void assert_nothing(int dir)
{
	assert_false(exists(dir, "copy"));
	assert_false(exists(dir, ".copy.vectl-new"));
	assert_false(exists(dir, "evil"));
}
/* The script so far ends in something that may not be. */
static void assert_refused(struct dir *d, int error)
{
	end();
	assert_int_equal(receive(d->fd), error);
	assert_nothing(d->fd);
}

static void test_names_are_single_names(void **state)
{
	struct dir *d = *state;
	char longer[300];
	memset(longer, 'x', 299);
	longer[299] = '\0';
	const char *const bad[] = { "..", ".", "", "/", "a/b", "../evil", "/evil", longer };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		static const enum tree_kind kinds[] = { TREE_FILE, TREE_DIR };
		for (int k = 0; k < 2; k++) {
			begin();
			named(kinds[k], bad[i], 0);
			end();
			assert_refused(d, -EBADMSG);
		}
	}
	begin();
	frame(TREE_FILE, "a\0b", 3, 0, 0);
	end();
	assert_refused(d, -EBADMSG);
}

static void test_links_say_one_thing(void **state)
{
	struct dir *d = *state;
	static const struct {
		const char *body;
		size_t n;
	} bad[] = { { "name", 4 }, { "name\0", 5 }, { "\0target", 7 }, { "..\0x", 4 }, { "a/b\0x", 5 }, { "a\0b\0c", 5 }, { "", 0 } };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		frame(TREE_LINK, bad[i].body, bad[i].n, 0, 0);
		assert_refused(d, -EBADMSG);
	}
	/* One that leads out is made, and is not gone through. */
	begin();
	frame(TREE_LINK, "l\0..", 4, 0, 0);
	named(TREE_DIR, "l", 0);
	named(TREE_FILE, "evil", 0);
	frame(TREE_END, "", 0, 0, 0);
	frame(TREE_END, "", 0, 0, 0);
	assert_refused(d, -EEXIST);
	begin();
	frame(TREE_LINK, "l\0../evil", 9, 0, 0);
	named(TREE_FILE, "l", 0);
	frame(TREE_END, "", 0, 0, 0);
	assert_refused(d, -EEXIST);
}

static void test_files_are_as_long_as_was_said(void **state)
{
	struct dir *d = *state;
	static const struct {
		uint64_t size, at, end;
	} bad[] = { { 3, 0, 4 }, { 4, 1, 0 }, { 4, UINT64_MAX, 4 }, { 4, UINT64_MAX - 3, 4 }, { 4, 4, 4 }, { 4, 0, 3 }, { 4, 0, UINT64_MAX },
		    { (uint64_t)1 << 63, 0, 4 }, { TREE_SIZE_UNKNOWN, 0, 4 } };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		named(TREE_FILE, "f", bad[i].size);
		frame(TREE_DATA, "four", 4, bad[i].at, 0);
		frame(TREE_END, "", 0, bad[i].end, 0);
		assert_refused(d, -EBADMSG);
	}
	/* Backwards. */
	begin();
	named(TREE_FILE, "f", 100);
	frame(TREE_DATA, "four", 4, 50, 0);
	frame(TREE_DATA, "four", 4, 49, 0);
	assert_refused(d, -EBADMSG);
	/* Not within what was announced: 100 bytes, and what is to spare. */
	begin();
	named(TREE_FILE, "f", 65 << 20);
	assert_refused(d, -EFBIG);
	begin();
	for (int i = 0; i < 1100; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%d", i);
		frame(TREE_LINK, name, strlen(name) + 2, 0, 0);
		memcpy(script.bytes + script.n - 1, "x", 1);
	}
	assert_refused(d, -EFBIG);
}

static void test_frames_come_in_their_order(void **state)
{
	struct dir *d = *state;
	static const enum tree_kind bad[] = { 0, TREE_COUNTING, TREE_TOTAL, TREE_DATA, TREE_DONE, TREE_DONE + 1 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		frame(bad[i], "x", 1, 0, 0);
		assert_refused(d, -EBADMSG);
	}
	script.n = 0;
	frame(TREE_DIR, "", 0, 0, 0);
	assert_refused(d, -EBADMSG);
	script.n = 0;
	frame(TREE_TOTAL, "", 0, 0, 0);
	named(TREE_DIR, "name", 0);
	assert_refused(d, -EBADMSG);
	/* The time that means "do not change it". */
	const struct tree_frame f = { .kind = TREE_FILE, .nsec = (1L << 30) - 2 };
	script.n = 0;
	frame(TREE_TOTAL, "", 0, 0, 0);
	say(&f, sizeof(f));
	assert_refused(d, -EBADMSG);
	begin();
	for (int i = 0; i < TREE_DEPTH_MAX + 1; i++)
		named(TREE_DIR, "d", 0);
	assert_refused(d, -ELOOP);
}

static void make_good_script(void)
{
	script.n = 0;
	frame(TREE_COUNTING, "", 0, 0, 0);
	frame(TREE_TOTAL, "", 0, 100, 4);
	frame(TREE_DIR, "", 0, 0, 0);
	named(TREE_DIR, "d", 0);
	named(TREE_FILE, "f", 10);
	frame(TREE_DATA, "four", 4, 2, 0);
	frame(TREE_END, "", 0, 10, 0);
	frame(TREE_LINK, "l\0/etc/passwd", 13, 0, 0);
	frame(TREE_END, "", 0, 0, 0);
	end();
}

static void test_a_stream_that_breaks_off_leaves_nothing(void **state)
{
	struct dir *d = *state;
	make_good_script();
	for (size_t n = 0; n < script.n; n++) {
		assert_int_equal(receive_some(d->fd, n, true), -EPIPE);
		assert_nothing(d->fd);
	}
	assert_int_equal(receive(d->fd), 0);
	struct stat st;
	assert_int_equal(fstatat(d->fd, "copy/d/f", &st, 0), 0);
	assert_int_equal(st.st_size, 10);
	assert_int_equal(st.st_mode, S_IFREG | 0777);
	assert_int_equal(fstatat(d->fd, "copy/d", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 01777);
	assert_true(exists(d->fd, "copy/d/l"));
	/* It is there already now, and stays. */
	assert_int_equal(receive(d->fd), -EEXIST);
	assert_true(exists(d->fd, "copy/d/f"));
	assert_false(exists(d->fd, ".copy.vectl-new"));
}

/* One byte in each place, made another one: whatever comes of it, it is "copy" or nothing. */
static void test_any_byte_may_be_wrong(void **state)
{
	struct dir *d = *state;
	make_good_script();
	for (size_t i = 0; i < script.n; i++) {
		static const unsigned char flips[] = { 0x01, 0x80, 0xff };
		for (int k = 0; k < 3; k++) {
			script.bytes[i] ^= (char)flips[k];
			receive(d->fd);
			script.bytes[i] ^= (char)flips[k];
			assert_false(exists(d->fd, ".copy.vectl-new"));
			assert_false(exists(d->fd, "evil"));
			assert_int_equal(file_remove_tree(d->fd, "copy"), 0);
		}
	}
}

/* ---- both ends -------------------------------------------------------------------------------------- */

static int copy(int dir, const char *from, const char *to)
{
	static struct treestream sender, receiver;
	int pair[2], status;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t pid = fork();
	if (pid == 0) {
		sender.fd = pair[0];
		_exit(tree_send(&sender, dir, from, false) < 0);
	}
	close(pair[0]);
	memset(&receiver, 0, sizeof(receiver));
	receiver.fd = pair[1];
	const struct tree_rules rules = { .dir_fd = dir, .name = to, .out_fd = -1, .uid = getuid(), .gid = getgid(), .bounded = true };
	int r = tree_receive(&receiver, &rules);
	close(pair[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return r;
}

static void test_large_files_holes_and_many_entries(void **state)
{
	struct dir *d = *state;
	static char block[300000];
	assert_int_equal(mkdirat(d->fd, "from", 0750), 0);
	int fd = openat(d->fd, "from/sparse", O_RDWR | O_CREAT, 0600);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 31);
	assert_int_equal(pwrite(fd, block, sizeof(block), (off_t)3 << 30), sizeof(block));
	assert_int_equal(ftruncate(fd, (off_t)7 << 30), 0);
	close(fd);
	for (int i = 0; i < 500; i++) {
		char name[32];
		snprintf(name, sizeof(name), "from/%d", i);
		assert_int_equal(symlinkat(name, d->fd, name), 0);
	}
	assert_int_equal(copy(d->fd, "from", "to"), 0);
	struct stat st;
	static char back[sizeof(block)];
	fd = openat(d->fd, "to/sparse", O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, (off_t)7 << 30);
	assert_true(st.st_blocks < 4000);
	assert_int_equal(pread(fd, back, sizeof(back), (off_t)3 << 30), sizeof(back));
	close(fd);
	assert_memory_equal(block, back, sizeof(block));
	assert_true(exists(d->fd, "to/499"));
	assert_int_equal(fstatat(d->fd, "to", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
}

static void test_targets_are_found_as_cp_does(void **state)
{
	struct dir *d = *state;
	char path[128], name[TREE_NAME_SIZE];
	int dir = -1;
	static const struct {
		const char *dst, *name;
		int error;
	} cases[] = { { "", "base", 0 }, { "/", "base", 0 }, { "/new", "new", 0 }, { "/new/", NULL, -ENOENT }, { "/no/new", NULL, -ENOENT },
		      { "/file", "file", 0 }, { "/file/", NULL, -ENOTDIR }, { "/file/x", NULL, -ENOTDIR }, { "/dangling", "dangling", 0 },
		      { "/loop/x", NULL, -ELOOP } };
	close(openat(d->fd, "file", O_RDWR | O_CREAT, 0600));
	assert_int_equal(symlinkat("nowhere", d->fd, "dangling"), 0);
	assert_int_equal(symlinkat("loop", d->fd, "loop"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", d->path, cases[i].dst);
		assert_int_equal(tree_target(path, "base", &dir, name), cases[i].error);
		if (cases[i].error)
			continue;
		assert_string_equal(name, cases[i].name);
		close(dir);
	}
	assert_int_equal(tree_target("", "base", &dir, name), -ENOENT);
}

int main(void)
{
#define IN_DIR(fn) cmocka_unit_test_setup_teardown(fn, temp_dir_setup, temp_dir_teardown)
	const struct CMUnitTest tests[] = {
		IN_DIR(test_names_are_single_names),
		IN_DIR(test_links_say_one_thing),
		IN_DIR(test_files_are_as_long_as_was_said),
		IN_DIR(test_frames_come_in_their_order),
		IN_DIR(test_a_stream_that_breaks_off_leaves_nothing),
		IN_DIR(test_any_byte_may_be_wrong),
		IN_DIR(test_large_files_holes_and_many_entries),
		IN_DIR(test_targets_are_found_as_cp_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
