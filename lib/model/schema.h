/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The schema: one row a configuration key. Everything that knows keys derives from this table: parsing of
 * KEY=VALUE, checks of config.json and of templates, defaults, `vectl keys`, vectl-config(5).
 */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "model/units.h"

enum schema_type {
	SCHEMA_STRING,
	SCHEMA_INT,	/* in UNIT; "unlimited" where SCHEMA_UNLIMITED */
	SCHEMA_BOOL,	/* on off yes no true false */
	SCHEMA_ENUM,	/* one of the words of `words` */
	SCHEMA_LIST,	/* of strings, each checked by `check` */
	SCHEMA_ADDRESS_LIST, /* ADDR[/LEN], kept in canonical spelling */
	SCHEMA_TYPE_COUNT,
};

enum schema_flags {
	SCHEMA_LIVE = 1 << 0,      /* may change while the VE runs; else: needs a restart */
	SCHEMA_BUILT = 1 << 1,     /* the machinery exists in this version; else refused with 69 */
	SCHEMA_UNLIMITED = 1 << 2, /* the word "unlimited" is a value */
	SCHEMA_IDENTITY = 1 << 3,  /* fixed at create (uuid, image): `set` refuses */
	SCHEMA_INHERIT = 1 << 4,   /* the word "inherit" is a value */
};

struct schema_key {
	const char *key;   /* "memory.limit"; "network.N.ips" with N a label 0..99; "labels.*", "rlimits.*" any name */
	enum schema_type type;
	enum unit unit;
	int64_t min, max;  /* for SCHEMA_INT, in base units */
	const char *words; /* for SCHEMA_ENUM, separated by spaces */
	const char *def;   /* the default, as typed; NULL: unset */
	unsigned flags;
	int (*check)(const char *value, ve_error **ret_error); /* further check of a string or of one element */
	const char *doc;   /* one or two sentences, for keys, man page and errors */
};

extern const struct schema_key schema_keys[]; /* ends with .key = NULL */

/* The row of KEY ("network.0.ips" finds "network.N.ips"), or NULL. */
const struct schema_key *schema_find(const char *key);
/* "did you mean" - the nearest known key, or NULL. Static storage. */
const char *schema_nearest(const char *key);
/* Checks TEXT as typed for KEY and gives the JSON value (json_null for unlimited). A new reference. */
int schema_parse(const struct schema_key *row, const char *key, const char *text, json_t **ret_value, ve_error **ret_error);
/* Checks a JSON value read from a file (VE_ERR_CONFIG). Strings in the typed spelling ("1G") are also taken
 * where an integer is expected, and normalised into *RET_VALUE. */
int schema_check(const struct schema_key *row, const char *key, json_t *value, json_t **ret_value, ve_error **ret_error);
/* The typed spelling of a JSON value; the caller frees. */
char *schema_format(const struct schema_key *row, const json_t *value);

#endif
