/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `--help` prints, made from the table. */
#ifndef CMD_HELPTEXT_H
#define CMD_HELPTEXT_H

#include "command.h"

/* The synopsis in one or more lines: "vectl start NAME [--wait[=SECONDS]]". Freed by the caller. */
char *help_usage(const struct command *c);
char *help_prefix_usage(const char *prefix);

void help_command(const struct command *c);
void help_prefix(const char *prefix);
void help_all(void);

#endif
