/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "base/guard.h"
#include "sec/caps.h"

#define BIT(c) (UINT64_C(1) << (c))

static uint64_t set_of(enum caps_profile profile, bool nesting, const char *const *extra)
{
	uint64_t set;
	_cleanup_err_ ve_error *e = NULL;
	if (caps_bounding_set(profile, nesting, extra, &set, &e) < 0)
		fail_msg("%s", ve_error_message(e));
	return set;
}

static void test_profiles(void **state)
{
	static const int never[] = { CAP_SYS_MODULE,	CAP_SYS_RAWIO,	CAP_SYS_TIME,	    CAP_MAC_ADMIN,
				     CAP_MAC_OVERRIDE,	CAP_AUDIT_READ, CAP_AUDIT_CONTROL, CAP_WAKE_ALARM,
				     CAP_BLOCK_SUSPEND, CAP_SYSLOG,	CAP_PERFMON,	    CAP_BPF };
	uint64_t vps = set_of(CAPS_VPS, true, NULL), jail = set_of(CAPS_JAIL, false, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		assert_false((vps | jail) & BIT(never[i]));
	/* A full system has all the others that this kernel knows, and none beside. */
	assert_int_equal(__builtin_popcountll(vps), cap_max_bits() - (int)ARRAY_SIZE(never));
	assert_true(vps < BIT(cap_max_bits()));
	assert_int_equal(vps & ~set_of(CAPS_VPS, false, NULL), BIT(CAP_SYS_RESOURCE));
	assert_true(__builtin_popcountll(jail) <= 14);
	assert_true(jail & BIT(CAP_NET_BIND_SERVICE));
	assert_false(jail & (BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_RESOURCE) | BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_PTRACE)));
}

static void test_extra(void **state)
{
	static const char *const extra[] = { "+net_admin", "-CAP_CHOWN", "+Cap_Sys_Nice", "-sys_module", "-chown", NULL };
	uint64_t jail = set_of(CAPS_JAIL, false, NULL);
	assert_int_equal(set_of(CAPS_JAIL, false, extra),
			 (jail | BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_NICE)) & ~BIT(CAP_CHOWN));
	static const char *const resource[] = { "+sys_resource", NULL };
	assert_true(set_of(CAPS_JAIL, true, resource) & BIT(CAP_SYS_RESOURCE));
}

static const struct {
	const char *element, *message, *hint;
} bad[] = {
	{ "net_raw", "'net_raw' in", "'+net_raw'" },
	{ "+", "'+' in", NULL },
	{ "", "'' in", NULL },
	{ "+net_rwa", "'+net_rwa' in", "'+net_raw'" },
	{ "-cown", "'-cown' in", "'-chown'" },
	{ "+12", "'+12' in", NULL },
	{ "+cap_12", "'+cap_12' in", NULL },
	{ "+cap_", "'+cap_' in", NULL },
	{ "+all", "'+all' in", NULL },
	{ "+net_raw\n", "'+net_raw\\x0a' in", "'+net_raw'" },
	{ "+cap_cap_chown", "in security.capabilities", NULL },
	{ "+chown=eip", "in security.capabilities", NULL },
	{ "+sys_module", "'sys_module': it can only reach the host", NULL },
	{ "+SYSLOG", "'syslog': it can only reach the host", NULL },
	{ "+sys_resource", "'sys_resource'", "features.nesting" },
	{ "+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "in security", NULL },
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *extra[] = { bad[i].element, NULL };
		_cleanup_err_ ve_error *e = NULL;
		uint64_t set = 42;
		if (caps_bounding_set(CAPS_VPS, false, extra, &set, &e) == 0)
			fail_msg("'%s' is taken", bad[i].element);
		assert_int_equal(set, 42);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
		if (!strstr(ve_error_message(e), bad[i].message))
			fail_msg("'%s': %s", bad[i].element, ve_error_message(e));
		if (bad[i].hint && (!ve_error_hint(e) || !strstr(ve_error_hint(e), bad[i].hint)))
			fail_msg("'%s': hint %s", bad[i].element, ve_error_hint(e));
	}
}

static void test_format(void **state)
{
	_cleanup_free_ char *some = caps_format(BIT(CAP_KILL) | BIT(CAP_CHOWN) | BIT(62)), *none = caps_format(0);
	assert_string_equal(some, "chown,kill,62");
	assert_string_equal(none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_extra),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
