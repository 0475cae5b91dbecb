/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says of this process in /proc is what privilege_held() says, before and after it is given away. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "sys/privilege.h"

static bool kernel_says(int cap)
{
	_cleanup_free_ char *text = NULL;
	assert_int_equal(file_read(AT_FDCWD, "/proc/thread-self/status", 1 << 16, &text, NULL), 0);
	const char *line = strstr(text, "\nCapEff:");
	assert_non_null(line);
	return strtoull(line + strlen("\nCapEff:"), NULL, 16) >> cap & 1;
}

static void assert_agreed(void)
{
	assert_int_equal(privilege_held(PRIVILEGE_ADMIN), kernel_says(CAP_SYS_ADMIN));
	assert_int_equal(privilege_held(PRIVILEGE_RESOURCE), kernel_says(CAP_SYS_RESOURCE));
}

static void test_as_started(void **state)
{
	assert_agreed();
}

static void test_effective_counts(void **state)
{
	cap_t caps = cap_get_proc();
	cap_value_t admin = CAP_SYS_ADMIN;
	assert_non_null(caps);
	assert_int_equal(cap_set_flag(caps, CAP_EFFECTIVE, 1, &admin, CAP_CLEAR), 0);
	assert_int_equal(cap_set_proc(caps), 0);
	cap_free(caps);
	assert_false(privilege_held(PRIVILEGE_ADMIN));
	assert_agreed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_started),
		cmocka_unit_test(test_effective_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
