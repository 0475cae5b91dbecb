/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "calltree.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Numbers up to LAST are asked for one by one; above are two ranges, those of x32 apart. */
enum { LAST = 2047, X32 = 0x40000000, MAX_RANGES = LAST + 3 };
/* No filter answers so: the answer depends on the arguments. */
enum { LOOKS_AT_ARGUMENTS = 1 };

struct range {
	uint32_t first, answer;
	bool has_rules; /* of one number only */
};

struct tree {
	const struct calltree_rule *rules;
	unsigned n_rules;
	uint32_t def, arch;
	struct sock_filter *out;
	unsigned n;
	bool failed;
};

/* ---- what the program answers ------------------------------------------------------------------------ */

/* The instructions that libseccomp emits; another one, or a look at the arguments, ends it. */
static uint32_t answer_of(const struct sock_filter *in, unsigned n, uint32_t arch, uint32_t number)
{
	uint32_t a = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct sock_filter *f = &in[i];
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (f->k != offsetof(struct seccomp_data, nr) && f->k != offsetof(struct seccomp_data, arch))
				return LOOKS_AT_ARGUMENTS;
			a = f->k == offsetof(struct seccomp_data, nr) ? number : arch;
			break;
		case BPF_JMP | BPF_JA:
			i += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			i += a > f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			i += a & f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			return LOOKS_AT_ARGUMENTS;
		}
	}
	return LOOKS_AT_ARGUMENTS;
}

static bool has_rules(const struct tree *t, uint32_t number)
{
	for (unsigned i = 0; i < t->n_rules; i++)
		if (t->rules[i].arch == t->arch && t->rules[i].number == number)
			return true;
	return false;
}

static unsigned ranges_of(struct tree *t, const struct sock_filter *in, unsigned n, struct range ranges[MAX_RANGES])
{
	unsigned count = 0;
	for (uint32_t i = 0; i <= LAST + 2; i++) {
		uint32_t number = i <= LAST ? i : i == LAST + 1 ? LAST + 1 : X32;
		uint32_t answer = answer_of(in, n, t->arch, number);
		const struct range *before = count ? &ranges[count - 1] : NULL;
		bool alone = has_rules(t, number);
		if (!before || alone || before->has_rules || answer != before->answer)
			ranges[count++] = (struct range){ number, answer, alone };
		t->failed |= answer == LOOKS_AT_ARGUMENTS && !alone;
	}
	return count;
}

/* ---- the tree ---------------------------------------------------------------------------------------- */

static void emit(struct tree *t, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (t->n == BPF_MAXINSNS)
		t->failed = true;
	else
		t->out[t->n++] = (struct sock_filter){ code, jt, jf, k };
}

