/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/useraccount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "base/str.h"

#define HASH "$6$abcdefgh$0123456789abcdef0123456789abcdef"
#define KEY "ssh-ed25519 AAAAC3Nz ann@home"

static void test_all_of_it(void **state)
{
	_cleanup_useraccount_ struct useraccount u = { 0 };
	(void)state;
	assert_int_equal(useraccount_parse("ann uid=1200 groups=sudo,www-data home=/srv/ann shell=/bin/zsh password=" HASH
					   " locked ssh-key='" KEY "' ssh-key=\"command='x y' " KEY "\"",
					   &u, NULL),
			 0);
	assert_string_equal(u.name, "ann");
	assert_true(u.has_uid && u.uid == 1200 && u.locked);
	assert_string_equal(u.groups[0], "sudo");
	assert_string_equal(u.groups[1], "www-data");
	assert_null(u.groups[2]);
	assert_string_equal(u.home, "/srv/ann");
	assert_string_equal(u.shell, "/bin/zsh");
	assert_string_equal(u.hash, HASH);
	assert_string_equal(u.ssh_keys[0], KEY);
	assert_string_equal(u.ssh_keys[1], "command='x y' " KEY);
}

/* What is written down is read again as the same. */
static void test_one_spelling(void **state)
{
	static const char *const pairs[][2] = {
		{ "ann", "ann" },
		{ "  ann   locked  ", "ann locked" },
		{ "ann locked 'shell=/bin/a b' \"home=/srv/it's\" uid=7", "ann uid=7 home=\"/srv/it's\" shell='/bin/a b' locked" },
		{ "ann ssh-key='" KEY "' groups=a,,b, password=" HASH, "ann groups=a,b password=" HASH " ssh-key='" KEY "'" },
		{ "ann shell=/bin/sh shell=/bin/ash", "ann shell=/bin/ash" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_free_ char *once = NULL, *twice = NULL;
		assert_int_equal(useraccount_canonical(pairs[i][0], &once, NULL), 0);
		assert_string_equal(once, pairs[i][1]);
		assert_int_equal(useraccount_canonical(once, &twice, NULL), 0);
		assert_string_equal(twice, once);
	}
}

static void test_masked(void **state)
{
	_cleanup_free_ char *shown = NULL;
	(void)state;
	assert_int_equal(useraccount_masked("ann password=" HASH " ssh-key='" KEY "'", &shown, NULL), 0);
	assert_string_equal(shown, "ann password=hidden ssh-key='" KEY "'");
}

/* And none of the errors quotes what may be a secret. */
static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", "  ", "Ann", "1st", "-x", "root", "a:b", "locked=yes", "uid=7", "ann uid=", "ann uid=0", "ann uid=65534", "ann uid=-1",
		"ann uid=1x", "ann groups=", "ann groups=,", "ann groups=a:b", "ann 'groups=a b'", "ann home=x", "ann home=/", "ann home=/x/",
		"ann home=/a/../b", "ann home=/a:b", "ann shell=sh", "ann password=", "ann password=hunter2hunter2",
		"ann password=hidden", "ann password=hunter2 hunter2", "ann password=$6$", "ann password=!" HASH, "ann password=*",
		"ann password=abJnggxhB/yWI", "ann password=" HASH ":x", "ann ssh-key=hunter2", "ann ssh-key=ssh-ed25519 AAAA hunter2",
		"ann ssh-key='" KEY, "ann hunter2", "ann pasword=hunter2", "ann\nlocked", "ann shell=/bin/\x01", "ann shell=/bin/\xff",
		"ann 'home=/a\"'\"b'\"",
	};
	struct useraccount u;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		if (useraccount_parse(bad[i], &u, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
		assert_null(strstr(ve_error_message(e), "hunter2"));
		assert_null(strstr(ve_error_message(e), HASH));
	}
	char large[20000];
	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_true(useraccount_parse(large, &u, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_of_it), cmocka_unit_test(test_one_spelling),
					    cmocka_unit_test(test_masked), cmocka_unit_test(test_bad) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
