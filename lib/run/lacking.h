/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Was it the host? A verb that the kernel refused asks whether a feature is missing, and then says what `vectl check` says. */
#ifndef RUN_LACKING_H
#define RUN_LACKING_H

#include "run/ctx.h"

/* R and *ERROR are a failure of the kernel's. Where a feature that VEs need is absent on this host the error is replaced by
 * VE_ERR_UNSUPPORTED in the words of its row; BACKEND (may be NULL) says whether overlays were needed, TREE_FD
 * (O_PATH will do; -1: the store) which file system had to be idmapped. Returns what the verb returns. Costs some milliseconds, and only after a failure. */
int lacking_explain(struct ve_ctx *ctx, const char *backend, int tree_fd, int r, ve_error **error);

#endif
