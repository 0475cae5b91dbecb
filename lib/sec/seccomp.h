/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Seccomp policies. They are data files (templates/seccomp/NAME.policy, a reason a line), compiled at build time by
 * tools/policyc (libseccomp) into NAME.bpf, which is installed and only read at run time: compiling an allow
 * list takes milliseconds. A compiled file holds one or more programs to be loaded in order.
 *
 * File format of NAME.bpf: "VBPF1\n", then for each program a uint32_t count (host order) and count struct sock_filter.
 */
#ifndef SEC_SECCOMP_H
#define SEC_SECCOMP_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/error.h"

enum { SECCOMP_MAX_PROGRAMS = 4 };

struct seccomp_policy {
	void *data; /* owns all programs */
	unsigned n_programs;
	struct sock_fprog programs[SECCOMP_MAX_PROGRAMS];
	bool no_new_privs; /* policy jail */
};

/* NAME: "vps", "jail", "none" (no program; only for a spec that says so). DIR: .../share/vectl/seccomp. */
int seccomp_policy_load(const char *dir, const char *name, struct seccomp_policy *ret_policy, ve_error **ret_error);
void seccomp_policy_done(struct seccomp_policy *p);

#endif
