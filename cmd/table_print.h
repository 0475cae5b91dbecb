/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents of the library as tables and as "key: value" lines. */
#ifndef CMD_TABLE_PRINT_H
#define CMD_TABLE_PRINT_H

#include "util.h"

struct column {
	const char *field; /* key in each row; also the title, in capitals */
	const char *title; /* NULL: from the field */
	const char *unit;  /* see format_value(); NULL: as the field's name tells */
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
/* The value of the member FIELD of ROW as a handle of its own, or NULL. */
const ve_doc *table_field(const ve_doc *row, const char *field);
/* The string FIELD of each row, a line each ("--names"). */
void table_print_names(const ve_doc *rows, const char *field);

#endif
