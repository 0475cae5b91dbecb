/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * audit.jsonl: who changed what, when, from what to what, why, and how it ended. One line a verb that changed something, or was
 * refused or failed; a verb that found everything as wanted leaves none. Never a secret: passwords are not there,
 * and of keys whose values may hold one (SCHEMA_SECRET) there is only that they were set.
 */
#ifndef RUN_AUDIT_H
#define RUN_AUDIT_H

#include <jansson.h>

#include "run/ctx.h"

struct audit {
	const char *verb;
	const char *name, *uuid; /* of the VE, or the image's name and NULL; both NULL: the host */
	const char *reason;	 /* NULL: the context's */
	int64_t begun_ms;	 /* clock_ms() */
	json_t *values;		 /* borrowed: [{key,old,new}], or NULL */
};

/* Writes it down. R and ERROR: how the verb ended. What cannot be written is a warning of the verb's, and no failure. */
void audit_write(struct ve_ctx *ctx, const struct audit *a, int r, const ve_error *error);

/* Puts {key,old,new} behind *VALUES, which is made where it is NULL. Values are borrowed, NULL: nothing. */
void audit_note(json_t **values, const char *key, const json_t *old_value, const json_t *new_value);

/* What is written about the VE NAME (its uuid where there is one, else the name that it had), NULL: about everything, since
 * SINCE (seconds since 1970), as an array, oldest first. VE_ERR_NOT_FOUND: there is and was none. */
int audit_history(struct ve_ctx *ctx, const char *name, int64_t since, json_t **ret_doc, ve_error **ret_error);

#endif
