/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exec of vectl-monitor, beside us: posix_spawn(3) would hold us until the new program is in place, a tenth of a
 * jail's life in which the plan can be made.
 */
#ifndef RUN_EXEC_MONITOR_H
#define RUN_EXEC_MONITOR_H

#include <sys/types.h>

struct exec_monitor;

/* Runs PROGRAM with SOCKET as CONTROL_FD, /dev/null as 0, 1 and 2, nothing else open, all signals blocked and an empty
 * environment. 0, or -errno where not even a process could be made. */
int exec_monitor_begin(const char *program, int socket, pid_t *ret_pid, struct exec_monitor **ret_exec);
/* Why the program could not be run: errno, 0 where it could. True once the other end of SOCKET is gone. */
int exec_monitor_error(const struct exec_monitor *e);
/* Only when the program has said something, or its process was waited for. NULL is allowed. */
void exec_monitor_end(struct exec_monitor *e);

#endif
