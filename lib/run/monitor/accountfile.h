/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passwd, group, shadow and gshadow of a VE as text: read whole, taken apart line by line, made up anew beside it, and
 * replaced, all of them or none. Nothing is allocated; what does not fit is remembered, and refused at the end.
 */
#ifndef MONITOR_ACCOUNTFILE_H
#define MONITOR_ACCOUNTFILE_H

#include <sys/stat.h>

#include "mon.h"

enum { ACCOUNT_FILE_MAX = 1 << 20, ACCOUNT_ROOM = 64 * 1024, ACCOUNT_FIELDS = 9, ACCOUNT_IDS = 65536 };

struct account_file {
	const char *path, *temporary;
	char *text, *fresh; /* mapped when it is read: ACCOUNT_FILE_MAX + 1, and ACCOUNT_ROOM more */
	size_t len, n;
	struct stat st;
	bool there, changed, overflow, written;
};

struct account_line {
	const char *start;
	size_t n; /* without its end */
	const char *field[ACCOUNT_FIELDS];
	size_t length[ACCOUNT_FIELDS];
	int n_fields;
};

/* A file that is not there, and NEEDED not to be, is empty. */
int account_load(struct account_file *t, bool needed, struct failure *f);
/* Takes the line at CURSOR (0: the first) apart; false at the end. */
bool account_next(const struct account_file *t, size_t *cursor, struct account_line *l);
/* The line whose first field is NAME. */
bool account_find(const struct account_file *t, const char *name, struct account_line *l);
bool account_is(const struct account_line *l, int i, const char *text);
/* The number in field I; ACCOUNT_IDS where there is none that a VE can have. */
uint32_t account_id(const struct account_line *l, int i);
/* Is NAME one of the words between commas in field I? */
bool account_has_word(const struct account_line *l, int i, const char *name);

/* Behind what T will be. */
void account_put(struct account_file *t, const char *data, size_t n);
void account_put_text(struct account_file *t, const char *s);
void account_put_line(struct account_file *t, const struct account_line *l);
/* Up to field I, with the colon behind the one before it; and from the end of field I. */
void account_put_before(struct account_file *t, const struct account_line *l, int i);
void account_put_after(struct account_file *t, const struct account_line *l, int i);
/* Field I without the word NAME. */
void account_put_without(struct account_file *t, const struct account_line *l, int i, const char *name);

/* Replaces those of the four that have changed, in this ORDER. EBUSY: somebody has changed one meanwhile. */
int account_commit(struct account_file *const order[4], struct failure *f);

#endif
