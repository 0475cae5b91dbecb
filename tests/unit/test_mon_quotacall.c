/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which quotactl(2) a VE's processes may make. */
#include "run/monitor/quotacall.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* QCMD() shifts a one into the sign of an int. */
#define CMD(command, type) ((uint32_t)(command) << SUBCMDSHIFT | (type))

enum { BASE = 1000000, COUNT = 65536 };

static struct quotacall parsed(unsigned command, unsigned type, uint32_t id)
{
	struct quotacall q;
	assert_int_equal(quotacall_parse(CMD(command, type), id, COUNT, &q), 0);
	return q;
}

static void test_what_is_answered(void **state)
{
	(void)state;
	struct quotacall q = parsed(Q_SETQUOTA, GRPQUOTA, 7);
	assert_int_equal(q.command->in, sizeof(struct if_dqblk));
	assert_int_equal(q.command->out, 0);
	assert_int_equal(q.type, GRPQUOTA);
	assert_int_equal(q.id, 7);
	q = parsed(Q_GETNEXTQUOTA, USRQUOTA, COUNT - 1);
	assert_int_equal(q.command->out, sizeof(struct if_nextdqblk));
	/* Where no id is meant, anything may stand. */
	assert_int_equal(parsed(Q_GETINFO, USRQUOTA, UINT32_MAX).id, 0);
	assert_int_equal(parsed(Q_SETINFO, USRQUOTA, UINT32_MAX).id, 0);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		assert_true(commands[i].in <= sizeof(union quotacall_data));
		assert_true(commands[i].out <= sizeof(union quotacall_data));
	}
}

static void test_what_is_not(void **state)
{
	(void)state;
	static const uint32_t cmds[] = {
		0, UINT32_MAX, Q_GETQUOTA, /* a command without its shift */
		CMD(Q_QUOTAON, USRQUOTA), CMD(Q_QUOTAOFF, USRQUOTA),
		CMD(Q_GETQUOTA, PRJQUOTA), CMD(Q_GETQUOTA, 3), CMD(Q_GETQUOTA, 255),
		CMD(('X' << 8) + 3, USRQUOTA), CMD(('X' << 8) + 4, USRQUOTA),
	};
	struct quotacall q;
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		assert_int_equal(quotacall_parse(cmds[i], 0, COUNT, &q), -EINVAL);
	/* Ids that the VE has not. */
	assert_int_equal(quotacall_parse(CMD(Q_GETQUOTA, USRQUOTA), COUNT, COUNT, &q), -EINVAL);
	assert_int_equal(quotacall_parse(CMD(Q_SETQUOTA, GRPQUOTA), UINT32_MAX, COUNT, &q), -EINVAL);
	assert_int_equal(quotacall_parse(CMD(Q_GETNEXTQUOTA, USRQUOTA), COUNT, COUNT, &q), -EINVAL);
}

static void test_status(void **state)
{
	(void)state;
	struct quotacall_caller c;
	assert_true(quotacall_read_status("Name:\t\\nUid:\t0\t0\nState:\tS\nUid:\t1\t1001000\t3\t4\nGid:\t5\t1001001\t7\t8\nFDSize:\t64\n"
					  "Groups:\t1002000 1002001 \nNStgid:\t1\n", &c));
	assert_int_equal(c.uid, 1001000);
	assert_int_equal(c.gid, 1001001);
	assert_int_equal(c.n_groups, 2);
	assert_int_equal(c.groups[1], 1002001);
	assert_true(quotacall_read_status("Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t \n", &c));
	assert_int_equal(c.n_groups, 0);
	/* What was cut in the midst of a number is none. */
	assert_true(quotacall_read_status("Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t10 200", &c));
	assert_int_equal(c.n_groups, 1);
	static const char *const bad[] = { "", "Uid:\t1\t2\t3\t4\nGid:\t1\t2\t3\t4\n", "Name:\tx\nUid:\t1\t2\t3\t4\n",
					   "Name:\tx\nUid:\t\nGid:\tx\n" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(quotacall_read_status(bad[i], &c));
}

static void test_many_groups(void **state)
{
	(void)state;
	static char text[QUOTACALL_GROUPS * 8 + 200];
	int n = sprintf(text, "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t");
	for (int i = 0; i < QUOTACALL_GROUPS + 5; i++)
		n += sprintf(text + n, "%d ", i);
	sprintf(text + n, "\n");
	struct quotacall_caller c;
	assert_true(quotacall_read_status(text, &c));
	assert_int_equal(c.n_groups, QUOTACALL_GROUPS);
	assert_int_equal(c.groups[QUOTACALL_GROUPS - 1], QUOTACALL_GROUPS - 1);
}

static int may(const struct quotacall_caller *c, unsigned command, unsigned type, uint32_t id)
{
	struct quotacall q = parsed(command, type, id);
	return quotacall_check(&q, c, BASE);
}

static void test_who(void **state)
{
	(void)state;
	struct quotacall_caller tom = { .in_ve = true, .uid = BASE + 7, .gid = BASE + 8, .groups = { BASE + 9 }, .n_groups = 1 };
	struct quotacall_caller root = { .in_ve = true, .admin = true, .uid = BASE, .gid = BASE };
	struct quotacall_caller below = { .admin = true, .uid = BASE, .gid = BASE };
	assert_int_equal(may(&tom, Q_GETQUOTA, USRQUOTA, 7), 0);
	assert_int_equal(may(&tom, Q_GETQUOTA, USRQUOTA, 8), -EPERM);
	assert_int_equal(may(&tom, Q_GETQUOTA, USRQUOTA, 0), -EPERM);
	assert_int_equal(may(&tom, Q_GETQUOTA, GRPQUOTA, 8), 0);
	assert_int_equal(may(&tom, Q_GETQUOTA, GRPQUOTA, 9), 0);
	assert_int_equal(may(&tom, Q_GETQUOTA, GRPQUOTA, 7), -EPERM);
	static const unsigned all[] = { Q_SYNC, Q_GETFMT, Q_GETINFO }, admins[] = { Q_SETQUOTA, Q_SETINFO, Q_GETNEXTQUOTA };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(may(&tom, all[i], USRQUOTA, 0), 0);
		assert_int_equal(may(&below, all[i], USRQUOTA, 0), 0);
		assert_int_equal(may(&tom, admins[i], USRQUOTA, 7), -EPERM);
		assert_int_equal(may(&below, admins[i], USRQUOTA, 7), -EPERM);
		assert_int_equal(may(&root, admins[i], GRPQUOTA, 7), 0);
	}
	assert_int_equal(may(&root, Q_GETQUOTA, USRQUOTA, 7), 0);
	assert_int_equal(may(&below, Q_GETQUOTA, USRQUOTA, 0), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_answered), cmocka_unit_test(test_what_is_not), cmocka_unit_test(test_status),
		cmocka_unit_test(test_many_groups), cmocka_unit_test(test_who),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
