/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON documents that people write: read with strict rules, and complained about by line and column. jansson
 * keeps no positions, so that they are looked up in the text, and only when there is something to complain about.
 */
#ifndef MODEL_JSONTEXT_H
#define MODEL_JSONTEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* Reads TEXT, which must be one object without duplicate keys. WHAT names the file: VE_ERR_CONFIG,
 * "config.json:7:12: not JSON: ...". */
int jsontext_parse(const char *text, size_t size, const char *what, json_t **ret_object, ve_error **ret_error);

/* Puts "WHAT:LINE:COLUMN: " before *ERROR: the place in TEXT of the value at PATH (N_PATH names of members, from
 * the document on), or, AT_KEY, of its key. Returns -errno of the error. */
int jsontext_wrap(ve_error **error, const char *text, size_t size, const char *what, const char *const *path,
		  unsigned n_path, bool at_key);

/* Reads the file PATH below DIR_FD, at most MAX bytes, for these functions: words its errors. */
int jsontext_read(int dir_fd, const char *path, const char *what, size_t max, char **ret_text, size_t *ret_size,
		  ve_error **ret_error);

#endif
