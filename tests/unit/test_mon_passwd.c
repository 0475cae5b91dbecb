/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor's reader of a VE's passwd, group and shadow, in a tree whose files were written by somebody who means harm. */
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

/* ---- who a user is ---- */

static struct identity *found; /* shared with the child */
static const char *asked;

static int find(struct failure *f)
{
	return identity_find(asked, found, f);
}

/* 0 and *FOUND, or the errno. */
static int look_up(const char *user)
{
	asked = user;
	return in_root(find, NULL);
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "joe:x:1001:1002::/home/joe:/bin/sh\n";
static const char group[] = "root:x:0:\njoe:x:1002:joe\nextra:x:1003:ann,joe\nother:x:1004:joey,ajoe\n";

static void test_a_user_is_found_by_name_and_by_number(void **state)
{
	put("etc/passwd", passwd);
	put("etc/group", group);
	static const char *const spellings[] = { "joe", "1001" };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(look_up(spellings[i]), 0);
		assert_int_equal(found->uid, 1001);
		assert_int_equal(found->gid, 1002);
		assert_string_equal(found->name, "joe");
		assert_string_equal(found->home, "/home/joe");
		assert_string_equal(found->shell, "/bin/sh");
		assert_int_equal(found->n_groups, 2);
		assert_int_equal(found->groups[0], 1002);
		assert_int_equal(found->groups[1], 1003);
	}
	assert_int_equal(look_up(NULL), 0);
	assert_int_equal(found->uid, 0);
	assert_string_equal(found->shell, "/bin/bash");
}

static void test_a_named_group_is_the_only_one(void **state)
{
	put("etc/passwd", passwd);
	put("etc/group", group);
	assert_int_equal(look_up("joe:55"), 0);
	assert_int_equal(found->uid, 1001);
	assert_int_equal(found->gid, 55);
	assert_int_equal(found->n_groups, 1);
	assert_int_equal(found->groups[0], 55);
	assert_int_equal(look_up("1001:x"), EINVAL);
	assert_int_equal(look_up("1001:"), EINVAL);
}

static void test_a_number_needs_no_entry_and_a_name_does(void **state)
{
	assert_int_equal(look_up("4242"), 0);
	assert_int_equal(found->uid, 4242);
	assert_int_equal(found->gid, 4242);
	assert_string_equal(found->home, "/");
	assert_string_equal(found->shell, "/bin/sh");
	assert_int_equal(look_up(NULL), 0);
	assert_int_equal(found->uid, 0);
	assert_int_equal(found->gid, 0);
	assert_string_equal(found->home, "/root");
	assert_int_equal(look_up("joe"), ENOENT);
	put("etc/passwd", passwd);
	assert_int_equal(look_up("jo"), ENOENT);
	assert_int_equal(look_up("joe:x:1001"), EINVAL);
	assert_int_equal(look_up("4294967295"), ENOENT); /* -1 is no id */
	assert_int_equal(look_up("-1"), ENOENT);
	assert_int_equal(look_up(""), ENOENT);
}

static void test_lines_that_are_no_entries_are_passed_over(void **state)
{
	put("etc/passwd", "joe\njoe:x\njoe:x:1:2:::\n\njoe:x:-1:0::/:/bin/sh\njoe:x:0x0:0::/:/bin/sh\njoe:x: 0:0::/:/bin/sh\n"
			  "joe:x:4294967295:0::/:/bin/sh\njoe:x:99999999999999999999:0::/:/bin/sh\n"
			  "joe:x:1:2::/:/bin/sh:more\n:x:0:0::/:/bin/sh\njoe:x:7:8::relative:relative");
	assert_int_equal(look_up("joe"), 0);
	/* joe:x:1:2::: has its seven fields, empty ones. */
	assert_int_equal(found->uid, 1);
	assert_string_equal(found->home, "/");
	assert_string_equal(found->shell, "/bin/sh");
	assert_int_equal(look_up("7"), 0);
	assert_int_equal(found->gid, 8);
	assert_string_equal(found->home, "/");
	assert_string_equal(found->shell, "/bin/sh");
}

static void test_nothing_is_cut_short(void **state)
{
	char text[2048];
	snprintf(text, sizeof(text), "%0*d:x:7:7::/:/bin/sh\njoe:x:8:8::/%0*d:/bin/sh\njoe:x:9:9::/home:/bin/sh\n", 70, 0, 300, 0);
	put("etc/passwd", text);
	assert_int_equal(look_up("joe"), 0);
	assert_int_equal(found->uid, 9);
	memset(text, 'a', 200);
	text[200] = '\0';
	assert_int_equal(look_up(text), ENOENT);
}

static void test_too_many_groups_are_an_error_not_fewer(void **state)
{
	char text[16384];
	size_t n = 0;
	put("etc/passwd", passwd);
	for (int i = 0; i < IDENTITY_MAX_GROUPS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "g%d:x:%d:joe\n", i, 2000 + i);
	put("etc/group", text);
	assert_int_equal(look_up("joe"), E2BIG);
}

