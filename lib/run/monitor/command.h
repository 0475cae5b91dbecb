/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exec of the plan's command: see command.c. Child-safe. */
#ifndef MONITOR_COMMAND_H
#define MONITOR_COMMAND_H

#include "mon.h"
#include "passwd.h"

/* What a caller blocks is not for what is started for it. */
void unblock_signals(void);
/* Says CHILD_EXEC to the other side and execs. Returns only on failure. */
int command_exec(const struct mon *m, const struct identity *id, struct failure *f);

#endif
