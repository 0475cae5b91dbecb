/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan is asked in children, because it looks at the process's own limits and capabilities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "sec/rlimits.h"

enum { CANNOT = 99 };
#define GIB (INT64_C(1) << 30)

static struct rlimit *find(struct rlimit_value *v, int resource)
{
	for (int i = 0; i < RLIMITS_MAX; i++)
		if (v[i].resource == resource)
			return &v[i].limit;
	fail_msg("resource %d is missing", resource);
	return NULL;
}

static void plan(int64_t pids, int64_t memory, const char *const *overrides, struct rlimit_value *v)
{
	_cleanup_err_ ve_error *e = NULL;
	if (rlimits_plan(pids, memory, overrides, v, &e) != RLIMITS_MAX)
		fail_msg("%s", ve_error_message(e));
}

/* Every limit of the kernel once, none above its hard one, and the kernel takes each of them. */
static void test_whole(void **state)
{
	struct rlimit_value v[RLIMITS_MAX];
	unsigned seen = 0;
	plan(512, GIB, NULL, v);
	for (int i = 0; i < RLIMITS_MAX; i++) {
		seen |= 1u << v[i].resource;
		assert_true(v[i].limit.rlim_cur <= v[i].limit.rlim_max);
	}
	assert_int_equal(seen, (1u << RLIM_NLIMITS) - 1);
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < RLIMITS_MAX; i++)
			if (setrlimit((__rlimit_resource_t)v[i].resource, &v[i].limit) < 0)
				_exit(v[i].resource + 1);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_sizes(void **state)
{
	struct rlimit_value v[RLIMITS_MAX];
	struct rlimit host;
	plan(512, GIB, NULL, v);
	/* A full VE can be entered: nproc is above pids.limit. */
	assert_int_equal(find(v, RLIMIT_NPROC)->rlim_cur, 512 + 1024);
	assert_int_equal(find(v, RLIMIT_NPROC)->rlim_max, 512 + 1024);
	assert_int_equal(find(v, RLIMIT_SIGPENDING)->rlim_cur, 4096);
	assert_int_equal(find(v, RLIMIT_NOFILE)->rlim_cur, 1024);
	assert_int_equal(find(v, RLIMIT_STACK)->rlim_cur, 8 << 20);
	assert_int_equal(find(v, RLIMIT_RTPRIO)->rlim_max, 0);
	assert_int_equal(find(v, RLIMIT_NICE)->rlim_max, 0);
	assert_true(find(v, RLIMIT_MEMLOCK)->rlim_cur <= (rlim_t)GIB);
	plan(512, 1 << 20, NULL, v);
	assert_int_equal(find(v, RLIMIT_MEMLOCK)->rlim_cur, 1 << 20);
	plan(UNITS_UNLIMITED, UNITS_UNLIMITED, NULL, v);
	getrlimit(RLIMIT_NPROC, &host);
	assert_true(find(v, RLIMIT_NPROC)->rlim_cur >= host.rlim_max);
}

