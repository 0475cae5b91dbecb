/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VE templates: JSON files NAME.json in /etc/vectl/templates and then in the shipped templates/ve directory. One may
 * extend another: it has the other's keys, with its own over them. Around in a circle, or over more than
 * TEMPLATE_CHAIN_MAX, is VE_ERR_CONFIG.
 */
#ifndef MODEL_TEMPLATE_H
#define MODEL_TEMPLATE_H

#include "base/error.h"
#include "model/config.h"

enum { TEMPLATE_CHAIN_MAX = 16 };

struct template {
	char *name, *path, *description;
	char *extends;        /* the template that it goes on from, or NULL */
	char *digest;         /* SHA-256 of the file, hexadecimal; with extends that of its own and of the other's digest */
	struct config *keys;  /* its own over those of what it extends */
};

/* DIRS: NULL-terminated list of directories, searched in order. */
int template_open(const char *const *dirs, const char *name, struct template **ret_template, ve_error **ret_error);
/* A file by its path, as `vectl template check ./x.json` reads it; what it extends is looked for in DIRS. */
int template_open_file(const char *const *dirs, const char *path, struct template **ret_template, ve_error **ret_error);
void template_free(struct template *t);
void template_freep(struct template **t);
#define _cleanup_template_ __attribute__((cleanup(template_freep)))
/* An array of {name,description,path,digest}, each name once. */
int template_list(const char *const *dirs, json_t **ret_array, ve_error **ret_error);

#endif
