/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FNV-1a, 64 bits (draft-eastlake-fnv): a short name for bytes, the same every time and everywhere. It keeps no secret, and whoever
 * chooses the bytes can have two that are alike. What has it on disk or in a VE's MAC relies on it: it never changes. */
#ifndef BASE_FNV_H
#define BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN UINT64_C(0xcbf29ce484222325)

/* SUM, which begins with FNV_BEGIN, with the N bytes of DATA behind. */
static inline uint64_t fnv_add(uint64_t sum, const void *data, size_t n)
{
	const unsigned char *p = data;
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
	return sum;
}

#endif
