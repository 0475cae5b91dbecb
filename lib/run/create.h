/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What create and clone have in common, from the directory of a new VE to its configuration file. */
#ifndef RUN_CREATE_H
#define RUN_CREATE_H

#include "run/launch.h"
#include "run/newve.h"

struct create_work {
	int (*storage)(struct ve *v, void *data, ve_error **ret_error); /* makes it */
	int (*access)(struct ve *v, void *data, ve_error **ret_error);	/* a first look into it, create_work_inside() */
	void *data;
	const char *detail; /* of the event; or NULL */
};

/* Does all that is left to do of V, whose directory UNDO takes back. On error nothing is left, and UNDO is empty. Returns 0, or
 * VE_CHANGED where it ended a dry run. */
int create_finish(struct ve *v, const struct image *image, const struct create_work *w, struct undo *undo, ve_error **ret_error);
/* The same with storage made from IMAGE, and what O says of keys and the password. */
int create_from_image(struct ve *v, const struct image *image, const struct ve_create_opts *o, struct undo *undo, ve_error **ret_error);
/* Applies CHANGES to the new VE's files, through its own id map: what cannot carry a VE is found out as well. */
int create_work_inside(struct ve *v, const struct file_change *changes, unsigned n, ve_error **ret_error);
/* IPS for network.0; NULL-terminated, or NULL. */
int create_put_ips(struct config *c, const char *const *ips, ve_error **ret_error);
/* The line of audit.jsonl: V (NULL: it was not made) was asked for at BEGUN_MS, and the verb ended with R. */
void create_audit(struct ve_ctx *ctx, const char *verb, const char *name, const struct ve *v, int64_t begun_ms, int r,
		  const ve_error *error);

#endif
