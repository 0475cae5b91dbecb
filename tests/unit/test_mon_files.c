/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the monitor's child writes into a VE's tree: nothing waits, nothing is followed, nothing is written twice. */
#include "run/monitor/adapt.c"
#include "run/monitor/files.c"
#include "run/monitor/msg.c"
#include "run/monitor/passwd.c"
#include "run/monitor/pwdlock.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "mon_root.h"
#include "run/blobber.h"

static struct mon mon;

static int apply(struct failure *f)
{
	return files_apply(&mon, f);
}

static int apply_file(enum blob_file_kind kind, const char *path, const char *data, bool optional)
{
	struct blobber b;
	blobber_init(&b, MON_WORK);
	struct blob_file o = {
		.kind = kind,
		.path = blobber_str(&b, path),
		.data = { blobber_str(&b, data), (uint32_t)strlen(data) },
		.mode = 0640,
		.optional = optional,
	};
	b.head.files = blobber_vec(&b, &o, 1, sizeof(o));
	assert_int_equal(blobber_finish(&b, NULL), 0);
	mon = (struct mon){ .blob = (const struct blob *)(void *)b.data, .base = b.data };
	int r = in_root(apply, NULL);
	blobber_done(&b);
	return r;
}
static int replace(const char *path, const char *data) { return apply_file(BF_REPLACE, path, data, false); }
static int add(const char *path, const char *data) { return apply_file(BF_ADD_LINES, path, data, false); }

