/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that root may run because nobody else could have written it. */
#ifndef SYS_TRUSTED_H
#define SYS_TRUSTED_H

#include "base/error.h"

/* PATH is a program, and it and every directory above it belong to root and can be written by nobody else; no part of the path
 * is a link. After that PATH means the same until root changes it. VE_ERR_NOT_FOUND: nothing is there; else VE_ERR_CONFIG. */
int trusted_program(const char *path, ve_error **ret_error);

#endif
