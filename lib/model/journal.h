/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A journal: a file of JSON objects, a line each, numbered by "seq", bounded to two files (NAME and NAME.1). Several processes
 * may append at once. A line that a crash has cut short spoils no other, and one that finds the disk full is not there at all.
 */
#ifndef MODEL_JOURNAL_H
#define MODEL_JOURNAL_H

#include <jansson.h>
#include <stddef.h>

enum { JOURNAL_LINE_MAX = 65536 };

/* Appends ENTRY (an object, borrowed) to NAME below DIR_FD, under the next number. A NAME of more than MAX_BYTES becomes NAME.1
 * first. A line of more than JOURNAL_LINE_MAX bytes is -EFBIG. 0 or -errno, no sentence. */
int journal_append(int dir_fd, const char *name, size_t max_bytes, const json_t *entry);
/* Calls FN for each entry (borrowed) of NAME.1 and NAME, oldest first, until it returns something other than 0, which is
 * returned. Lines that are no objects are passed over. No journal is none to read: 0. */
int journal_read(int dir_fd, const char *name, int (*fn)(json_t *entry, void *data), void *data);

#endif
