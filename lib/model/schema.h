/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The schema: one row a configuration key. Everything that knows keys derives from this table: parsing of
 * KEY=VALUE, checks of config.json and of templates, defaults, `vectl keys`, vectl-config(5).
 */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
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
	SCHEMA_LIVE = 1 << 0,	   /* may change while the VE runs; else: needs a restart */
	SCHEMA_BUILT = 1 << 1,	   /* the machinery exists in this version; else refused with 69 */
	SCHEMA_UNLIMITED = 1 << 2, /* the word "unlimited" is a value */
	SCHEMA_IDENTITY = 1 << 3,  /* fixed at create (uuid, image): `set` refuses */
	SCHEMA_INHERIT = 1 << 4,   /* the word "inherit" is a value */
	SCHEMA_SECRET = 1 << 9, /* its value may hold a secret: shown by show and get, but for what `masked` hides, and never written to a log */
	SCHEMA_KEYED = 1 << 5, /* elements are NAME=VALUE (or NAME and words, NAME:...), and a later one replaces an earlier one of its name */
	SCHEMA_WORDS = 1 << 6, /* a list that is typed with blanks between its elements; else with commas */
	SCHEMA_PRIVILEGED = 1 << 10, /* whoever may set it has power over the host */
	SCHEMA_RULES = 1 << 7, /* ... with semicolons, as there are commas in its elements (firewall rules, users) */
};

struct schema_key {
	const char
		*key; /* "memory.limit"; "network.N.ips" with N a label 0..99; "labels.*", "rlimits.*" any name */
	enum schema_type type;
	enum unit unit;
	int64_t min, max;  /* for SCHEMA_INT, in base units */
	const char *words; /* for SCHEMA_ENUM, separated by spaces; for "*" rows: the names allowed, NULL: any */
	const char *def;   /* the default, as typed; NULL: unset */
	unsigned flags;
	int (*check)(const char *value, ve_error **ret_error); /* further check of a string or of one element */
	/* The one spelling of an element, instead of `check`, which is then of a bare name (KEYED) that takes one out; the caller frees. */
	int (*canonical)(const char *text, char **ret_text, ve_error **ret_error);
	/* What is shown of an element that has a secret in it; the caller frees. NULL: all of it. */
	int (*masked)(const char *element, char **ret_text, ve_error **ret_error);
	const char *doc;   /* one or two sentences, for keys, man page and errors */
	const char *restart; /* "*" rows with SCHEMA_LIVE: the names that are not */
	/* Without SCHEMA_LIVE: which changes may be made all the same while the VE runs (NULL: unset). */
	bool (*live)(const json_t *old_value, const json_t *new_value);
};

extern const struct schema_key schema_keys[]; /* ends with .key = NULL */

/* The functions without "_in" look into schema_keys; another table of such rows is the host's (model/host.c). */
const struct schema_key *schema_find_in(const struct schema_key *table, const char *key);
bool schema_is_group_in(const struct schema_key *table, const char *prefix);
const char *schema_nearest_in(const struct schema_key *table, const char *key);
int schema_unknown_in(const struct schema_key *table, const char *key, ve_error **ret_error);

/* The row of KEY ("network.0.ips" finds "network.N.ips"), or NULL. */
const struct schema_key *schema_find(const char *key);
/* Whether keys begin with "PREFIX." ("memory", "network.0"). */
bool schema_is_group(const char *prefix);
/* "did you mean" - the nearest known key, or NULL. Static storage. */
const char *schema_nearest(const char *key);
/* The error for a key that is none: VE_ERR_CONFIG, "'memory.limt': unknown key (did you mean 'memory.limit'?)". */
int schema_unknown(const char *key, ve_error **ret_error);
/* Checks TEXT as typed for KEY and gives the JSON value (json_null for unlimited). A new reference. */
/* May KEY, which is ROW's, change while the VE runs? */
bool schema_is_live(const struct schema_key *row, const char *key);
/* May it change so? The values may be NULL. */
bool schema_change_is_live(const struct schema_key *row, const char *key, const json_t *old_value, const json_t *new_value);
/* Errors: VE_ERR_CONFIG; VE_ERR_UNSUPPORTED for a key or word that is not built. */
int schema_parse(const struct schema_key *row, const char *key, const char *text, json_t **ret_value,
		 ve_error **ret_error);
/* Checks a JSON value read from a file (VE_ERR_CONFIG). Strings in the typed spelling ("1G") are also taken
 * where an integer is expected, and normalised into *RET_VALUE. */
int schema_check(const struct schema_key *row, const char *key, json_t *value, json_t **ret_value,
		 ve_error **ret_error);
/* Puts ELEMENT (as typed) into ARRAY, a list of ROW's, or takes it out; what is there (or not) already is left as
 * it is. Addresses are the same whatever their prefix, KEYED elements by their names. Returns 1 if ARRAY changed,
 * 0 if not. */
int schema_list_add(const struct schema_key *row, const char *key, json_t *array, const char *element,
		    ve_error **ret_error);
int schema_list_remove(const struct schema_key *row, const char *key, json_t *array, const char *element,
		       ve_error **ret_error);
/* The elements of a list as typed: a JSON array of strings, else split as ROW says. An array of strings,
 * unchecked. */
int schema_list_split(const struct schema_key *row, const char *key, const char *text, json_t **ret_array,
		      ve_error **ret_error);
/* VALUE as it is shown, without the secrets that `masked` hides. A new reference; NULL: out of memory. */
json_t *schema_shown(const struct schema_key *row, json_t *value);
/* The typed spelling of a JSON value ("512M", "on", "192.0.2.1,192.0.2.2"); the caller frees. NULL: out of memory.
 */
char *schema_format(const struct schema_key *row, const json_t *value);

#endif
