/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small program of the host's, run to its end on descriptors of ours: no path of a tenant's is ever in its arguments. */
#ifndef FS_TOOL_H
#define FS_TOOL_H

#include "base/error.h"
#include "fs/storage.h"

enum { TOOL_MAX_FDS = 2, TOOL_WORDS_MAX = 400 };

struct tool {
	const char *const *argv; /* [0]: a name, looked for in the usual directories */
	const char *package;	 /* Debian package that has it, for the hint */
	int fds[TOOL_MAX_FDS];	 /* the program's 3 and 4: /proc/self/fd/3 in its arguments */
	unsigned n_fds;
	const struct storage_watch *watch; /* of what takes long, or NULL */
};

/* RET_STATUS: its exit status, 128 + the signal's number where one ended it. RET_WORDS: the end of what it said, on one line
 * and fit for a message. VE_ERR_UNSUPPORTED: there is no such program. -EINTR: the caller wants the verb to end,
 * and the program is dead. */
int tool_run(const struct tool *t, int *ret_status, char ret_words[TOOL_WORDS_MAX], ve_error **ret_error);

#endif
