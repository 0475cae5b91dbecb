/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting vectl-monitor and talking to it: the parent's side of run/monitor/blob.h. */
#ifndef RUN_SPAWN_H
#define RUN_SPAWN_H

#include <sys/types.h>

#include "base/error.h"
#include "run/blobber.h"
#include "run/exec_monitor.h"

struct spawn {
	int control;   /* the socket */
	pid_t pid;     /* the program that was spawned, our child; for a supervisor it ends at once (it forks) */
	int cancel_fd; /* the caller's, borrowed */
	struct exec_monitor *exec;
};

/* Spawns the monitor, which waits for its plan: a program starts while its plan is still being made. */
int spawn_begin(int cancel_fd, struct spawn *ret_spawn, ve_error **ret_error);
int spawn_send_plan(struct spawn *s, struct blobber *plan, ve_error **ret_error);
/* Both at once. */
int spawn_monitor(struct blobber *plan, int cancel_fd, struct spawn *ret_spawn, ve_error **ret_error);
/* Waits for a message of KIND, DEADLINE_MS from now (-1: none). MSG_FAILED becomes the error: "cannot start 'web1': ..." is the
 * caller's to add. Descriptors beyond *N_FDS are refused. */
int spawn_expect(struct spawn *s, enum msg_kind kind, int deadline_ms, struct msg *ret_msg, int *ret_fds,
		 unsigned *n_fds, ve_error **ret_error);
int spawn_tell(struct spawn *s, enum msg_kind kind, ve_error **ret_error);
/* Hangs up: a monitor that was not told MSG_COMMIT kills what it made; we wait until it is gone. */
void spawn_close(struct spawn *s);
#define _cleanup_spawn_ __attribute__((cleanup(spawn_close)))
/* The sentence for a failure record. */
int spawn_failure(const struct msg *m, ve_error **ret_error);

#endif
