/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What enter, exec and run have in common: the environment, and how they end. */
#ifndef CMD_GUEST_H
#define CMD_GUEST_H

#include "command.h"

/* Are standard input and output both terminals? */
bool guest_terminal(void);
/* ENV with the caller's TERM before it where TTY: owned strings. */
void guest_environment(const struct strings *env, bool tty, struct strings *ret_env);
/* The exit code: the command's STATUS if R is 0, else what report_failure() says. */
int guest_end(struct call *call, int r, int status, ve_error *e);

#endif
