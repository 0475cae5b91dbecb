/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run of a hook: a program of the host's, root, in a session of its own, with a fixed environment, umask and directory, and no
 * descriptor but 0, 1 and 2. When it has ended, or its time is up, whatever is left of its process group is killed. It goes
 * when we go.
 */
#ifndef RUN_HOOKPROC_H
#define RUN_HOOKPROC_H

#include <stdbool.h>

#include "base/error.h"

enum { HOOK_WORDS_MAX = 1000 };

struct hookproc {
	const char *path;
	const char *const *env;
	int in_fd; /* its standard input */
	int cancel_fd;
	int64_t deadline_ms; /* from now */
};

struct hookproc_end {
	bool late, cancelled; /* it was killed at the deadline; because the caller wants the verb to end */
	int status;	      /* as a shell would report it */
	char words[HOOK_WORDS_MAX]; /* the end of what it said, on one line */
};

/* Whatever becomes of it is in RET_END; an error is that it could not be run. */
int hookproc_run(const struct hookproc *p, struct hookproc_end *ret_end, ve_error **ret_error);

#endif
