/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device filter on cgroup2: a list of rules as a BPF_PROG_TYPE_CGROUP_DEVICE program, assembled by hand
 * (a compiler and libbpf would be much machinery for two dozen comparisons).
 *
 * It is the fence, not a second line: a node in an image's tree can be opened although the VE's root may not make
 * one, and the VE's root can clear nodev.
 *
 * The program: r2 the type, r4 the major, r5 the minor; rules in groups of one type and major:
 *     type != T or major != M: next group
 *     minor == m1: allow ... minor == mN: allow   (or: allow, where any minor will do)
 *     ...
 *     r0 = 0; exit;  read: r3 has "write": refuse;  allow: r0 = 1; exit;  refuse: r0 = 0; exit
 * What is asked for (read, write, mknod) does not matter but to rules that are for reading: their minors jump to "read". Without
 * any the part from there up to "allow", and the one after it, are not there, as nothing would lead to them.
 */
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "cg/backend.h"

/* Not 5:1: the VE's /dev/console is a pty of its own, and 5:1 is the host's console. Not 4:x, the host's
 * terminals. */
const struct cg_device cg_default_devices[] = {
	{ 'c', 1, 3 },	  /* null */
	{ 'c', 1, 5 },	  /* zero */
	{ 'c', 1, 7 },	  /* full */
	{ 'c', 1, 8 },	  /* random */
	{ 'c', 1, 9 },	  /* urandom */
	{ 'c', 5, 0 },	  /* tty: whatever terminal the opener has */
	{ 'c', 5, 2 },	  /* ptmx */
	{ 'c', 136, -1 }, /* pts: those of the devpts that was mounted; the VE has only its own */
};
const unsigned cg_n_default_devices = ARRAY_SIZE(cg_default_devices);

enum { TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5 };
enum { TO_ALLOW = -1, TO_READ = -2 }; /* jumps that have no target yet */

struct program {
	struct bpf_insn *insns;
	int n;
};

static void emit(struct program *p, struct bpf_insn insn)
{
	p->insns[p->n++] = insn;
}

static struct bpf_insn load(int reg, size_t offset)
{
	return (struct bpf_insn){
		.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = reg, .src_reg = BPF_REG_1, .off = offset
	};
}

static struct bpf_insn jump(int op, int reg, uint32_t value)
{
	return (struct bpf_insn){ .code = BPF_JMP32 | BPF_K | op, .dst_reg = reg, .imm = (int32_t)value };
}

static void emit_answer(struct program *p, int answer)
{
	emit(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = answer });
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

static int type_of(const struct cg_device *d)
{
	return d->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
}

/* Rules I.. of the same type and major as rule I: the test and the allowing jumps, whose target is filled in
 * later. Returns the index after them. Nothing may follow a jump for any minor: the verifier refuses what cannot
 * be reached. */
static unsigned emit_group(struct program *p, const struct cg_device *rules, unsigned n, unsigned i)
{
	const struct cg_device *first = &rules[i];
	int test = p->n;
	unsigned end = i;
	bool any = false;
	for (; end < n && rules[end].type == first->type && rules[end].major == first->major; end++)
		any = any || rules[end].minor < 0;
	emit(p, jump(BPF_JNE, TYPE, type_of(first)));
	emit(p, jump(BPF_JNE, MAJOR, first->major));
	if (any)
		emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = TO_ALLOW });
	for (; i < end && !any; i++) {
		struct bpf_insn found = jump(BPF_JEQ, MINOR, (uint32_t)rules[i].minor);
		found.off = rules[i].readonly ? TO_READ : TO_ALLOW;
		emit(p, found);
	}
	for (int j = test; j < test + 2; j++)
		p->insns[j].off = (short)(p->n - j - 1);
	return end;
}

static void aim(struct program *p, int from, int read, int allow)
{
	for (int i = from; i < p->n; i++)
		if (p->insns[i].off < 0)
			p->insns[i].off = (short)((p->insns[i].off == TO_READ ? read : allow) - i - 1);
}

static void emit_end(struct program *p, int from, bool readonly)
{
	emit_answer(p, 0);
	int read = p->n;
	if (readonly) {
		struct bpf_insn refuse = jump(BPF_JSET, ACCESS, BPF_DEVCG_ACC_WRITE << 16);
		refuse.off = 2;
		emit(p, refuse);
	}
	int allow = p->n;
	emit_answer(p, 1);
	if (readonly)
		emit_answer(p, 0);
	aim(p, from, read, allow);
}

static bool has_readonly(const struct cg_device *rules, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (rules[i].readonly)
			return true;
	return false;
}

int cg_devices_program(const struct cg_device *rules, unsigned n, struct bpf_insn **ret_insns)
{
	if (n == 0 || n > 4096) /* jumps are 16 bits wide */
		return -EINVAL;
	/* Every rule at worst a group of its own: three instructions; the frame takes twelve. */
	struct program p = { .insns = calloc(3 * (size_t)n + 12, sizeof(struct bpf_insn)) };
	if (!p.insns)
		return -ENOMEM;
	emit(&p, load(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type)));
	emit(&p, (struct bpf_insn){ .code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = TYPE, .imm = 0xFFFF });
	if (has_readonly(rules, n))
		emit(&p, load(ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type)));
	emit(&p, load(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major)));
	emit(&p, load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor)));
	int first = p.n;
	for (unsigned i = 0; i < n;)
		i = emit_group(&p, rules, n, i);
	emit_end(&p, first, has_readonly(rules, n));
	*ret_insns = p.insns;
	return p.n;
}