static void test_a_file_is_replaced_whole(void **state)
{
	struct stat st;
	put("etc/resolv.conf", "a much longer text that was there before\n");
	assert_int_equal(replace("/etc/resolv.conf", "new\n"), 0);
	assert_contents("etc/resolv.conf", "new\n");
	assert_int_equal(stat(at("etc/resolv.conf"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_absent("etc/resolv.conf.vectl-new");
	assert_int_equal(replace("/etc/empty", ""), 0);
	assert_contents("etc/empty", "");
}

static void test_what_is_so_already_is_not_written_again(void **state)
{
	struct stat before, after;
	assert_int_equal(replace("/etc/hosts", "same\n"), 0);
	stat(at("etc/hosts"), &before);
	assert_int_equal(replace("/etc/hosts", "same\n"), 0);
	stat(at("etc/hosts"), &after);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
}

static void test_links_are_replaced_not_followed(void **state)
{
	put("victim", "untouched");
	assert_int_equal(link_to("/victim", "etc/resolv.conf"), 0);
	assert_int_equal(link_to("/victim", "etc/resolv.conf.vectl-new"), 0);
	assert_int_equal(replace("/etc/resolv.conf", "new\n"), 0);
	assert_contents("etc/resolv.conf", "new\n");
	assert_contents("victim", "untouched");
	/* Not even where the target says the same. */
	put("victim", "same");
	unlink(at("etc/resolv.conf"));
	assert_int_equal(link_to("/victim", "etc/resolv.conf"), 0);
	assert_int_equal(replace("/etc/resolv.conf", "same"), 0);
	assert_contents("etc/resolv.conf", "same");
}

static void test_files_that_are_no_files(void **state)
{
	static int (*const makers[])(const char *) = { make_fifo, make_loop, make_huge };
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		assert_int_equal(makers[i]("etc/hosts"), 0);
		assert_int_not_equal(add("/etc/hosts", "line\n"), 0);
		assert_int_equal(replace("/etc/hosts", "new\n"), 0);
		assert_contents("etc/hosts", "new\n");
		clear_root();
	}
	assert_int_equal(make_directory("etc/hosts"), 0);
	assert_int_equal(replace("/etc/hosts", "new\n"), EISDIR);
	assert_int_equal(add("/etc/hosts", "new\n"), EINVAL);
	assert_absent("etc/hosts.vectl-new");
	assert_int_equal(apply_file(BF_REPLACE, "/etc/hosts", "new\n", true), 0); /* optional */
	assert_int_equal(make_directory("etc/passwd.vectl-new"), 0);
	assert_int_equal(replace("/etc/passwd", "x"), EEXIST);
	assert_absent("etc/passwd");
}

static void test_lines_are_added_once(void **state)
{
	static const char path[] = "/root/.ssh/authorized_keys";
	struct stat st;
	assert_int_equal(add(path, "key one\nkey two\n"), 0);
	assert_contents("root/.ssh/authorized_keys", "key one\nkey two\n");
	stat(at("root/.ssh"), &st);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(add(path, "key two\nkey three\n\n"), 0);
	assert_contents("root/.ssh/authorized_keys", "key one\nkey two\nkey three\n");
	stat(at("root/.ssh/authorized_keys"), &st);
	assert_int_equal(add(path, "key one\n"), 0);
	struct stat after;
	stat(at("root/.ssh/authorized_keys"), &after);
	assert_int_equal(st.st_ino, after.st_ino);
}

static void test_a_last_line_without_end_stays_a_line(void **state)
{
	put("etc/keys", "key one");
	assert_int_equal(add("/etc/keys", "key on\nkey one more"), 0);
	assert_contents("etc/keys", "key one\nkey on\nkey one more\n");
	assert_int_equal(add("/etc/keys", "key one\n"), 0);
	assert_contents("etc/keys", "key one\nkey on\nkey one more\n");
}

static void test_directories_in_the_way(void **state)
{
	put("root", "a file");
	assert_int_equal(add("/root/.ssh/authorized_keys", "k\n"), ENOTDIR);
	unlink(at("root"));
	assert_int_equal(link_to("nowhere", "root"), 0);
	assert_int_equal(add("/root/.ssh/authorized_keys", "k\n"), ENOENT);
	char path[400];
	memset(path, 'a', sizeof(path) - 1);
	path[0] = path[200] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(replace(path, "x"), ENAMETOOLONG);
}

/* ---- /etc/hosts ---- */

static int hosts(const char *address_and_name)
{
	char line[200];
	snprintf(line, sizeof(line), "%s\t" BLOB_HOSTS_TAG "\n", address_and_name);
	return apply_file(BF_HOSTS, "/etc/hosts", line, false);
}

static void test_hosts_is_made_where_there_is_none(void **state)
{
	assert_int_equal(hosts("192.0.2.10\tweb1"), 0);
	assert_contents("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
				     "192.0.2.10\tweb1\t# set by vectl\n");
}

static void test_hosts_keeps_what_others_wrote(void **state)
{
	struct stat before, after;
	put("etc/hosts", "127.0.0.1 localhost\n10.0.0.1 db web10 # web1\n#10.0.0.2 web1");
	assert_int_equal(hosts("192.0.2.10\tweb1"), 0);
	assert_contents("etc/hosts", "127.0.0.1 localhost\n10.0.0.1 db web10 # web1\n#10.0.0.2 web1\n"
				     "192.0.2.10\tweb1\t# set by vectl\n");
	stat(at("etc/hosts"), &before);
	assert_int_equal(hosts("192.0.2.10\tweb1"), 0);
	stat(at("etc/hosts"), &after);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(hosts("192.0.2.11\tweb2"), 0);
	assert_contents("etc/hosts", "127.0.0.1 localhost\n10.0.0.1 db web10 # web1\n#10.0.0.2 web1\n"
				     "192.0.2.11\tweb2\t# set by vectl\n");
}

static void test_hosts_that_has_the_name_already(void **state)
{
	put("etc/hosts", "127.0.0.1 localhost\n127.0.1.1\tweb1.example.org web1\n192.0.2.10\tweb1\t# set by vectl\n");
	assert_int_equal(hosts("192.0.2.10\tweb1"), 0);
	assert_contents("etc/hosts", "127.0.0.1 localhost\n127.0.1.1\tweb1.example.org web1\n");
	assert_int_equal(hosts("192.0.2.10\tweb1"), 0);
}

static void test_hosts_that_is_no_file(void **state)
{
	static int (*const makers[])(const char *) = { make_fifo, make_loop, make_huge, make_directory };
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		assert_int_equal(makers[i]("etc/hosts"), 0);
		assert_int_not_equal(hosts("192.0.2.10\tweb1"), 0);
		clear_root();
	}
	put("victim", "untouched");
	assert_int_equal(link_to("/victim", "etc/hosts"), 0);
	assert_int_not_equal(hosts("192.0.2.10\tweb1"), 0);
	assert_contents("victim", "untouched");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, root_setup, root_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_file_is_replaced_whole),
		T(test_what_is_so_already_is_not_written_again),
		T(test_links_are_replaced_not_followed),
		T(test_files_that_are_no_files),
		T(test_lines_are_added_once),
		T(test_a_last_line_without_end_stays_a_line),
		T(test_directories_in_the_way),
		T(test_hosts_is_made_where_there_is_none),
		T(test_hosts_keeps_what_others_wrote),
		T(test_hosts_that_has_the_name_already),
		T(test_hosts_that_is_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
