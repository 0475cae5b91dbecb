/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is not known, or not there, is null in every document. */
#ifndef RUN_ORNULL_H
#define RUN_ORNULL_H

#include <jansson.h>
#include <stdint.h>

static inline json_t *string_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

/* A negative number is none. */
static inline json_t *count_or_null(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static inline json_t *share_or_null(double share)
{
	return share < 0 ? json_null() : json_real(share);
}

#endif
