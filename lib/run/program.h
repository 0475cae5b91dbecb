/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host program run for a verb and watched: its output comes line by line, and it goes when we do. It runs in
 * mount, pid and ipc namespaces of its own, so that whatever it mounts and starts is gone with its first
 * process, even after a kill -9.
 */
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

#include "base/error.h"

struct program {
	const char *const *argv; /* [0]: a name, looked for in the usual directories, or an absolute path */
	const char *const *env;  /* "K=V", the whole environment but for PATH, HOME, LC_ALL; or NULL */
	const char *package;     /* Debian package that has it, for the hint */
	int cancel_fd;           /* see ve_ctx_set_cancel_fd() */
	void (*line)(const char *line, void *data); /* one line of standard output or error; or NULL */
	void *data;
};

enum { PROGRAM_LINE_MAX = 4096 }; /* longer lines are cut into pieces */

/* RET_STATUS: as a shell would report it. VE_ERR_UNSUPPORTED: there is no such program. -EINTR: cancelled; it
 * is dead then. */
int program_run(const struct program *p, int *ret_status, ve_error **ret_error);

#endif
