/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this process may do now. The names and sets of capabilities that a VE gets are sec/caps.h's. */
#ifndef SYS_PRIVILEGE_H
#define SYS_PRIVILEGE_H

#include <stdbool.h>

enum privilege {
	PRIVILEGE_ADMIN,    /* CAP_SYS_ADMIN: mounts, namespaces */
	PRIVILEGE_RESOURCE, /* CAP_SYS_RESOURCE: rlimits above the own hard ones, growing an ext4 that is mounted */
	PRIVILEGE_COUNT
};

/* Has the calling thread it in its effective set? False too where that cannot be told. */
bool privilege_held(enum privilege p);

#endif
