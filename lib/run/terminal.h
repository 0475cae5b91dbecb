/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joining the caller's terminal to something inside a VE, byte for byte. */
#ifndef RUN_TERMINAL_H
#define RUN_TERMINAL_H

#include <stdbool.h>

#include "base/error.h"

struct terminal {
	int in, out;	/* the caller's */
	int far;	/* a pty master, or a console connection (packets) */
	bool packets;	/* the far end is a console: 'd' data, 'w' window size */
	bool escape;	/* Ctrl-] three times within a second ends it */
	int until_fd;	/* readable: the end (the spawn's control socket, or init's pidfd); -1: none */
	void (*wake)(void *data); /* NULL: none. Called whenever WAKE_FD is readable */
	int wake_fd;
	void *data;
};

/* Puts the caller's terminal into raw mode (if it is one), copies both ways, and restores it. Returns 0 at the end of
 * either side, 1 when the escape was typed. */
int terminal_join(const struct terminal *t, ve_error **ret_error);

#endif
