/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passwords and public keys, read from a terminal, from standard input or from a file. */
#ifndef CMD_SECRET_H
#define CMD_SECRET_H

#include "command.h"

/* One line of standard input, without its end. 0, or the exit code after a report. secret_free() the result. */
int secret_read_line(struct call *call, char **ret_secret);
/* Asks twice on the terminal at standard input, nothing shown. WHO is in the question. */
int secret_ask(struct call *call, const char *who, char **ret_secret);
/* Wipes and frees. */
void secret_free(char *secret);

/* Appends the lines of the file PATH ("-": standard input) that are public keys: owned strings. */
int secret_read_keys(struct call *call, const char *path, struct strings *keys);

/* The whole of the file PATH ("-": standard input), any bytes, at most MAX of them; WHAT it is, for the report. The caller frees. */
int secret_read_file(struct call *call, const char *what, const char *path, size_t max, char **ret_data, size_t *ret_n);

#endif
