/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes one JSON document to standard output as it goes: commas and escapes are kept track of here. KEY is NULL
 * for an element of an array. */
#ifndef PROBE_JSON_H
#define PROBE_JSON_H

#include <stdbool.h>
#include <stdint.h>

void json_object(const char *key);
void json_array(const char *key);
void json_end(void); /* of the innermost object or array */
void json_string(const char *key, const char *value); /* NULL: null; bytes that are not UTF-8 become U+FFFD */
void json_int(const char *key, int64_t value);
void json_bool(const char *key, bool value);
void json_null(const char *key);
/* "EPERM", or "ok" for 0. */
void json_errno(const char *key, int errnum);
/* Ends the document. Non-zero if it could not be written. */
int json_finish(void);

#endif
