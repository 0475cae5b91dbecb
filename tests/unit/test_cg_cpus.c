/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPU lists, and which CPUs a VE is bound to. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "cg/backend.h"

static struct cg_cpus cpus(const char *list)
{
	struct cg_cpus c;
	assert_int_equal(cg_cpus_parse(list, &c), 0);
	return c;
}

static void same(const struct cg_cpus *c, const char *list)
{
	char *text = cg_cpus_format(c);
	assert_string_equal(text, list);
	free(text);
}

static void test_lists(void **state)
{
	static const struct {
		const char *in, *out;
		unsigned n;
	} good[] = {
		{ "", "", 0 },
		{ "\n", "", 0 },
		{ "0", "0", 1 },
		{ "0-3\n", "0-3", 4 },
		{ "0,2,4-5", "0,2,4-5", 4 },
		{ "3,1,2,0", "0-3", 4 },
		{ "62-66,8191", "62-66,8191", 6 },
		{ "1-1", "1", 1 },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct cg_cpus c = cpus(good[i].in);
		assert_int_equal(cg_cpus_count(&c), good[i].n);
		same(&c, good[i].out);
	}
	static const char *const bad[] = { "a", "1-", "-1", "3-2", "8192", "1;2", "1 2", "99999999999999999999",
					   " 1" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cg_cpus c;
		if (cg_cpus_parse(bad[i], &c) == 0)
			fail_msg("'%s' was taken", bad[i]);
	}
}

static void test_choose(void **state)
{
	static uint16_t load[CG_MAX_CPUS];
	struct cg_cpus online = cpus("0-3,70-71"), c;
	cg_cpus_choose(&online, load, 2, &c);
	same(&c, "0-1");
	load[0] = load[1] = 3;
	load[2] = 1;
	cg_cpus_choose(&online, load, 2, &c);
	same(&c, "3,70");
	cg_cpus_choose(&online, load, 4, &c);
	same(&c, "2-3,70-71");
	/* More than there are: all. */
	cg_cpus_choose(&online, load, 100, &c);
	same(&c, "0-3,70-71");
}

/* Over many VEs each CPU gets its share, and giving back makes room where it was. */
static void test_spread(void **state)
{
	char dir[] = "/tmp/test_cg_cpus.XXXXXX";
	assert_non_null(mkdtemp(dir));
	struct cg_host h = { .run_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	struct cg_cpus online = cpus("0-7"), c[16];
	unsigned n[8] = { 0 };
	for (int i = 0; i < 16; i++) {
		cg_cpus_take(&h, &online, 3, NULL, &c[i]);
		assert_int_equal(cg_cpus_count(&c[i]), 3);
		for (unsigned cpu = 0; cpu < 8; cpu++)
			n[cpu] += cg_cpus_has(&c[i], cpu);
	}
	for (unsigned cpu = 0; cpu < 8; cpu++)
		assert_int_equal(n[cpu], 6);
	struct cg_cpus again;
	cg_cpus_take(&h, &online, 0, &c[5], NULL);
	cg_cpus_take(&h, &online, 3, NULL, &again);
	assert_memory_equal(&again, &c[5], sizeof(again));
	/* A file that is too short, or full of rubbish, is no reason to fail; nor is none at all. */
	assert_int_equal(file_replace(h.run_fd, "cpu-load", "\xff\xff\xff", 3, 0600, false), 0);
	cg_cpus_take(&h, &online, 2, NULL, &again);
	same(&again, "2-3");
	close(h.run_fd);
	file_remove_tree(AT_FDCWD, dir);
	h.run_fd = -1;
	cg_cpus_take(&h, &online, 2, NULL, &again);
	same(&again, "0-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_spread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
