/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Seccomp policies. They are data files (templates/seccomp/NAME.policy, a reason a line), compiled at build time by
 * tools/policyc (libseccomp) into NAME.bpf, which is installed and only read at run time: compiling an allow
 * list takes milliseconds. A compiled file holds one or more programs to be loaded in order.
 *
 * File format of NAME.bpf, all numbers in host order: "VBPF1\n", a uint32_t of flags (SECCOMP_FILE_*), then to
 * the end of the file for each program a uint32_t count and count struct sock_filter.
 *
 * Policies: "vps" and "jail" are what a VE's security.seccomp names. "vps-quota" takes the place of "vps" with disk.user_quota: its
 * first program is loaded with a listener. "core" is added to either of them where
 * rlimits_core_is_fenced() says so (see rlimits.h). "none" has no program.
 */
#ifndef SEC_SECCOMP_H
#define SEC_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define SECCOMP_FILE_MAGIC "VBPF1\n"
enum {
	SECCOMP_MAX_PROGRAMS = 4,
	SECCOMP_FILE_NO_NEW_PRIVS = 1 << 0, /* the policy wants no_new_privs set before it is loaded */
};

struct seccomp_policy {
	void *data; /* owns all programs */
	unsigned n_programs;
	struct sock_fprog programs[SECCOMP_MAX_PROGRAMS];
	bool no_new_privs; /* policy jail */
};

/* NAME: "vps", "jail", "none" (no program; only for a spec that says so). DIR: .../share/vectl/seccomp. Every
 * instruction is checked as the kernel would, so that a program that loads here loads in the child, where
 * nothing could be said about it. Errors: -ENOENT (VE_ERR_NOT_FOUND), damaged file -EBADMSG (VE_ERR_DATA), a
 * NAME that is none -EINVAL (VE_ERR_CONFIG). */
int seccomp_policy_load(const char *dir, const char *name, struct seccomp_policy *ret_policy, ve_error **ret_error);
/* Appends the programs of the policy NAME to POLICY, which is unchanged on failure. */
int seccomp_policy_add(const char *dir, const char *name, struct seccomp_policy *policy, ve_error **ret_error);
/* Frees; a zeroed policy is empty. */
void seccomp_policy_done(struct seccomp_policy *p);

#endif
