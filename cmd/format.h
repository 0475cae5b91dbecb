/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of documents for people, and texts for documents. What is returned is freed by the caller. */
#ifndef CMD_FORMAT_H
#define CMD_FORMAT_H

#include <stdint.h>

#include "util.h"

/* The value as people read it. UNIT is "bytes", "bits/s", "seconds", "time" and the like, or NULL. Lists are joined
 * with ", "; null is "-". Nothing in it moves a terminal's cursor. */
char *format_value(const ve_doc *value, const char *unit);
char *format_int(int64_t n, const char *unit);
/* The unit that the NAME of a field tells ("size_bytes", "started_at"), or NULL. */
const char *format_unit_of(const char *name);
/* "512M", "1.4G": exact where it is a whole number, else three digits. */
char *format_bytes(int64_t bytes);
/* 1h5m, 42s. */
char *format_seconds(int64_t seconds);
/* "2026-01-31T10:00:00Z" in local time, "2026-01-31 11:00:00"; other texts as they are. */
char *format_time(const char *rfc3339);
/* Control characters become '?'. */
char *format_safe(const char *s);

/* Appends S as a JSON string, null for NULL. */
void format_json_string(struct text *t, const char *s);

/* Appends TEXT wrapped to WIDTH columns, each line after INDENT spaces; empty lines stay. */
void format_wrapped(struct text *t, const char *s, unsigned indent, unsigned width);

#endif
