/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits, for the files that share them: limits.c plans and writes what limit_table.c says of each key, which may be more
 * than a number in a file; limit_text.c is how the kernel spells numbers.
 */
#ifndef CG_LIMIT_H
#define CG_LIMIT_H

#include <stddef.h>

#include "cg/backend.h"

enum {
	LIMIT_PERIOD_US = 100000, /* of the CPU bandwidth controller, on both versions its default */
	LIMIT_STEPS_MAX = 32,
	LIMIT_OLD_MAX = 65536,
};

struct limit_apply;
struct limit_step;
struct limit;

typedef int (*plan_fn)(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi);

/* A row of the table. */
struct limit {
	const char *key;
	size_t field; /* in struct cg_limits; LIMIT_NO_FIELD: it is cpu_set */
	enum cg_controller controller;
	int64_t neutral; /* the kernel's default: needs no controller, and no write into a new group */
	struct {
		const char *file; /* without it and PLAN: that version cannot */
		cg_format_fn format;
		int (*put)(struct limit_apply *a, struct limit_step *s);
		plan_fn plan;	    /* instead of format */
		const char *detail; /* of the file's lines, for the plan */
	} on[3]; /* by version */
	bool zero_wished; /* 0 is what everybody has, where there is the controller */
};

/* One write to NAME/FILE. */
struct limit_step {
	struct cg_hierarchy *hi;
	const char *key, *file;
	int64_t value;
	char *text;
	char *old; /* what was there, to be put back; NULL in a new group */
	int (*put)(struct limit_apply *a, struct limit_step *s);
};

struct limit_apply {
	struct cg *cg;
	const struct cg_limits *limits;
	cg_warn_fn warn;
	void *data;
	struct limit_step steps[LIMIT_STEPS_MAX];
	int n;
	struct cg_cpus online;
	struct cg_cpus taken; /* counted by this call */
	struct cg_cpus bound; /* of before: to be given back if it succeeds */
	bool cpus_planned, memory_planned, said_writes;
	ve_error **ret_error; /* for plans that know more than an errno; */
	bool said;	      /* they did */
};

/* What VALUE is without its controller: nothing to refuse. */
static inline bool limit_is_moot(const struct limit *row, int64_t value)
{
	return value == row->neutral || (row->zero_wished && value == 0);
}

#define LIMIT_NO_FIELD SIZE_MAX
extern const struct limit limit_table[];
extern const unsigned limit_n;

/* -EBUSY: so many bytes are USED, and the kernel cannot take them back. */
int limit_too_much_used(const char *key, const char *name, int64_t used, ve_error **ret_error);
/* Is ROW one of those that need a disk? */
bool limit_is_of_disks(const struct limit *row, int version);
/* VE_ERR_UNSUPPORTED: the files of VE NAME are on none. */
int limit_no_disk(const char *name, const struct limit *row, ve_error **ret_error);

void limit_warn(struct limit_apply *a, const char *fmt, ...) ATTR_PRINTF(2, 3);
int limit_add_step(struct limit_apply *a, struct cg_hierarchy *hi, const char *key, const char *file, int64_t value,
		   const char *text);
int limit_put_text(struct limit_apply *a, struct limit_step *s);
bool limit_has_file(struct limit_apply *a, struct cg_hierarchy *hi, const char *file);
/* A number of a controller file; "max" and v1's largest are UNITS_UNLIMITED. */
int limit_read_number(struct limit_apply *a, struct cg_hierarchy *hi, const char *file, int64_t *ret_value);

#endif
