/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals while a verb is under way: the library is asked to undo it; nothing is torn off half-way. */
#ifndef CMD_CANCEL_H
#define CMD_CANCEL_H

#include <ve.h>

/* From here on SIGINT, SIGTERM and SIGHUP make the verb on CTX return -EINTR. */
int cancel_install(ve_ctx *ctx);
/* The same for a verb that waits for a command: its number is a byte on *RET_FD as well, for each of them and SIGQUIT, SIGUSR1 and
 * SIGUSR2. */
int cancel_forward(ve_ctx *ctx, int *ret_fd);
/* The signal that came, or 0. */
int cancel_signal(void);
/* Waits until FD can be read: 0, or -EINTR if a signal came, before or meanwhile. */
int cancel_wait_readable(int fd);

#endif
