/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

static char text[4096];

static void note(const char *feature, bool present, const char *detail, const char *hint, void *data)
{
	size_t n = strlen(text);
	assert_int_equal(present, hint == NULL);
	snprintf(text + n, sizeof(text) - n, "%s %s: %s\n", present ? "yes" : "no", feature, detail);
}

static void put(const char *path, const char *data)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(data, f);
	fclose(f);
}

static void test_groups(void **state)
{
	char dir[] = "/tmp/modules.XXXXXX";
	struct utsname u;
	assert_non_null(mkdtemp(dir));
	uname(&u);
	_cleanup_free_ char *list = str_printf("%s/list", dir), *release = str_printf("%s/%s", dir, u.release);
	_cleanup_free_ char *builtin = str_printf("%s/modules.builtin", release);
	put(list, "# a comment\n\n#: one | what needs it\nfirst\n  second \n;third\n#: two | others\nfirst\n");
	mkdir(release, 0755);
	put(builtin, "kernel/net/first.ko\nkernel/net/not_second.ko\nkernel/net/second.ko.xz\n");
	text[0] = '\0';
	modules_check(list, dir, note, NULL);
	assert_string_equal(text, "no one: for what needs it; not loaded: second\nyes two: for others\n");
	/* A kernel that has no such file is not accused of anything. */
	unlink(builtin);
	text[0] = '\0';
	modules_check(list, dir, note, NULL);
	assert_non_null(strstr(text, "yes one: for what needs it; cannot be told"));
	text[0] = '\0';
	modules_check("/nonexistent", dir, note, NULL);
	assert_string_equal(text, "");
	rmdir(release);
	unlink(list);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_groups) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
