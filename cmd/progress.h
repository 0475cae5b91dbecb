/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress of what takes long, on standard error: a bar on a terminal, a line for each step otherwise. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <ve.h>

void progress_install(ve_ctx *ctx);
/* Takes the bar away, before anything else is printed. */
void progress_done(void);

#endif