static void emit_load(struct tree *t, size_t offset)
{
	emit(t, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* Half of an argument: goes on where it is equal under the mask, else jumps forward, to where emit_rule() says. */
static void emit_half(struct tree *t, size_t offset, uint32_t mask, uint32_t value, unsigned *unless, unsigned *n_unless)
{
	if (mask == 0)
		return;
	emit_load(t, offset);
	if (mask != UINT32_MAX)
		emit(t, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
	unless[(*n_unless)++] = t->n;
	emit(t, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, value);
}

static void emit_rule(struct tree *t, const struct calltree_rule *r)
{
	unsigned unless[12], n_unless = 0;
	for (unsigned i = 0; i < r->n; i++) {
		const struct calltree_cmp *c = &r->cmp[i];
		size_t at = offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t); /* little endian */
		emit_half(t, at, (uint32_t)c->mask, (uint32_t)c->value, unless, &n_unless);
		emit_half(t, at + 4, (uint32_t)(c->mask >> 32), (uint32_t)(c->value >> 32), unless, &n_unless);
	}
	emit(t, BPF_RET | BPF_K, 0, 0, r->action);
	for (unsigned i = 0; i < n_unless && !t->failed; i++)
		t->out[unless[i]].jf = (uint8_t)(t->n - unless[i] - 1);
}

static void emit_leaf(struct tree *t, const struct range *r)
{
	for (unsigned i = 0; r->has_rules && i < t->n_rules; i++) {
		if (t->rules[i].arch != t->arch || t->rules[i].number != r->first)
			continue;
		emit_rule(t, &t->rules[i]);
		if (t->rules[i].n == 0)
			return;
	}
	emit(t, BPF_RET | BPF_K, 0, 0, r->answer == LOOKS_AT_ARGUMENTS ? t->def : r->answer);
}

/* The accumulator holds the number. Jumps on a comparison reach 255 instructions, plain ones any number. */
static void emit_ranges(struct tree *t, const struct range *r, unsigned n)
{
	if (n == 1) {
		emit_leaf(t, r);
		return;
	}
	unsigned half = n / 2, test = t->n;
	emit(t, BPF_JMP | BPF_JGE | BPF_K, 0, 1, r[half].first);
	emit(t, BPF_JMP | BPF_JA, 0, 0, 0);
	unsigned lower = t->n;
	emit_ranges(t, r, half);
	if (t->failed)
		return;
	unsigned length = t->n - lower;
	if (length <= UINT8_MAX) {
		/* Near enough: the plain jump is not needed. */
		memmove(&t->out[test + 1], &t->out[lower], length * sizeof(*t->out));
		t->n--;
		t->out[test].jt = (uint8_t)length;
		t->out[test].jf = 0;
	} else {
		t->out[test + 1].k = length;
	}
	emit_ranges(t, r + half, n - half);
}

static void emit_arch(struct tree *t, const struct sock_filter *in, unsigned n, uint32_t arch)
{
	static struct range ranges[MAX_RANGES];
	t->arch = arch;
	unsigned test = t->n;
	emit(t, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, arch);
	emit(t, BPF_JMP | BPF_JA, 0, 0, 0); /* over the tree */
	emit_load(t, offsetof(struct seccomp_data, nr));
	emit_ranges(t, ranges, ranges_of(t, in, n, ranges));
	if (!t->failed)
		t->out[test + 1].k = t->n - test - 2;
}

/* ---- one answer for many ----------------------------------------------------------------------------- */

/* Of the returns that the jump at I over OFFSET instructions may as well lead to, the farthest within REACH. */
static unsigned farthest(const struct sock_filter *code, unsigned n, unsigned i, unsigned offset, unsigned reach)
{
	const struct sock_filter *target = &code[i + 1 + offset];
	if (target->code != (BPF_RET | BPF_K))
		return offset;
	for (unsigned o = offset; o <= reach && i + 1 + o < n; o++)
		if (code[i + 1 + o].code == target->code && code[i + 1 + o].k == target->k)
			offset = o;
	return offset;
}

static bool is_jump(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_JMP;
}

/* Takes out what nothing leads to any more. */
static unsigned compact(struct sock_filter *code, unsigned n)
{
	static unsigned at[BPF_MAXINSNS + 1]; /* where an instruction goes */
	static bool reached[BPF_MAXINSNS + 1];
	memset(reached, 0, sizeof(reached));
	reached[0] = true;
	for (unsigned i = 0, count = 0; i < n; i++) {
		const struct sock_filter *f = &code[i];
		at[i] = count;
		if (!reached[i])
			continue;
		count++;
		if (f->code == (BPF_JMP | BPF_JA))
			reached[i + 1 + f->k] = true;
		else if (is_jump(f))
			reached[i + 1 + f->jt] = reached[i + 1 + f->jf] = true;
		else if (BPF_CLASS(f->code) != BPF_RET)
			reached[i + 1] = true;
	}
	unsigned count = 0;
	for (unsigned i = 0; i < n; i++) {
		struct sock_filter f = code[i];
		if (!reached[i])
			continue;
		if (f.code == (BPF_JMP | BPF_JA)) {
			f.k = at[i + 1 + f.k] - at[i] - 1;
		} else if (is_jump(&f)) {
			f.jt = (uint8_t)(at[i + 1 + f.jt] - at[i] - 1);
			f.jf = (uint8_t)(at[i + 1 + f.jf] - at[i] - 1);
		}
		code[count++] = f;
	}
	return count;
}

/* Half of a tree is leaves, and they say few different things. */
static unsigned share_returns(struct sock_filter *code, unsigned n)
{
	for (unsigned before = n + 1; n < before;) {
		before = n;
		for (unsigned i = 0; i < n; i++) {
			struct sock_filter *f = &code[i];
			if (f->code == (BPF_JMP | BPF_JA)) {
				f->k = farthest(code, n, i, f->k, n);
			} else if (is_jump(f)) {
				f->jt = (uint8_t)farthest(code, n, i, f->jt, UINT8_MAX);
				f->jf = (uint8_t)farthest(code, n, i, f->jf, UINT8_MAX);
			}
		}
		n = compact(code, n);
	}
	return n;
}

/* Does the tree say what the program said, of every call that has no rule? */
static bool agrees(struct tree *t, const struct sock_filter *in, unsigned n)
{
	static const uint32_t archs[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 0 };
	for (unsigned a = 0; a < sizeof(archs) / sizeof(archs[0]); a++) {
		t->arch = archs[a];
		for (uint32_t i = 0; i <= 2 * LAST; i++) {
			uint32_t number = i <= LAST ? i : X32 + (i - LAST - 1);
			if (!has_rules(t, number) &&
			    answer_of(t->out, t->n, t->arch, number) != answer_of(in, n, t->arch, number))
				return false;
		}
	}
	return true;
}

int calltree_make(const struct sock_filter *in, unsigned n, const struct calltree_rule *rules, unsigned n_rules,
		  uint32_t def, struct sock_filter *out)
{
	struct tree t = { .rules = rules, .n_rules = n_rules, .def = def, .out = out };
	emit_load(&t, offsetof(struct seccomp_data, arch));
	emit_arch(&t, in, n, AUDIT_ARCH_X86_64);
	emit_arch(&t, in, n, AUDIT_ARCH_I386);
	emit(&t, BPF_RET | BPF_K, 0, 0, answer_of(in, n, 0, 0));
	if (t.failed)
		return -1;
	t.n = share_returns(t.out, t.n);
	return agrees(&t, in, n) ? (int)t.n : -1;
}
