/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file that keeps which controller is mounted where. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "cg/backend.h"

#define BOOT "0b8f0a5c-3f6e-4d3e-9a55-0c6e3c8f7b11"

static const char sample[] = "vectl-cgroups 1 " BOOT "\n"
			     "1 32 29 cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct\n"
			     "1 35 32 blkio /mnt/a b\n"
			     "2 41 38 - /sys/fs/cgroup/unified\n";

static void test_names(void **state)
{
	for (int c = 0; c < CG_CONTROLLER_COUNT; c++)
		for (int version = 1; version <= 2; version++) {
			const char *name = cg_controller_name(c, version);
			if (name)
				assert_int_equal(cg_controller_from_name(name), c);
		}
	assert_int_equal(cg_controller_from_name("rdma"), -1);
	assert_int_equal(cg_controllers_parse("cpuset cpu io memory hugetlb pids rdma misc\n"), CG_V2_WANTED);
	assert_int_equal(cg_controllers_parse(""), 0);
	assert_int_equal(cg_controllers_parse("cpux xcpu averyverylongcontrollername"), 0);
}

static void test_both_ways(void **state)
{
	struct cg_host h = { 0 };
	assert_int_equal(cg_cache_parse(&h, sample, BOOT), 0);
	assert_int_equal(h.n, 3);
	assert_int_equal(h.hierarchies[0].controllers, CG_BIT(CG_CPU) | CG_BIT(CG_CPUACCT));
	assert_int_equal(h.hierarchies[1].controllers, CG_BIT(CG_IO));
	assert_string_equal(h.hierarchies[1].path, "/mnt/a b");
	assert_int_equal(h.hierarchies[2].version, 2);
	assert_int_equal(h.hierarchies[2].mount_id, 41);
	assert_int_equal(h.hierarchies[2].dev, 38);
	char *text = cg_cache_format(&h, BOOT);
	assert_string_equal(text, sample);
	free(text);
	/* What would be two lines is not written. */
	h.hierarchies[1].path[4] = '\n';
	assert_null(cg_cache_format(&h, BOOT));
	cg_hierarchies_done(&h);
	assert_int_equal(h.n, 0);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"vectl-cgroups 1 ",
		"vectl-cgroups 1 " BOOT,
		"vectl-cgroups 1 " BOOT "\n",
		"vectl-cgroups 2 " BOOT "\n2 41 38 - /sys/fs/cgroup\n",
		"vectl-cgroups 1 " BOOT "x\n2 41 38 - /sys/fs/cgroup\n",
		"vectl-cgroups 1 ffffffff-3f6e-4d3e-9a55-0c6e3c8f7b11\n2 41 38 - /sys/fs/cgroup\n",
		"vectl-cgroups 1 " BOOT "\n3 41 38 - /sys/fs/cgroup\n",
		"vectl-cgroups 1 " BOOT "\n2 41 38 - sys/fs/cgroup\n",
		"vectl-cgroups 1 " BOOT "\n2 41 38 -\n",
		"vectl-cgroups 1 " BOOT "\n2 41 38\n",
		"vectl-cgroups 1 " BOOT "\nx 41 38 - /sys/fs/cgroup\n",
		"vectl-cgroups 1 " BOOT "\n2 41 38 - /a\nrubbish\n",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cg_host h = { 0 };
		if (cg_cache_parse(&h, bad[i], BOOT) != -ESTALE)
			fail_msg("case %zu was taken", i);
		assert_int_equal(h.n, 0);
	}
}

static void test_too_many(void **state)
{
	char text[4096] = "vectl-cgroups 1 " BOOT "\n";
	for (int i = 0; i <= CG_MAX_HIERARCHIES; i++)
		strcat(text, "1 1 1 cpu /x\n");
	struct cg_host h = { 0 };
	assert_int_equal(cg_cache_parse(&h, text, BOOT), -ESTALE);
}

static void is_stale(struct cg_hierarchy hi, int expect)
{
	struct cg_host h = { .n = 1, .hierarchies = { hi } };
	h.hierarchies[0].path = strdup(hi.path);
	h.hierarchies[0].root_fd = h.hierarchies[0].parent_fd = -1;
	h.hierarchies[0].base_fd = h.hierarchies[0].monitor_fd = -1;
	assert_int_equal(cg_hierarchies_open(&h, true), expect);
	cg_hierarchies_done(&h);
}

/* A cached mount that is not there, or is another one, is asked anew. */
static void test_mounts_are_checked(void **state)
{
	struct statx sx;
	assert_int_equal(statx(AT_FDCWD, "/proc", 0, STATX_MNT_ID, &sx), 0);
	struct cg_hierarchy proc = {
		.version = 2,
		.path = (char *)"/proc",
		.mount_id = sx.stx_mnt_id,
		.dev = makedev(sx.stx_dev_major, sx.stx_dev_minor),
	};
	is_stale(proc, 0);
	proc.mount_id++;
	is_stale(proc, -ESTALE);
	proc.mount_id--;
	proc.dev++;
	is_stale(proc, -ESTALE);
	proc.path = (char *)"/nowhere";
	is_stale(proc, -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_bad),	 cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_mounts_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
