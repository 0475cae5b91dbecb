/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last steps before exec: see confine.c. All are child-safe and return 0, or -1 with *F filled. */
#ifndef MONITOR_CONFINE_H
#define MONITOR_CONFINE_H

#include "mon.h"
#include "passwd.h"

int confine_limits(const struct mon *m, struct failure *f);
int confine_keyring(struct failure *f);
/* Bounding set, ambient and inheritable sets. */
int confine_capabilities(const struct mon *m, struct failure *f);
/* CAP_KILL alone, in all sets; or what quotactl(2), /proc/PID of others, and their files there ask for. Return -1 with errno. */
int confine_to_kill(void);
int confine_to_quotas(void);
/* The plan's programs; with BLOB_USER_QUOTA the parent gets a CHILD_LISTENER. Needs CAP_SYS_ADMIN in the VE, or no_new_privs: so before the identity is dropped. */
int confine_seccomp(const struct mon *m, struct failure *f);
int confine_identity(const struct identity *id, struct failure *f);
int confine_cwd(const struct mon *m, const struct identity *id, struct failure *f);
/* A new pty of the devpts at dev/pts below ROOT. */
int confine_open_pty(const struct mon *m, int root, int *ret_master, int *ret_slave, struct failure *f);
/* Puts the three onto 0, 1, 2; CONTROLLING: 0 becomes the session's terminal. */
int confine_stdio(int in, int out, int err, bool controlling, struct failure *f);
#endif