static void test_core(void **state)
{
	static const struct {
		const char *pattern;
		int dumpable;
		bool leaves;
	} cases[] = {
		{ "core", 0, false },	{ "core", 2, false },	      { "", 0, false },
		{ "/var/core.%p", 1, false }, { "/var/core.%p", 2, true }, { "|/usr/lib/helper %P", 0, true },
		{ "@/run/coredump", 0, true }, { "@@/run/coredump", 0, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(rlimits_core_leaves_ve(cases[i].pattern, cases[i].dumpable), cases[i].leaves);
	struct rlimit_value fenced[] = { { RLIMIT_CPU, { 1, 1 } }, { RLIMIT_CORE, { 1, 1 } } };
	struct rlimit_value open[] = { { RLIMIT_CPU, { 1, 1 } }, { RLIMIT_CORE, { 0, RLIM_INFINITY } } };
	assert_true(rlimits_core_is_fenced(fenced, 2));
	assert_false(rlimits_core_is_fenced(open, 2));
	assert_false(rlimits_core_is_fenced(fenced, 1));
	/* The provider's own word wins, whatever core_pattern says. */
	struct rlimit_value v[RLIMITS_MAX];
	const char *const overrides[] = { "core", "0", NULL };
	plan(512, GIB, overrides, v);
	assert_int_equal(find(v, RLIMIT_CORE)->rlim_max, 0);
}

static void test_overrides(void **state)
{
	struct rlimit_value v[RLIMITS_MAX];
	const char *const overrides[] = { "nofile", "512:2K", "stack", "1M:16M", "cpu", "60", "nproc", "600:700", NULL };
	const char *const good[] = { "nofile", "512:2048", "stack", "1M:16M", "cpu", "60", "nproc", "600:700", NULL };
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(rlimits_plan(512, GIB, overrides, v, &e), -EINVAL); /* a count is no size */
	plan(512, GIB, good, v);
	assert_int_equal(find(v, RLIMIT_NOFILE)->rlim_cur, 512);
	assert_int_equal(find(v, RLIMIT_NOFILE)->rlim_max, 2048);
	assert_int_equal(find(v, RLIMIT_STACK)->rlim_max, 16 << 20);
	assert_int_equal(find(v, RLIMIT_CPU)->rlim_cur, 60);
	assert_int_equal(find(v, RLIMIT_CPU)->rlim_max, 60);
	assert_int_equal(find(v, RLIMIT_NPROC)->rlim_cur, 600);
	const char *const unlimited[] = { "cpu", "1:unlimited", NULL };
	plan(512, GIB, unlimited, v);
	assert_true(find(v, RLIMIT_CPU)->rlim_max == RLIM_INFINITY);
}

static const struct {
	const char *name, *value, *message, *hint;
} bad[] = {
	{ "nofiles", "1", "'rlimits.nofiles'", "'rlimits.nofile'" },
	{ "zzz", "1", "'rlimits.zzz'", NULL },
	{ "cpu\n", "1", "'rlimits.cpu\\x0a'", NULL },
	{ "cpu", "", "rlimits.cpu: '' is not a limit", NULL },
	{ "cpu", "1:", "rlimits.cpu: '' is not a limit", NULL },
	{ "cpu", ":1", "rlimits.cpu: '' is not a limit", NULL },
	{ "cpu", "-1", "'-1' is not a limit", NULL },
	{ "cpu", "x", "'x' is not a limit", NULL },
	{ "stack", "1MB", "'1MB' is not a limit", NULL },
	{ "stack", "2M:1M", "above the hard one", NULL },
	{ "stack", "unlimited:1M", "above the hard one", NULL },
	{ "nofile", "99999999999", "fs.nr_open", NULL },
	{ "nproc", "512", "rlimits.nproc must be above pids.limit (512)", NULL },
	{ "nproc", "100:2000", "rlimits.nproc must be above pids.limit (512)", NULL },
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *overrides[] = { bad[i].name, bad[i].value, NULL };
		struct rlimit_value v[RLIMITS_MAX] = { { .resource = 77 } };
		_cleanup_err_ ve_error *e = NULL;
		assert_true(rlimits_plan(512, GIB, overrides, v, &e) < 0);
		assert_int_equal(v[0].resource, 77);
		/* A process that lacks the capability hears of its own limit first. */
		bool own = ve_error_category(e) == VE_ERR_PERMISSION && str_eq(bad[i].name, "nofile");
		if (!own && (ve_error_category(e) != VE_ERR_CONFIG || !strstr(ve_error_message(e), bad[i].message)))
			fail_msg("%s=%s: %s", bad[i].name, bad[i].value, ve_error_message(e));
		if (bad[i].hint && (!ve_error_hint(e) || !strstr(ve_error_hint(e), bad[i].hint)))
			fail_msg("%s=%s: hint %s", bad[i].name, bad[i].value, ve_error_hint(e));
	}
}

/* In a process without CAP_SYS_RESOURCE and with low hard limits: 0 is good. */
static int without_capability(void)
{
	struct rlimit_value v[RLIMITS_MAX];
	struct rlimit low = { 100, 100 };
	cap_value_t cap = CAP_SYS_RESOURCE;
	cap_t caps = cap_get_proc();
	if (setrlimit(RLIMIT_NOFILE, &low) < 0 || setrlimit(RLIMIT_CPU, &low) < 0 ||
	    setrlimit(RLIMIT_MSGQUEUE, &low) < 0 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_CLEAR) < 0 || cap_set_proc(caps) < 0)
		return 1;
	cap_free(caps);
	/* Defaults are lowered to what is possible ... */
	if (rlimits_plan(512, GIB, NULL, v, NULL) != RLIMITS_MAX)
		return 2;
	if (find(v, RLIMIT_NOFILE)->rlim_cur != 100 || find(v, RLIMIT_NOFILE)->rlim_max != 100 ||
	    find(v, RLIMIT_CPU)->rlim_max != 100 || find(v, RLIMIT_MSGQUEUE)->rlim_cur != 100)
		return 3;
	/* ... what was asked for is refused, and what is possible taken. */
	const char *const high[] = { "cpu", "50:101", NULL }, *const fine[] = { "cpu", "50:100", NULL };
	ve_error *e = NULL;
	if (rlimits_plan(512, GIB, high, v, &e) != -EPERM || ve_error_category(e) != VE_ERR_PERMISSION ||
	    !strstr(ve_error_message(e), "rlimits.cpu") || !strstr(ve_error_message(e), "100"))
		return 4;
	ve_error_free(e);
	if (rlimits_plan(512, GIB, fine, v, NULL) != RLIMITS_MAX || find(v, RLIMIT_CPU)->rlim_cur != 50)
		return 5;
	return 0;
}

