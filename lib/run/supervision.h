/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new monitor for a VE that lost its own. */
#ifndef RUN_SUPERVISION_H
#define RUN_SUPERVISION_H

#include "run/handle.h"

/* Starts a monitor that watches the running init of REC, opens a new console and binds the notify socket anew. */
int supervision_adopt(struct ve *v, const struct record *rec, pid_t *ret_monitor, ve_error **ret_error);
/* A unix socket that is connected to NAME below DIR_FD, and never waits; or -errno. */
int supervision_connect(int dir_fd, const char *name, int type);
/* Binds NAME below DIR_FD as a unix socket. */
int supervision_bind(int dir_fd, const char *name, int type, unsigned mode, int *ret_fd);

#endif