/* Neither waits nor believes: numbers are all that is known then. */
static void test_files_that_are_no_files(void **state)
{
	static int (*const makers[])(const char *) = { make_fifo, make_loop, make_directory, make_huge, make_endless };
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		assert_int_equal(makers[i]("etc/passwd"), 0);
		assert_int_equal(makers[i]("etc/group"), 0);
		assert_int_equal(makers[i]("etc/shadow"), 0);
		assert_int_equal(look_up("joe"), ENOENT);
		assert_int_equal(look_up("12"), 0);
		assert_int_equal(found->n_groups, 1);
		clear_root();
	}
}

static void test_a_link_stays_in_the_tree(void **state)
{
	put("elsewhere", passwd);
	assert_int_equal(link_to("/elsewhere", "etc/passwd"), 0);
	assert_int_equal(look_up("joe"), 0);
	clear_root();
	/* Of the host, there would be something to find. */
	assert_int_equal(link_to("../../../../../../../../etc/passwd", "etc/passwd"), 0);
	assert_int_equal(look_up("root"), ENOENT);
}

/* ---- passwords ---- */

static const char *user, *hash;

static int set(struct failure *f)
{
	return shadow_set(user, hash, f);
}

static int set_password(const char *u, const char *h)
{
	user = u;
	hash = h;
	return in_root(set, NULL);
}

static void test_only_the_hash_of_that_user_changes(void **state)
{
	struct stat before, after;
	put("etc/shadow", "root:*:19000:0:99999:7:::\njoe:!:19000:0:99999:7:::\njoey:x:1::::::\n\ngarbage\nlast:*:1::::::");
	chmod(at("etc/shadow"), 0640);
	stat(at("etc/shadow"), &before);
	assert_int_equal(set_password("joe", "$y$new"), 0);
	assert_contents("etc/shadow", "root:*:19000:0:99999:7:::\njoe:$y$new:19000:0:99999:7:::\njoey:x:1::::::\n\ngarbage\nlast:*:1::::::");
	stat(at("etc/shadow"), &after);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(set_password("last", "h"), 0);
	assert_contents("etc/shadow", "root:*:19000:0:99999:7:::\njoe:$y$new:19000:0:99999:7:::\njoey:x:1::::::\n\ngarbage\nlast:h:1::::::");
	assert_absent("etc/.shadow.vectl");
}

static void test_a_user_without_a_line_is_refused(void **state)
{
	put("etc/shadow", "root:*:1::::::\njoe:half a line\n");
	assert_int_equal(set_password("jo", "h"), ENOENT);
	assert_int_equal(set_password("joe", "h"), ENOENT);
	assert_contents("etc/shadow", "root:*:1::::::\njoe:half a line\n");
}

static void test_a_hash_that_is_none_is_refused(void **state)
{
	char long_hash[600];
	memset(long_hash, 'a', sizeof(long_hash) - 1);
	long_hash[sizeof(long_hash) - 1] = '\0';
	put("etc/shadow", "root:*:1::::::\n");
	assert_int_equal(set_password("root", "a:b"), EINVAL);
	assert_int_equal(set_password("root", "a\nroot::"), EINVAL);
	assert_int_equal(set_password("root", long_hash), EINVAL);
	assert_contents("etc/shadow", "root:*:1::::::\n");
}

static void test_a_file_that_would_lose_its_rest_is_left(void **state)
{
	put_bytes("etc/shadow", "root:*:1::::::\n\0joe:*:1::::::\n", 30);
	assert_int_equal(set_password("root", "h"), EINVAL);
	assert_int_equal(make_fifo("etc/other"), 0);
	unlink(at("etc/shadow"));
	assert_int_equal(make_fifo("etc/shadow"), 0);
	assert_int_equal(set_password("root", "h"), EINVAL);
}

static void test_what_lies_in_the_way_is_replaced_not_followed(void **state)
{
	put("etc/shadow", "root:*:1::::::\n");
	put("victim", "untouched");
	assert_int_equal(link_to("/victim", "etc/.shadow.vectl"), 0);
	assert_int_equal(set_password("root", "h"), 0);
	assert_contents("victim", "untouched");
	assert_contents("etc/shadow", "root:h:1::::::\n");
	/* A link is replaced by a file: its target belongs to somebody else. */
	put("victim", "root:old:1::::::\n");
	unlink(at("etc/shadow"));
	assert_int_equal(link_to("/victim", "etc/shadow"), 0);
	assert_int_equal(set_password("root", "h"), 0);
	assert_contents("victim", "root:old:1::::::\n");
	assert_contents("etc/shadow", "root:h:1::::::\n");
}

int main(void)
{
	found = shared(sizeof(*found));
#define T(name) cmocka_unit_test_setup_teardown(name, root_setup, root_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_user_is_found_by_name_and_by_number),
		T(test_a_named_group_is_the_only_one),
		T(test_a_number_needs_no_entry_and_a_name_does),
		T(test_lines_that_are_no_entries_are_passed_over),
		T(test_nothing_is_cut_short),
		T(test_too_many_groups_are_an_error_not_fewer),
		T(test_files_that_are_no_files),
		T(test_a_link_stays_in_the_tree),
		T(test_only_the_hash_of_that_user_changes),
		T(test_a_user_without_a_line_is_refused),
		T(test_a_hash_that_is_none_is_refused),
		T(test_a_file_that_would_lose_its_rest_is_left),
		T(test_what_lies_in_the_way_is_replaced_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
