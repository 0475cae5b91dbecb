/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals while a verb is under way: the library is asked to undo it; nothing is torn off half-way. */
#ifndef CMD_CANCEL_H
#define CMD_CANCEL_H

#include <ve.h>

/* From here on SIGINT, SIGTERM and SIGHUP make the verb on CTX return -EINTR. */
int cancel_install(ve_ctx *ctx);
/* The signal that came, or 0. */
int cancel_signal(void);

#endif
