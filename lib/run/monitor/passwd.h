/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who a user of the VE is, by the VE's own files: see passwd.c. */
#ifndef MONITOR_PASSWD_H
#define MONITOR_PASSWD_H

#include "mon.h"

enum { IDENTITY_MAX_GROUPS = 256 };

struct identity {
	uid_t uid;
	gid_t gid;
	gid_t groups[IDENTITY_MAX_GROUPS];
	unsigned n_groups;
	char name[64], home[256], shell[256];
};

/* NAME: "user", "uid", and either with ":gid", which then is the only group; NULL: root. Reads /etc/passwd and /etc/group
 * of the root we stand in: only where nothing of the host's is open any more. A number need not be in the files; then
 * home is "/" and shell /bin/sh. An unknown name is ENOENT. */
int identity_find(const char *name, struct identity *ret_identity, struct failure *f);
/* Under the lock of the shadow tools, puts HASH into the second field of USER's line of /etc/shadow, through a temporary file and rename. */
int shadow_set(const char *user, const char *hash, struct failure *f);

#endif
