/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words that are no commands: what to say about them. */
#ifndef CMD_WORDS_H
#define CMD_WORDS_H

#include "options.h"

/* WORD ("rm", "image ls") is not in the table. NEXT is the word behind it, or NULL. */
void words_explain(const char *word, const char *next, struct usage *usage);
/* The likeliest of CANDIDATES (NULL-terminated) for a mistyped WORD, or NULL. */
const char *words_nearest(const char *word, const char *const *candidates);

#endif
