/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of a configuration as the files of the controllers have them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cg/limit.h"
#include "model/units.h"

enum { MIN_QUOTA_US = 1000 /* the kernel refuses less */ };

int cg_format_number(int64_t value, char ret_text[CG_TEXT_MAX])
{
	snprintf(ret_text, CG_TEXT_MAX, "%" PRId64, value);
	return value < 0 ? -ERANGE : 0;
}

int cg_format_max(int64_t value, char ret_text[CG_TEXT_MAX])
{
	if (value != UNITS_UNLIMITED)
		return cg_format_number(value, ret_text);
	snprintf(ret_text, CG_TEXT_MAX, "max");
	return 0;
}

int cg_format_bytes_v1(int64_t value, char ret_text[CG_TEXT_MAX])
{
	if (value != UNITS_UNLIMITED)
		return cg_format_number(value, ret_text);
	snprintf(ret_text, CG_TEXT_MAX, "-1");
	return 0;
}

/* Microseconds in each period; thousandths of a core are LIMIT_PERIOD_US / 1000 of them. */
static int quota_us(int64_t millicores, int64_t *ret_us)
{
	if (millicores < MIN_QUOTA_US / (LIMIT_PERIOD_US / 1000) || millicores > INT64_C(1) << 40)
		return -ERANGE;
	*ret_us = millicores * (LIMIT_PERIOD_US / 1000);
	return 0;
}

int cg_format_cpu_max(int64_t millicores, char ret_text[CG_TEXT_MAX])
{
	int64_t us = 0;
	int r = millicores == UNITS_UNLIMITED ? 0 : quota_us(millicores, &us);
	if (millicores == UNITS_UNLIMITED)
		snprintf(ret_text, CG_TEXT_MAX, "max %d", LIMIT_PERIOD_US);
	else
		snprintf(ret_text, CG_TEXT_MAX, "%" PRId64 " %d", us, LIMIT_PERIOD_US);
	return r;
}

int cg_format_cfs_quota(int64_t millicores, char ret_text[CG_TEXT_MAX])
{
	int64_t us = -1;
	int r = millicores == UNITS_UNLIMITED ? 0 : quota_us(millicores, &us);
	snprintf(ret_text, CG_TEXT_MAX, "%" PRId64, us);
	return r;
}

/* 0 is none: nothing is saved up. */
int cg_format_burst(int64_t millicores, char ret_text[CG_TEXT_MAX])
{
	snprintf(ret_text, CG_TEXT_MAX, "%" PRId64, millicores * (LIMIT_PERIOD_US / 1000));
	return millicores < 0 || millicores > INT64_C(1) << 40 ? -ERANGE : 0;
}

/* Weight 100 is 1024 shares, the default of either version. */
int cg_format_shares(int64_t weight, char ret_text[CG_TEXT_MAX])
{
	snprintf(ret_text, CG_TEXT_MAX, "%" PRId64, (weight * 1024 + 50) / 100);
	return weight < 1 || weight > 10000 ? -ERANGE : 0;
}

int64_t cg_memsw(int64_t memory_bytes, int64_t swap_bytes)
{
	int64_t sum;
	if (memory_bytes == UNITS_UNLIMITED || swap_bytes == UNITS_UNLIMITED ||
	    __builtin_add_overflow(memory_bytes, swap_bytes, &sum))
		return UNITS_UNLIMITED;
	return sum;
}
