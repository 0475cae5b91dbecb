/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A further disk of a VE as it is typed: NAME:SIZE:TARGET, "data:10G:/srv/data". Its name is what it is known by: with another size
 * or target it is the same disk.
 */
#ifndef MODEL_VOLUME_H
#define MODEL_VOLUME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/bindmount.h"
#include "model/name.h"

enum { VOLUMES_MAX = 8 };

struct volume {
	char name[NAME_MAX_LENGTH + 1];
	uint64_t bytes;
	char target[BINDMOUNT_PATH_SIZE]; /* the VE's; absolute, in its shortest spelling */
};

/* VE_ERR_CONFIG. */
int volume_parse(const char *text, struct volume *ret, ve_error **ret_error);
/* The one spelling; the caller frees. */
int volume_canonical(const char *text, char **ret_text, ve_error **ret_error);
/* Its name alone, by which it is taken out of the list. */
int volume_check_name(const char *text, ve_error **ret_error);

/* The elements of LIST (NULL: none), a checked one, in the order in which they are mounted: by target. Returns how many. */
unsigned volume_list(const json_t *list, struct volume ret[VOLUMES_MAX]);
/* The one of the N of ALL that is called NAME, or NULL. */
const struct volume *volume_find(const struct volume *all, unsigned n, const char *name);
/* Can a running VE be brought from the list A to B? All that is there stays where it is, and becomes no smaller. */
bool volume_grows_only(const json_t *a, const json_t *b);

#endif
