/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts that somebody has written for us. */
#ifndef CMD_DOCUMENT_H
#define CMD_DOCUMENT_H

#include "command.h"

/* The whole of the file PATH ("-": standard input), at most 1 MiB. Returns 0, or the exit code after it was told what is
 * wrong. The caller frees. */
int document_read(struct call *call, const char *path, char **ret_text);

#endif
