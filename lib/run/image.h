/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The image verbs. An image comes into being in images/NAME/.build-XXXXXXXX, is hashed there, renamed to its
 * digest, and only then becomes what NAME means: NAME never names half an image. Builds and removals of one
 * name exclude each other by the lock images/.NAME.lock.
 *
 * `create` does not take that lock. It writes its config.json with the digest first and then opens NAME@DIGEST
 * again: image_remove() takes the digest away from its name first and then looks who uses it (and puts it
 * back), so that one of the two notices the other.
 */
#ifndef RUN_IMAGE_H
#define RUN_IMAGE_H

#include <jansson.h>

#include "base/error.h"
#include "run/ctx.h"

/* Builds the image of RECIPE. RET_DOC: the new image.json with "changed" and "warnings"; "changed" is false
 * where the very same digest was there already. On failure and on cancel nothing is left but the log. */
int image_build(struct ve_ctx *ctx, const char *recipe, json_t **ret_doc, ve_error **ret_error);

/* Removes NAME with all its digests, or NAME@DIGEST alone (not the current one of several). An image that a VE
 * uses is VE_ERR_STATE, naming a VE, and nothing is removed. A damaged image can be removed. */
int image_remove(struct ve_ctx *ctx, const char *reference, ve_error **ret_error);

/* Reads every file again. VE_ERR_DATA names the first difference. */
int image_verify(struct ve_ctx *ctx, const char *reference, ve_error **ret_error);

/* image.json with "current", "path" (of the tree) and "used_by" (names of VEs). */
int image_show(struct ve_ctx *ctx, const char *reference, json_t **ret_doc, ve_error **ret_error);

/* Removes what killed builds and removals left behind; leaves alone what is under way. */
int image_recover(struct ve_ctx *ctx, ve_error **ret_error);

#endif
