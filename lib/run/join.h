/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joining a running VE: what exec, passwd and recover share. */
#ifndef RUN_JOIN_H
#define RUN_JOIN_H

#include "run/handle.h"
#include "run/spawn.h"

/* Completes B (role MON_JOIN or MON_ADOPT, its command or files already frozen) with what the VE's init has: pidfd, groups, limits,
 * capabilities, filters; and spawns the joiner. */
int join_spawn(struct ve *v, struct blobber *b, struct spawn *ret_spawn, ve_error **ret_error);
/* The same with nothing to run: until what B says is done. */
int join_work(struct ve *v, struct blobber *b, ve_error **ret_error);
/* Freezes limits, capabilities and filters of C. */
int join_freeze_security(struct ve *v, const struct config *c, struct blobber *b, ve_error **ret_error);
/* A wait status as a shell would report it. */
int join_shell_status(int status);

#endif
