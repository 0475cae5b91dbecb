/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An allow list as a search tree over ranges of system call numbers.
 *
 * libseccomp makes a comparison a name, some thousand instructions for a list of some hundred names, and loading those
 * (check, compile, try with each number) is a tenth of a jail's life. What it made is taken here as the truth, asked for
 * its answer to each number, and neighbours with one answer become one range. Rules on arguments are leaves of the tree, so
 * that one program is all that there is to load.
 */
#ifndef TOOLS_CALLTREE_H
#define TOOLS_CALLTREE_H

#include <linux/filter.h>
#include <stdint.h>

/* Argument ARG, as far as MASK, is VALUE. */
struct calltree_cmp {
	unsigned arg;
	uint64_t mask, value;
};

/* A rule on the arguments of a call: all N comparisons must hold. N 0: the answer in any case. */
struct calltree_rule {
	uint32_t arch; /* AUDIT_ARCH_* */
	uint32_t number;
	uint32_t action; /* SECCOMP_RET_* */
	unsigned n;
	struct calltree_cmp cmp[6];
};

/* The program IN (its N instructions) again, as a tree of at most BPF_MAXINSNS instructions in OUT. Of RULES on a call the
 * first that holds is the answer; where none does it is IN's, or DEF if that depends on the arguments, too: its own rules
 * are then among RULES. Returns the length, or -1: IN looks at the arguments of a call that has no rule, the tree is too
 * large, or it does not say what IN says (which is looked at, as a filter that is wrong is worse than none). */
int calltree_make(const struct sock_filter *in, unsigned n, const struct calltree_rule *rules, unsigned n_rules,
		  uint32_t def, struct sock_filter *out);

#endif
