/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The man pages, in mdoc(7), made from the table and from the schema of the library. */
#ifndef CMD_MANPAGE_H
#define CMD_MANPAGE_H

#include "command.h"

/* The whole page of one command, vectl-start(8). */
void manpage_command(const struct command *c);
/* A part of a hand-written page, where its source (man/NAME.in) has "@part@" on a line of its own: the first lines
 * of vectl(8) are "head-vectl-8"; "commands", "options", "exits", "keys", "fields". False: no such part. */
bool manpage_part(ve_ctx *ctx, const char *part);

#endif
