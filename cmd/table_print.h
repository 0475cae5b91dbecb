/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents of the library as tables and as "key: value" lines. */
#ifndef CMD_TABLE_PRINT_H
#define CMD_TABLE_PRINT_H

#include "options.h"
#include "util.h"

struct column {
	const char *field; /* key in each row, or the keys of nested objects with dots between; also the title, in capitals */
	const char *title; /* NULL: from the field */
	const char *unit;  /* see format_value(); NULL: as the field's name tells */
	const char *unit_field; /* key of each row's own unit; NULL: they share one */
	bool wrap;         /* the last column only: wrapped to the terminal */
	char *(*format)(const ve_doc *row); /* instead of FIELD's value; owned */
};

/* ROWS is an array of objects. */
void table_print(const ve_doc *rows, const struct column *columns, size_t n_columns, bool header);
enum object_flags {
	OBJECT_SET_ONLY = 1 << 0, /* without what is null or empty */
	OBJECT_SORTED = 1 << 1,   /* by key, else as the document has them */
};

/* One object, nested ones with their keys joined by dots; "key: value", the values aligned. FORMAT (NULL: none)
 * makes a value's text from the dotted KEY, owned, or NULL where it has none of its own. */
void table_print_object(const ve_doc *object, unsigned flags, char *(*format)(const char *key, void *data),
			void *data);
/* The value of the member FIELD of ROW, or of nested ones ("limits.memory.limit"), as a handle of its own, or NULL. */
const ve_doc *table_field(const ve_doc *row, const char *field);
/* The string FIELD of each row, a line each ("--names"). */
void table_print_names(const ve_doc *rows, const char *field);

/* What commands that list named things have in common. */
struct rows_options {
	bool names, no_header;
};

/* Rows for the options of a command whose struct TYPE has a member `struct rows_options how`. */
#define ROWS_OPTIONS(type) \
	FLAG("names", 0, type, how.names, "Nothing but names, a line each."), \
	FLAG("no-header", 0, type, how.no_header, "No line of titles.")

/* ROWS as the options say; their names are their "name". */
void table_print_rows(const ve_doc *rows, const struct column *columns, size_t n_columns, const struct rows_options *o);

#endif
