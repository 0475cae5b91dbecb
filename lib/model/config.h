/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's configuration: identity (what create fixed) and keys (what the schema knows), read from and written
 * to config.json. In the file keys nest at their dots ("memory":{"limit":536870912}); here they are
 * addressed by their dotted names.
 *
 * Errors in a file are VE_ERR_CONFIG and name file, line, column, key, what was expected, and the nearest known
 * key.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/name.h"

enum { CONFIG_SCHEMA = 1, CONFIG_MAX_BYTES = 1 << 20 };

struct config {
	json_t *root; /* the whole document, keys nested, without defaults */
};

/* An empty configuration with fresh uuid and revision 0. NAME NULL: keys without an identity (a template's, a
 * spec's). */
int config_new(const char *name, struct config **ret_config, ve_error **ret_error);
void config_free(struct config *c);
void config_freep(struct config **c);
#define _cleanup_config_ __attribute__((cleanup(config_freep)))
int config_copy(const struct config *c, struct config **ret_config, ve_error **ret_error);

/* Reads PATH below DIR_FD; WHAT names the file in messages. "schema", name and uuid must be there. Values come out
 * normalised: integers in base units, addresses in canonical spelling. A missing file is VE_ERR_NOT_FOUND. */
int config_load(int dir_fd, const char *path, const char *what, struct config **ret_config, ve_error **ret_error);
int config_parse(const char *text, size_t size, const char *what, struct config **ret_config,
		 ve_error **ret_error);
/* The same for a template: {"schema":1,"description":"...","extends":"NAME","keys":{...}}. RET_EXTENDS: the name of the
 * template that it goes on from, or NULL; it is not looked for here. */
int config_parse_template(const char *text, size_t size, const char *what, char **ret_description, char **ret_extends,
			  struct config **ret_config, ve_error **ret_error);
/* The keys of a document of ve_show()'s, or of a part of one: of what says which VE it was, only "revision" is left. */
int config_parse_keys(const char *text, size_t size, const char *what, struct config **ret_config, ve_error **ret_error);
/* Raises "revision" and replaces the file atomically; DURABLE: with fsync. */
int config_save(struct config *c, int dir_fd, const char *path, bool durable, ve_error **ret_error);

/* Identity; never NULL after a successful load. */
const char *config_name(const struct config *c);
const char *config_uuid(const struct config *c);
/* Host facts that are no keys, kept under "identity": "id_base" (first host id of the range), "link_id",
 * "image_digest", "template_digest", "created_at". Absent: 0 or NULL. */
int64_t config_identity_int(const struct config *c, const char *field);
const char *config_identity_string(const struct config *c, const char *field);
int config_set_identity(struct config *c, const char *field, json_t *stolen_value);

/* A value, or the schema's default where none is set, or NULL/0/false where there is neither.
 * Strings live as long as C (defaults: for ever). UNITS_UNLIMITED for unlimited. */
const char *config_string(const struct config *c, const char *key);
int64_t config_int(const struct config *c, const char *key);
bool config_bool(const struct config *c, const char *key);
/* Lists: borrowed reference to a JSON array, or NULL. */
json_t *config_list(const struct config *c, const char *key);
bool config_list_has(const json_t *list, const char *element);
/* The raw JSON value that is set, borrowed, without default; NULL: not set. */
json_t *config_raw(const struct config *c, const char *key);
/* Sets (steals VALUE) or, with VALUE NULL, unsets. Checks nothing. */
int config_put(struct config *c, const char *key, json_t *stolen_value);
/* "KEY=VALUE", "KEY+=VALUE", "KEY-=VALUE", "KEY=default"; see ve_spec_assign(). Checks key, type, range, BUILT
 * (69) and IDENTITY: name, uuid and template never, the others only while C was not saved yet (VE_ERR_STATE). All
 * or nothing. A spec keeps its assignments as text and runs them here on the VE's configuration: += and =default
 * mean nothing without it. */
int config_assign(struct config *c, const char *assignment, ve_error **ret_error);
/* Puts every key set in OVER, but name and uuid, onto C (templates). */
int config_merge(struct config *c, const struct config *over, ve_error **ret_error);
/* Takes out of C what is not shown of its values (schema_shown()). */
void config_hide_secrets(struct config *c);
/* The labels of "network" in numeric order into RET (at most MAX); returns how many. */
int config_networks(const struct config *c, unsigned *ret_labels, unsigned max);
/* The key "command": it starts that, and no init. */
bool config_has_command(const struct config *c);
/* Is it a jail: one command, its own or the one that `run` says? */
bool config_is_jail(const struct config *c);
/* network.LABEL.type, or what an unset one means: "routed" where addresses are given, else "nat". create
 * writes it down, so that a change of addresses never changes the type. */
const char *config_network_type(const struct config *c, unsigned label);
/* Calls FN for every key that is set in A or B with different values, in schema order (values NULL: unset), until one call
 * fails. A failure without an error of FN's own is lack of memory. */
int config_diff(const struct config *a, const struct config *b,
		int (*fn)(const char *key, json_t *old_value, json_t *new_value, void *data), void *data, ve_error **ret_error);
/* Checks what concerns several keys at once (duplicate addresses, a type that needs an address, ...). */
int config_check_whole(const struct config *c, ve_error **ret_error);

#endif
