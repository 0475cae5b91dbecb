/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VE templates: JSON files NAME.json in /etc/vectl/templates and then in the shipped templates/ve directory. */
#ifndef MODEL_TEMPLATE_H
#define MODEL_TEMPLATE_H

#include "base/error.h"
#include "model/config.h"

struct template {
	char *name, *path, *description;
	char *digest;         /* SHA-256 of the file, hexadecimal */
	struct config *keys;
};

/* DIRS: NULL-terminated list of directories, searched in order. */
int template_open(const char *const *dirs, const char *name, struct template **ret_template, ve_error **ret_error);
/* A file by its path, as `vectl template check ./x.json` reads it. */
int template_open_file(const char *path, struct template **ret_template, ve_error **ret_error);
void template_free(struct template *t);
void template_freep(struct template **t);
#define _cleanup_template_ __attribute__((cleanup(template_freep)))
/* An array of {name,description,path,digest}, each name once. */
int template_list(const char *const *dirs, json_t **ret_array, ve_error **ret_error);

#endif
