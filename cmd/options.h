/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line: which command, its options, its operands. Options may stand anywhere, before the command
 * too as far as every command knows them; "--" ends them, as does the first word of a guest's command (exec, run).
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "command.h"

/* What is wrong with a command line. Both texts are owned. */
struct usage {
	enum ve_category category; /* VE_ERR_USAGE, or VE_ERR_UNSUPPORTED for a word of a later version */
	char *message; /* NULL: nothing is wrong */
	char *hint;    /* or NULL */
};

/* Fills *CALL, which options_done() empties. Returns 0, or -1 with *USAGE; CALL->common is filled as far as
 * possible then too, so that the error can be told in the form that was asked for. A line that asks for
 * help is not checked further. CALL->command is NULL if no command was named. */
int options_parse(int argc, char **argv, struct call *call, struct usage *usage);
void options_done(struct call *call);
void usage_done(struct usage *usage);

/* "90", "90s", "5m", "1h", "1d": at most 24 days. Returns 0 or -1. */
int seconds_parse(const char *text, unsigned *ret_seconds);

#endif
