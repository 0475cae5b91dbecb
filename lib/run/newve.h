/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What create and run have in common: a configuration from template, image and spec, and a directory for it. */
#ifndef RUN_NEWVE_H
#define RUN_NEWVE_H

#include "base/undo.h"
#include "model/image.h"
#include "run/handle.h"

struct newve_source {
	const char *template_name; /* NULL: the host's default.template */
	const char *image;	   /* NULL: the template's, else the host's default.image */
	const struct config *spec; /* assignments on top, or NULL */
	bool no_image;		   /* run --rootfs */
};

/* Merges the sources; identity gets the digests. RET_IMAGE is NULL with no_image. */
int newve_config(struct ve_ctx *ctx, const char *name, const struct newve_source *from, struct config **ret_config,
		 struct image **ret_image, ve_error **ret_error);
/* C is made from the image NAME (NAME@DIGEST): what a start and a stop ask of it is written into C. RET_IMAGE: the image. */
int newve_take_image(struct ve_ctx *ctx, struct config *c, const char *name, struct image **ret_image, ve_error **ret_error);
/* It is made now. */
int newve_stamp(struct config *c);
/* Fills what nobody said: an interface (nat), the host's back end. */
int newve_defaults(struct ve_ctx *ctx, struct config *c, ve_error **ret_error);
/* May there be such a VE here? change_check_config(), and its pool is there. */
int newve_check(struct ve_ctx *ctx, const struct config *c, ve_error **ret_error);
/* VE_ERR_DATA: there is nothing that could be its init. */
int newve_check_init(const struct config *c, const struct image *image, ve_error **ret_error);
/* Makes ve/UUID and run/UUID, and a handle with the lock held and CONFIG, which is taken over; in a dry run the handle alone. */
int newve_directory(struct ve_ctx *ctx, struct config *config, struct undo *undo, struct ve **ret_ve,
		    ve_error **ret_error);

#endif
