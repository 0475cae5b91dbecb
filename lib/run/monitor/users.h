/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The accounts of a VE, and the lock on them: see users.c. */
#ifndef MONITOR_USERS_H
#define MONITOR_USERS_H

#include "mon.h"

/* Takes /etc/.pwd.lock for as long as this process lives; EBUSY: somebody holds it for longer than we wait. */
int users_lock(struct failure *f);
/* The plan's user_change; its answer goes to the stream. */
int users_run(const struct mon *m, struct failure *f);

#endif
