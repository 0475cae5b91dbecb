/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a recipe's tree: mmdebstrap from a Debian mirror, or the host's own static busybox. */
#ifndef RUN_BUILDERS_H
#define RUN_BUILDERS_H

#include "base/error.h"
#include "run/ctx.h"
#include "run/recipe.h"

/* Steps of a build, for progress: the builders count up to BUILD_TREE_STEPS, what follows in run/image_build.c
 * the rest. */
enum { BUILD_TREE_STEPS = 6, BUILD_STEPS = 9 };

/* Fills the empty directory ROOT_PATH (absolute; ROOT_FD is it). RET_VERSION: the version for image.json, owned
 * by the caller. */
typedef int (*builder_fn)(struct ve_ctx *ctx, const struct recipe *recipe, int root_fd, const char *root_path,
			  char **ret_version, ve_error **ret_error);

int build_mmdebstrap(struct ve_ctx *ctx, const struct recipe *recipe, int root_fd, const char *root_path,
		     char **ret_version, ve_error **ret_error);
int build_busybox(struct ve_ctx *ctx, const struct recipe *recipe, int root_fd, const char *root_path,
		  char **ret_version, ve_error **ret_error);

#endif
