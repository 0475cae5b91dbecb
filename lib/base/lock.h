/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Advisory locks with a deadline that name their holder. A lock is an open-file-description lock (fcntl(2),
 * F_OFD_SETLK) on a file; it goes with its descriptor, so a killed holder holds nothing. The holder writes
 * "PID VERB" into the file, for the message of whoever waits in vain.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/error.h"

/* Takes the lock on PATH below DIR_FD (made 0600 if missing), waiting at most TIMEOUT_MS; OBJECT and VERB word the
 * error ("web1", "start"). CANCEL_FD: see ve_ctx_set_cancel_fd(), -1 for none. RET_FD holds the lock until it is closed. Errors: -ETIMEDOUT (VE_ERR_BUSY). */
int lock_take(int dir_fd, const char *path, unsigned timeout_ms, int cancel_fd, const char *object,
	      const char *verb, int *ret_fd, ve_error **ret_error);

#endif
