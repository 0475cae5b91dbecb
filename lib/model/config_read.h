/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room-internal: the members of a document against a table of keys. */
#ifndef MODEL_CONFIG_READ_H
#define MODEL_CONFIG_READ_H

#include <jansson.h>

#include "base/error.h"
#include "model/schema.h"

/* ROOT was read from TEXT: "schema" must be there, every other member a key of TABLE's; values are normalised. */
int config_read_members(const struct schema_key *table, json_t *root, const char *text, size_t size,
			const char *what, ve_error **ret_error);

#endif
