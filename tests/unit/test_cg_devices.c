/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device filter's program, run by a small interpreter of the few instructions it is made of: the kernel's own
 * test run does not take programs of this type. That the kernel loads and obeys it, tests/e2e/cgroup_test.c shows.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cg/backend.h"

/* Marks each instruction that was reached in SEEN. */
static int run(const struct bpf_insn *insns, int n, const struct bpf_cgroup_dev_ctx *ctx, bool *seen)
{
	uint64_t r[11] = { 0 };
	for (int pc = 0, steps = 0; pc < n && steps < 10000; pc++, steps++) {
		const struct bpf_insn *i = &insns[pc];
		seen[pc] = true;
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W: {
			uint32_t word;
			assert_int_equal(i->src_reg, BPF_REG_1);
			assert_in_range(i->off, 0, sizeof(*ctx) - sizeof(word));
			memcpy(&word, (const char *)ctx + i->off, sizeof(word));
			r[i->dst_reg] = word;
			break;
		}
		case BPF_ALU | BPF_AND | BPF_K:
			r[i->dst_reg] = (uint32_t)r[i->dst_reg] & (uint32_t)i->imm;
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			pc += (uint32_t)r[i->dst_reg] != (uint32_t)i->imm ? i->off : 0;
			break;
		case BPF_JMP32 | BPF_JEQ | BPF_K:
			pc += (uint32_t)r[i->dst_reg] == (uint32_t)i->imm ? i->off : 0;
			break;
		case BPF_JMP32 | BPF_JSET | BPF_K:
			pc += (uint32_t)r[i->dst_reg] & (uint32_t)i->imm ? i->off : 0;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->off;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = (uint64_t)(int64_t)i->imm;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		default:
			fail_msg("instruction %d has code %#x", pc, i->code);
		}
	}
	fail_msg("the program did not end");
	return -1;
}

static bool listed(const struct cg_device *rules, unsigned n, char type, uint32_t major, uint32_t minor, unsigned access)
{
	for (unsigned i = 0; i < n; i++)
		if (rules[i].type == type && rules[i].major == major &&
		    (rules[i].minor < 0 || (uint32_t)rules[i].minor == minor))
			return !rules[i].readonly || !(access & BPF_DEVCG_ACC_WRITE);
	return false;
}

/* The program against the list itself, over all numbers that occur in it and their neighbours. */
static void compare(const struct cg_device *rules, unsigned n)
{
	static const uint32_t extra[] = { 0, 1, 2, 3, 7, 11, 255, 256, 257, 0xFFFFF, 0xFFFFFFFF };
	enum { EXTRA = sizeof(extra) / sizeof(extra[0]) };
	struct bpf_insn *insns = NULL;
	int count = cg_devices_program(rules, n, &insns);
	assert_true(count > 0);
	bool *seen = calloc((size_t)count, sizeof(*seen));
	for (unsigned a = 0; a < n + EXTRA; a++)
		for (unsigned b = 0; b < n + EXTRA; b++)
			for (int type = 0; type <= 3; type++)
				for (unsigned access = 1; access <= 7; access++) {
					uint32_t major = a < n ? rules[a].major : extra[a - n];
					uint32_t minor = b < n ? (uint32_t)rules[b].minor : extra[b - n];
					struct bpf_cgroup_dev_ctx ctx = {
						.access_type = access << 16 | (uint32_t)type,
						.major = major,
						.minor = minor,
					};
					char name = type == BPF_DEVCG_DEV_BLOCK ? 'b' :
						    type == BPF_DEVCG_DEV_CHAR	? 'c' :
										  '?';
					int want = listed(rules, n, name, major, minor, access);
					if (run(insns, count, &ctx, seen) != want)
						fail_msg("%c %u:%u must be %d", name, major, minor, want);
				}
	/* The verifier refuses a program with an instruction that is never reached. */
	for (int i = 0; i < count; i++)
		if (!seen[i])
			fail_msg("instruction %d of %d is never reached", i, count);
	free(seen);
	free(insns);
}

static void test_default(void **state)
{
	compare(cg_default_devices, cg_n_default_devices);
	assert_false(listed(cg_default_devices, cg_n_default_devices, 'c', 5, 1, 1));
	assert_true(listed(cg_default_devices, cg_n_default_devices, 'c', 136, 12345, 7));
}

static void test_lists(void **state)
{
	static const struct cg_device mixed[] = {
		{ 'c', 1, 3 },	  { 'b', 1, 3 },    { 'c', 1, 5 }, { 'b', 7, -1 },
		{ 'c', 10, 200 }, { 'c', 10, 229 }, { 'c', 1, 3 },
	};
	compare(mixed, 7);
	/* A rule for all minors among others of the same major. */
	static const struct cg_device any[] = { { 'c', 4, 64 }, { 'c', 4, -1 }, { 'c', 4, 65 }, { 'b', 4, 1 } };
	compare(any, 4);
	compare(any, 2);
	static const struct cg_device big[] = { { 'b', 0xFFF, 0xFFFFF } };
	compare(big, 1);
}

static void test_readonly(void **state)
{
	static const struct cg_device rules[] = {
		{ 'c', 1, 3, false }, { 'c', 10, 183, true }, { 'c', 10, 200, false }, { 'b', 8, 0, true }, { 'c', 136, -1, false },
	};
	compare(rules, 5);
	compare(rules + 1, 1);
	compare(rules + 1, 3);
}

static void test_long(void **state)
{
	enum { N = 4096 };
	struct cg_device *rules = calloc(N + 1, sizeof(*rules));
	for (int i = 0; i <= N; i++)
		rules[i] = (struct cg_device){ 'c', (uint32_t)i, i };
	struct bpf_insn *insns = NULL;
	assert_int_equal(cg_devices_program(rules, N + 1, &insns), -EINVAL);
	assert_int_equal(cg_devices_program(rules, 0, &insns), -EINVAL);
	int count = cg_devices_program(rules, N, &insns);
	bool *seen = calloc((size_t)count, sizeof(*seen));
	struct bpf_cgroup_dev_ctx ctx = { .access_type = 1 << 16 | BPF_DEVCG_DEV_CHAR };
	/* The first jump is the longest. */
	assert_int_equal(run(insns, count, &ctx, seen), 1);
	free(seen);
	free(insns);
	free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
