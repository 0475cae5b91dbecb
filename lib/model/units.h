/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The units of DESIGN's chapter 7, both ways. A parser returns 0 or -EINVAL (-ERANGE where it does not fit in an
 * int64_t) with a sentence that quotes the text and tells the accepted spellings; a formatter writes what the
 * parser reads.
 */
#ifndef MODEL_UNITS_H
#define MODEL_UNITS_H

#include <stdint.h>

#include "base/error.h"

#define UNITS_UNLIMITED INT64_MAX /* the word "unlimited"; null in JSON */

enum unit {
	UNIT_NONE,	  /* a plain integer */
	UNIT_BYTES,	  /* K M G T and KiB MiB GiB TiB are 1024; MB and the like are refused, naming both meanings */
	UNIT_BYTES_PER_S, /* likewise */
	UNIT_BITS_PER_S,  /* K M G are 1000 */
	UNIT_SECONDS,	  /* s m h d; a bare number is seconds */
	UNIT_MILLICORES,  /* "1.5" cores and "150%" are both 1500 */
	UNIT_COUNT,
};

int units_parse(enum unit unit, const char *text, int64_t *ret_value, ve_error **ret_error);
/* The shortest exact spelling ("512M", "unlimited"); the caller frees. NULL: out of memory. */
char *units_format(enum unit unit, int64_t value);
/* The unit's name in documents: "bytes", "bits/s". */
const char *units_name(enum unit unit);

#endif
