/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the image verbs share. */
#ifndef RUN_IMAGE_PRIV_H
#define RUN_IMAGE_PRIV_H

#include "base/error.h"
#include "run/ctx.h"

enum { IMAGE_TEMP_NAME = 32 }; /* ".build-0123456789abcdef" */

/* The lock of image NAME, for VERB ("image build"). */
int image_lock(struct ve_ctx *ctx, const char *name, unsigned timeout_ms, const char *verb, int *ret_fd,
	       ve_error **ret_error);
/* Gives it back; images/NAME goes, too, where it is empty. */
void image_unlock(struct ve_ctx *ctx, const char *name, int *fd);

/* ".PREFIX-XXXXXXXXXXXXXXXX": names that are no digest and that a leftover is known by. */
int image_temp_name(const char *prefix, char ret[IMAGE_TEMP_NAME], ve_error **ret_error);
/* Removes all of them below images/NAME. The lock must be held: then nobody is at work on them. */
int image_clean_leftovers(int name_fd, const char *name, ve_error **ret_error);

#endif
