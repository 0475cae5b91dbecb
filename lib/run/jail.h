/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of a jail that `run` makes. */
#ifndef RUN_JAIL_H
#define RUN_JAIL_H

#include "model/config.h"
#include "model/image.h"
#include "run/ctx.h"

/* DETACHED: nobody waits for its end. RET_IMAGE is NULL with a rootfs. */
int jail_configure(struct ve_ctx *ctx, const struct ve_run_opts *o, bool detached, const struct config *spec,
		   struct config **ret_config, struct image **ret_image, ve_error **ret_error);
/* O's command, or a shell. */
const char *const *jail_command(const struct ve_run_opts *o);

#endif
