/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor's changes of a VE's accounts, in a tree whose files were written by somebody who means harm. */
#include "run/monitor/accountfile.c"
#include "run/monitor/copy.c"
#include "run/monitor/adapt.c"
#include "run/monitor/files.c"
#include "run/monitor/msg.c"
#include "run/monitor/pwdlock.c"
#include "run/monitor/users.c"

/* BF_PASSWORD is not asked for here. */
int shadow_set(const char *user, const char *hash, struct failure *f)
{
	(void)user;
	(void)hash;
	return fail(f, "user", NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "mon_root.h"

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/srv:/bin/false\n";
static const char group_text[] = "root:x:0:\nsudo:x:27:\nwww:x:33:\nadm:x:4:www\n";
static const char shadow_text[] = "root:$y$hash:19000:0:99999:7:::\nwww:!:19000::::::\n";
static const char gshadow_text[] = "root:*::\nsudo:*:www:\nwww:!::\nadm:*::www\n";

/* What is asked for, as a plan would have it. */
static struct {
	struct blob blob;
	char words[2048];
	blob_str groups[4];
} asked;
static size_t n_words;

static blob_str word(const char *s)
{
	if (!s)
		return 0;
	size_t at = offsetof(__typeof__(asked), words) + n_words;
	memcpy(asked.words + n_words, s, strlen(s) + 1);
	n_words += strlen(s) + 1;
	return (blob_str)at;
}

static int run_users(struct failure *f)
{
	static struct mon m;
	m.blob = &asked.blob;
	m.base = (const char *)&asked;
	int fd = open("/answer", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, COPY_STREAM_FD) < 0)
		return (fail)(f, "open", "answer");
	return users_run(&m, f);
}

static int ask(enum blob_user_what what, const char *name)
{
	asked.blob.user_change.what = what;
	asked.blob.user_change.name = word(name);
	int r = in_root(run_users, NULL);
	memset(&asked, 0, sizeof(asked));
	n_words = 0;
	return r;
}

static int add_user(const char *name, uint32_t uid, const char *hash, const char *keys, const char *group_name)
{
	char home[64];
	snprintf(home, sizeof(home), "/home/%s", name);
	asked.groups[0] = word(group_name);
	asked.blob.user_change = (struct blob_user){ .uid = uid, .home = word(home), .shell = word("/bin/sh"), .hash = word(hash),
						     .keys = word(keys) };
	if (group_name)
		asked.blob.user_change.groups = (struct blob_vec){ (uint32_t)offsetof(__typeof__(asked), groups), 1 };
	return ask(BU_ADD, name);
}

static void put_accounts(void)
{
	put("etc/passwd", passwd_text);
	put("etc/group", group_text);
	put("etc/shadow", shadow_text);
	put("etc/gshadow", gshadow_text);
}
static void assert_unchanged(void)
{
	assert_contents("etc/passwd", passwd_text);
	assert_contents("etc/group", group_text);
	assert_contents("etc/shadow", shadow_text);
	assert_contents("etc/gshadow", gshadow_text);
	assert_absent("etc/.passwd.vectl");
	assert_absent("etc/.shadow.vectl");
	assert_absent("home/ann");
}

static void test_a_user_comes_and_goes(void **state)
{
	char expected[512];
	put_accounts();
	assert_int_equal(add_user("ann", UINT32_MAX, "$y$secret", NULL, "adm"), 0);
	assert_contents("answer", "changed");
	snprintf(expected, sizeof(expected), "%sann:x:1000:1000::/home/ann:/bin/sh\n", passwd_text);
	assert_contents("etc/passwd", expected);
	assert_contents("etc/group", "root:x:0:\nsudo:x:27:\nwww:x:33:\nadm:x:4:www,ann\nann:x:1000:\n");
	assert_contents("etc/gshadow", "root:*::\nsudo:*:www:\nwww:!::\nadm:*::www,ann\nann:!::\n");
	assert_int_equal(add_user("ann", UINT32_MAX, NULL, NULL, NULL), EEXIST);
	assert_int_equal(ask(BU_REMOVE, "ann"), 0);
	assert_int_equal(rmdir(at("home/ann")), 0);
	assert_unchanged();
	assert_int_equal(ask(BU_REMOVE, "ann"), ENOENT);
	/* A member and an administrator of groups, whose own one others are in. */
	put("etc/passwd", "www:x:33:33::/srv:/bin/false\nbob:x:34:33::/:/bin/sh\n");
	assert_int_equal(ask(BU_REMOVE, "www"), 0);
	assert_contents("etc/group", "root:x:0:\nsudo:x:27:\nwww:x:33:\nadm:x:4:\n");
	assert_contents("etc/gshadow", "root:*::\nsudo:*::\nwww:!::\nadm:*::\n");
	assert_contents("etc/shadow", "root:$y$hash:19000:0:99999:7:::\n");
}

static void test_what_is_taken_or_not_there_is_refused(void **state)
{
	put_accounts();
	assert_int_equal(add_user("sudo", UINT32_MAX, NULL, NULL, NULL), EEXIST);
	assert_int_equal(add_user("ann", 33, NULL, NULL, NULL), EEXIST);
	assert_int_equal(add_user("ann", UINT32_MAX, NULL, NULL, "nosuch"), ENOENT);
	assert_int_equal(ask(BU_LOCK, "ann"), ENOENT);
	assert_unchanged();
}

static void test_lock_and_unlock(void **state)
{
	put_accounts();
	assert_int_equal(ask(BU_LOCK, "root"), 0);
	assert_contents("answer", "changed");
	assert_contents("etc/shadow", "root:!$y$hash:19000:0:99999:7::1:\nwww:!:19000::::::\n");
	assert_int_equal(ask(BU_LOCK, "root"), 0);
	assert_contents("answer", "unchanged");
	assert_int_equal(ask(BU_LIST, NULL), 0);
	assert_contents("answer", "root:0:0:locked:/root:/bin/sh:root\nwww:33:33:none:/srv:/bin/false:www,adm\n");
	assert_int_equal(ask(BU_UNLOCK, "root"), 0);
	assert_contents("etc/shadow", shadow_text);
	assert_int_equal(ask(BU_UNLOCK, "root"), 0);
	assert_contents("answer", "unchanged");
	/* What would be an account that needs no password is one without a password. */
	assert_int_equal(ask(BU_UNLOCK, "www"), 0);
	assert_contents("etc/shadow", "root:$y$hash:19000:0:99999:7:::\nwww:*:19000::::::\n");
	/* A date of its own stays where nothing was locked. */
	put("etc/shadow", "root:!x:1:::::20000:\n");
	assert_int_equal(ask(BU_UNLOCK, "root"), 0);
	assert_contents("etc/shadow", "root:x:1:::::20000:\n");
	put("etc/shadow", "root:x\n");
	assert_int_equal(ask(BU_LOCK, "root"), EINVAL);
}

static int make_outside_link(const char *path) { return link_to("/answer", path); }

static void test_files_that_are_no_files(void **state)
{
	static const char *const files[] = { "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/.pwd.lock" };
	static int (*const kinds[])(const char *) = { make_fifo, make_directory, make_loop, make_huge, make_outside_link };
	for (unsigned i = 0; i < 5; i++) {
		for (unsigned k = 0; k < 5; k++) {
			put_accounts();
			unlink(at(files[i]));
			assert_int_equal(kinds[k](files[i]), 0);
			bool harmless = i == 4 && k == 3; /* a lock may be as large as it likes */
			assert_int_equal(add_user("ann", UINT32_MAX, NULL, NULL, NULL) == 0, harmless);
			assert_int_equal(remove(at(files[i])), 0);
			clear_root();
		}
	}
	put_accounts();
	unlink(at("etc/gshadow"));
	assert_int_equal(add_user("ann", UINT32_MAX, NULL, NULL, "adm"), 0);
	assert_absent("etc/gshadow");
	clear_root();
	put_accounts();
	put_bytes("etc/passwd", "root:x:0:0:a\0b:/:/bin/sh\n", 25);
	assert_int_equal(add_user("ann", UINT32_MAX, NULL, NULL, NULL), EINVAL);
	put_accounts();
	make_endless("etc/group");
	assert_int_equal(add_user("ann", UINT32_MAX, NULL, NULL, NULL), EFBIG);
	assert_absent("home/ann");
}

static void test_keys_go_no_further_than_the_user(void **state)
{
	put_accounts();
	assert_int_equal(chmod(root, 0755), 0);
	assert_int_equal(add_user("ann", UINT32_MAX, NULL, "ssh-ed25519 AAAA ann\n", NULL), 0);
	assert_contents("home/ann/.ssh/authorized_keys", "ssh-ed25519 AAAA ann\n");
	if (geteuid() != 0)
		return; /* one id is not two */
	assert_int_equal(make_directory("private"), 0);
	assert_int_equal(chmod(at("private"), 0700), 0);
	assert_int_equal(make_directory("home/eve"), 0);
	assert_int_equal(link_to("/private", "home/eve/.ssh"), 0);
	assert_int_equal(add_user("eve", 1234, NULL, "ssh-ed25519 AAAA eve\n", NULL), EACCES);
	assert_absent("private/authorized_keys");
}

static void test_a_home_is_made_like_the_skeleton(void **state)
{
	struct stat st;
	put_accounts();
	assert_int_equal(make_directory("etc/skel"), 0);
	put("etc/skel/.profile", "umask 077\n");
	assert_int_equal(add_user("ann", UINT32_MAX, NULL, NULL, NULL), 0);
	assert_contents("home/ann/.profile", "umask 077\n");
	assert_int_equal(stat(at("home/ann"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	if (geteuid() == 0)
		assert_int_equal(st.st_uid, 1000);
}

int main(void)
{
#define IN_ROOT(fn) cmocka_unit_test_setup_teardown(fn, root_setup, root_teardown)
	const struct CMUnitTest tests[] = {
		IN_ROOT(test_a_user_comes_and_goes),
		IN_ROOT(test_what_is_taken_or_not_there_is_refused),
		IN_ROOT(test_lock_and_unlock),
		IN_ROOT(test_files_that_are_no_files),
		IN_ROOT(test_keys_go_no_further_than_the_user),
		IN_ROOT(test_a_home_is_made_like_the_skeleton),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
