/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Image recipes: NAME.json, data only, in the store's etc/vectl/recipes/ and then among the shipped ones
 * (templates/recipes/README.md tells the keys). A recipe is checked whole before anything is done.
 */
#ifndef RUN_RECIPE_H
#define RUN_RECIPE_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

enum { RECIPE_SCHEMA = 1, RECIPE_MAX_BYTES = 1 << 20 };

enum recipe_builder { RECIPE_MMDEBSTRAP, RECIPE_BUSYBOX, RECIPE_BUILDER_COUNT };

struct recipe {
	char *name, *digest; /* SHA-256 of the file */
	enum recipe_builder builder;
	int64_t epoch;       /* SOURCE_DATE_EPOCH of the build */
	json_t *doc;         /* checked: the getters below cannot fail */
};

/* ETC_FD: the store's etc/vectl or -1; DATA_DIR: where the shipped recipes/ are. A missing recipe is
 * VE_ERR_NOT_FOUND with the nearest name, a wrong one VE_ERR_CONFIG with file and key. */
int recipe_open(int etc_fd, const char *data_dir, const char *name, struct recipe **ret_recipe,
		ve_error **ret_error);
int recipe_parse(const char *name, const char *text, size_t size, struct recipe **ret_recipe,
		 ve_error **ret_error);
void recipe_free(struct recipe *r);
void recipe_freep(struct recipe **r);
#define _cleanup_recipe_ __attribute__((cleanup(recipe_freep)))

/* A string key, NULL where the recipe has none. Lives as long as R. */
const char *recipe_string(const struct recipe *r, const char *key);
/* An array key, borrowed; NULL where the recipe has none (json_array_foreach takes that as empty). */
json_t *recipe_list(const struct recipe *r, const char *key);
/* The strings of array KEY in one, with SEPARATOR between; NULL when out of memory. */
char *recipe_join(const json_t *strings, const char *separator);

#endif
