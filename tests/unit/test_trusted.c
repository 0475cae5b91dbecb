/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which programs root may run: on paths that every machine has, so that nobody need be root. */
#include "sys/trusted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"

static void refused(const char *path, enum ve_category category, const char *why)
{
	_cleanup_err_ ve_error *e = NULL;
	if (trusted_program(path, &e) == 0)
		fail_msg("'%s' is taken", path);
	assert_int_equal(ve_error_category(e), category);
	if (!strstr(ve_error_message(e), why))
		fail_msg("'%s' and not: %s", ve_error_message(e), why);
}

static void test_taken(void **state)
{
	(void)state;
	assert_int_equal(trusted_program("/usr/bin/env", NULL), 0);
	assert_int_equal(trusted_program("//usr///bin/env", NULL), 0);
}

static void test_refused(void **state)
{
	(void)state;
	refused("usr/bin/env", VE_ERR_CONFIG, "is no absolute path");
	refused("", VE_ERR_CONFIG, "is no absolute path");
	refused("/", VE_ERR_CONFIG, "is no plain absolute path");
	refused("/usr/./bin/env", VE_ERR_CONFIG, "is no plain absolute path");
	refused("/usr/bin/../bin/env", VE_ERR_CONFIG, "is no plain absolute path");
	refused("/usr/bin", VE_ERR_CONFIG, "'/usr/bin' is no file");
	refused("/usr/bin/env/x", VE_ERR_CONFIG, "'/usr/bin/env' is no directory");
	refused("/usr/bin/no-such-program-anywhere", VE_ERR_NOT_FOUND, "is not there");
	refused("/no-such-directory/x", VE_ERR_NOT_FOUND, "'/no-such-directory' is not there");
	refused("/tmp/x", VE_ERR_CONFIG, "'/tmp' can be written by others");
	refused("/etc/passwd", VE_ERR_CONFIG, "cannot be executed");
	refused("/proc/self/exe", VE_ERR_CONFIG, "'/proc/self' is a symbolic link");
	refused("/dev/null", VE_ERR_CONFIG, "is no file");
}

/* A part may be too long, and there may be none behind the last slash. */
static void test_odd_parts(void **state)
{
	(void)state;
	char path[400];
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	refused(path, VE_ERR_CONFIG, "too long");
	refused("/usr/bin/env/", VE_ERR_CONFIG, "is no directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_odd_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