/* A hard core limit of 0 that cannot be raised: refused where a core would reach the host, else taken. */
static int without_core(void)
{
	struct rlimit_value v[RLIMITS_MAX];
	struct rlimit zero = { 0, 0 };
	cap_t caps = cap_init();
	if (setrlimit(RLIMIT_CORE, &zero) < 0 || cap_set_proc(caps) < 0)
		return 1;
	cap_free(caps);
	const char *const asked[] = { "core", "0", NULL };
	char pattern[2] = "";
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "re");
	if (!f || !fgets(pattern, sizeof(pattern), f))
		return 2;
	fclose(f);
	int r = rlimits_plan(512, GIB, NULL, v, NULL);
	if (pattern[0] == '|' ? r != -EPERM : pattern[0] != '/' && r != RLIMITS_MAX)
		return 3;
	return rlimits_plan(512, GIB, asked, v, NULL) == RLIMITS_MAX ? 0 : 4;
}

/* As if core_pattern were a pipe: a file is mounted over it in a mount namespace of our own. */
static int with_pipe(void)
{
	char path[] = "/tmp/vectl-test-XXXXXX";
	struct rlimit_value v[RLIMITS_MAX];
	struct rlimit zero = { 0, 0 };
	if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return CANNOT;
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, "|/bin/false\n", 12) != 12 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	int r = mount(path, "/proc/sys/kernel/core_pattern", NULL, MS_BIND, NULL);
	unlink(path);
	if (r < 0)
		return 2;
	const char *const asked[] = { "core", "0:unlimited", NULL };
	if (rlimits_plan(512, GIB, NULL, v, NULL) != RLIMITS_MAX || !rlimits_core_is_fenced(v, RLIMITS_MAX) ||
	    find(v, RLIMIT_CORE)->rlim_cur != 1)
		return 3;
	if (rlimits_plan(512, GIB, asked, v, NULL) != RLIMITS_MAX || rlimits_core_is_fenced(v, RLIMITS_MAX))
		return 4;
	/* A hard limit of 0 that cannot be raised to 1 is no fence. */
	ve_error *e = NULL;
	const char *const zero_asked[] = { "core", "0", NULL };
	cap_t caps = cap_init();
	if (setrlimit(RLIMIT_CORE, &zero) < 0 || cap_set_proc(caps) < 0)
		return 5;
	if (rlimits_plan(512, GIB, NULL, v, &e) != -EPERM || ve_error_category(e) != VE_ERR_PERMISSION)
		return 6;
	return rlimits_plan(512, GIB, zero_asked, v, NULL) == RLIMITS_MAX ? 0 : 7;
}

static void in_child(int (*fn)(void))
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(fn());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == CANNOT)
		skip(); /* no mount namespace for this user */
	assert_int_equal(status, 0);
}

static void test_with_pipe(void **state)
{
	in_child(with_pipe);
}

static void test_without_capability(void **state)
{
	in_child(without_capability);
	in_child(without_core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	  cmocka_unit_test(test_sizes), cmocka_unit_test(test_core),
		cmocka_unit_test(test_overrides), cmocka_unit_test(test_bad),	cmocka_unit_test(test_without_capability),
		cmocka_unit_test(test_with_pipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
