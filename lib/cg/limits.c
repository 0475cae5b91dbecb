/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits: one table, configuration key -> controller -> file and formatter on v1 and on v2.
 *
 * cg_apply() first plans all writes, then does them in order; one that is refused takes the earlier ones back.
 * What is set is written, nothing else: a group just made has the kernel's defaults, and a value that is the
 * default is not written into it.
 *
 * Some files depend on each other, which orders their writes: v1's memsw is the sum of memory and swap and never
 * below memory's limit; a burst is never above its quota. On v2 a memory.max below what is used makes the kernel
 * kill; so the throttle point goes there first, which only reclaims.
 *
 * What is read and written of disks is limited a disk at a time (io.c knows the lines).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"
#include "model/units.h"

enum {
	PERIOD_US = 100000,  /* of the CPU bandwidth controller, on both versions its default */
	MIN_QUOTA_US = 1000, /* the kernel refuses less */
	STEPS_MAX = 32,
	OLD_MAX = 65536,
};

/* ---- formatters ---- */

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

/* Microseconds in each period; thousandths of a core are PERIOD_US / 1000 of them. */
static int quota_us(int64_t millicores, int64_t *ret_us)
{
	if (millicores < MIN_QUOTA_US / (PERIOD_US / 1000) || millicores > INT64_C(1) << 40)
		return -ERANGE;
	*ret_us = millicores * (PERIOD_US / 1000);
	return 0;
}

int cg_format_cpu_max(int64_t millicores, char ret_text[CG_TEXT_MAX])
{
	int64_t us = 0;
	int r = millicores == UNITS_UNLIMITED ? 0 : quota_us(millicores, &us);
	if (millicores == UNITS_UNLIMITED)
		snprintf(ret_text, CG_TEXT_MAX, "max %d", PERIOD_US);
	else
		snprintf(ret_text, CG_TEXT_MAX, "%" PRId64 " %d", us, PERIOD_US);
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
	snprintf(ret_text, CG_TEXT_MAX, "%" PRId64, millicores * (PERIOD_US / 1000));
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

/* ---- the plan ---- */

struct apply;
struct step;
struct limit;

typedef int (*plan_fn)(struct apply *a, const struct limit *row, struct cg_hierarchy *hi);

/* A row of the table. */
struct limit {
	const char *key;
	size_t field;
	enum cg_controller controller;
	int64_t neutral; /* the kernel's default: needs no controller, and no write into a new group */
	struct {
		const char *file; /* without it and PLAN: that version cannot */
		cg_format_fn format;
		int (*put)(struct apply *a, struct step *s);
		plan_fn plan;	    /* instead of format */
		const char *detail; /* of the file's lines, for the plan */
	} on[3]; /* by version */
};

/* One write to NAME/FILE. */
struct step {
	struct cg_hierarchy *hi;
	const char *key, *file;
	int64_t value;
	char *text;
	char *old; /* what was there, to be put back; NULL in a new group */
	int (*put)(struct apply *a, struct step *s);
};

struct apply {
	struct cg *cg;
	const struct cg_limits *limits;
	cg_warn_fn warn;
	void *data;
	struct step steps[STEPS_MAX];
	int n;
	struct cg_cpus online;
	struct cg_cpus taken; /* counted by this call */
	struct cg_cpus bound; /* of before: to be given back if it succeeds */
	bool cpus_planned, memory_planned, said_writes;
	ve_error **ret_error; /* for plans that know more than an errno; */
	bool said;	      /* they did */
};

static void apply_done(struct apply *a)
{
	for (int i = 0; i < a->n; i++) {
		free(a->steps[i].text);
		free(a->steps[i].old);
	}
}

static void warn(struct apply *a, const char *fmt, ...) ATTR_PRINTF(2, 3);
static void warn(struct apply *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *sentence = a->warn ? str_vprintf(fmt, ap) : NULL;
	va_end(ap);
	if (sentence)
		a->warn(sentence, a->data);
}

static int put_text(struct apply *a, struct step *s)
{
	char path[CG_FILE_MAX];
	cg_file_name(a->cg->name, s->file, path);
	int r = a->cg->fresh || s->old ? 0 : file_read(s->hi->base_fd, path, OLD_MAX, &s->old, NULL);
	return r < 0 ? r : file_poke(s->hi->base_fd, path, s->text);
}

static int add_step(struct apply *a, struct cg_hierarchy *hi, const char *key, const char *file, int64_t value,
		    const char *text)
{
	char *copy = strdup(text);
	if (!copy || a->n == STEPS_MAX) {
		free(copy);
		return -ENOMEM;
	}
	a->steps[a->n++] =
		(struct step){ .hi = hi, .key = key, .file = file, .value = value, .text = copy, .put = put_text };
	return 0;
}

static bool has_file(struct apply *a, struct cg_hierarchy *hi, const char *file)
{
	char path[CG_FILE_MAX];
	cg_file_name(a->cg->name, file, path);
	return faccessat(hi->base_fd, path, F_OK, 0) == 0;
}

/* A number of a controller file; "max" and v1's largest are UNITS_UNLIMITED. */
static int read_number(struct apply *a, struct cg_hierarchy *hi, const char *file, int64_t *ret_value)
{
	enum { PAGE = 4096 };
	char path[CG_FILE_MAX], text[32];
	cg_file_name(a->cg->name, file, path);
	int r = file_read_line(hi->base_fd, path, text, sizeof(text));
	if (r < 0)
		return r;
	int64_t value = str_eq(text, "max") ? UNITS_UNLIMITED : strtoll(text, NULL, 10);
	*ret_value = value >= INT64_MAX - 16 * PAGE ? UNITS_UNLIMITED : value;
	return 0;
}

/* One value of a file that has a line for each disk. */
static int put_disk(struct apply *a, struct step *s)
{
	char path[CG_FILE_MAX];
	_cleanup_free_ char *all = NULL;
	cg_file_name(a->cg->name, s->file, path);
	int r = a->cg->fresh ? 0 : file_read(s->hi->base_fd, path, OLD_MAX, &all, NULL);
	if (r == 0 && all && !s->old)
		s->old = cg_io_old(s->hi->version, s->text, all);
	if (r == 0 && all && !s->old)
		r = -ENOMEM;
	return r < 0 ? r : file_poke(s->hi->base_fd, path, s->text);
}

/* ---- the rows that are more than a number in a file ---- */

/* Makes the kernel reclaim down to the new limit before that becomes one. -EBUSY: it could not. */
static int put_memory_max(struct apply *a, struct step *s)
{
	int64_t used = 0;
	if (a->cg->fresh || read_number(a, s->hi, "memory.current", &used) < 0 || used <= s->value)
		return put_text(a, s);
	char high[CG_FILE_MAX];
	_cleanup_free_ char *old_high = NULL;
	cg_file_name(a->cg->name, "memory.high", high);
	int r = file_read(s->hi->base_fd, high, OLD_MAX, &old_high, NULL);
	if (r == 0)
		r = file_poke(s->hi->base_fd, high, s->text);
	if (r == 0)
		r = read_number(a, s->hi, "memory.current", &used);
	if (r == 0)
		r = used > s->value ? -EBUSY : put_text(a, s);
	if (old_high)
		file_poke(s->hi->base_fd, high, old_high);
	return r;
}

/* A group is protected as far as every group above it is. BASE and the service's group are ours; the slice above
 * is systemd's. */
static int put_memory_low(struct apply *a, struct step *s)
{
	char slices[32];
	int r = file_poke(s->hi->base_fd, "memory.low", "max");
	if (r < 0)
		return r;
	if (s->hi->parent_fd != s->hi->root_fd) {
		file_poke(s->hi->parent_fd, "memory.low", "max");
		if (file_read_line(s->hi->parent_fd, "../memory.low", slices, sizeof(slices)) > 0 &&
		    str_eq(slices, "0"))
			warn(a, "memory.guarantee of '%s' has no effect: systemd's system.slice has no MemoryLow=",
			     a->cg->name);
	}
	return put_text(a, s);
}

/* v1: limit L and memsw M, with L <= M after every write. */
static int plan_memory_v1(struct apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	if (a->memory_planned)
		return 0; /* one plan for both rows */
	a->memory_planned = true;
	const char *limit = "memory.limit_in_bytes", *memsw = "memory.memsw.limit_in_bytes";
	int64_t memory = a->limits->memory_bytes, swap = a->limits->swap_bytes;
	int64_t old_l = UNITS_UNLIMITED, old_m = UNITS_UNLIMITED;
	bool accounted = has_file(a, hi, memsw);
	int r = a->cg->fresh ? 0 : read_number(a, hi, limit, &old_l);
	if (r == 0 && !a->cg->fresh && accounted)
		r = read_number(a, hi, memsw, &old_m);
	if (r < 0)
		return r;

	int64_t old_swap = old_m == UNITS_UNLIMITED ? UNITS_UNLIMITED : old_m - old_l;
	int64_t new_l = memory == CG_UNSET ? old_l : memory;
	int64_t new_swap = swap == CG_UNSET ? old_swap : swap;
	int64_t new_m = accounted ? cg_memsw(new_l, new_swap) : old_m;
	if (swap != CG_UNSET && swap != UNITS_UNLIMITED && !accounted)
		warn(a, "memory.swap of '%s' is not enforced: this kernel does not account swap", a->cg->name);
	else if (swap != CG_UNSET && swap != UNITS_UNLIMITED && new_l == UNITS_UNLIMITED)
		warn(a, "memory.swap of '%s' is not enforced: on cgroup v1 it needs a memory.limit", a->cg->name);

	char text_l[CG_TEXT_MAX], text_m[CG_TEXT_MAX];
	if (cg_format_bytes_v1(new_l, text_l) < 0 || cg_format_bytes_v1(new_m, text_m) < 0)
		return -ERANGE;
	bool limit_first = new_l <= old_m;
	if (limit_first && new_l != old_l)
		r = add_step(a, hi, "memory.limit", limit, new_l, text_l);
	if (r == 0 && new_m != old_m)
		r = add_step(a, hi, memory == CG_UNSET ? "memory.swap" : "memory.limit", memsw, new_m, text_m);
	if (r == 0 && !limit_first && new_l != old_l)
		r = add_step(a, hi, "memory.limit", limit, new_l, text_l);
	return r;
}

static int plan_swap_v2(struct apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	int64_t swap = a->limits->swap_bytes;
	char text[CG_TEXT_MAX];
	if (has_file(a, hi, "memory.swap.max"))
		return cg_format_max(swap, text) < 0 ?
			       -ERANGE :
			       add_step(a, hi, "memory.swap", "memory.swap.max", swap, text);
	if (swap != UNITS_UNLIMITED)
		warn(a, "memory.swap of '%s' is not enforced: this kernel does not account swap", a->cg->name);
	return 0;
}

/* CPUs that the host has, or all of them where none are named. */
static int parse_set(struct apply *a, struct cg_cpus *ret_set)
{
	const char *list = a->limits->cpu_set;
	struct cg_cpus set = a->online;
	int r = list && *list ? cg_cpus_parse(list, &set) : 0;
	if (r < 0)
		return r;
	for (unsigned i = 0; i < ARRAY_SIZE(set.bits); i++)
		if (set.bits[i] & ~a->online.bits[i]) {
			_cleanup_free_ char *there = cg_cpus_format(&a->online);
			a->said = true;
			return err_plain(a->ret_error, VE_ERR_CONFIG, EINVAL, "cgroup",
					 "cannot set cpu.set of '%s' to %s: the host's CPUs are %s", a->cg->name, list,
					 there ?: "fewer");
		}
	*ret_set = set;
	return 0;
}

static bool is_subset(const struct cg_cpus *part, const struct cg_cpus *of)
{
	for (unsigned i = 0; i < ARRAY_SIZE(part->bits); i++)
		if (part->bits[i] & ~of->bits[i])
			return false;
	return true;
}

/* cpu.set names the CPUs, cpu.cores says how many of them: together one list. */
static int plan_cpus(struct apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	int64_t cores = a->limits->cpu_cores == CG_UNSET ? UNITS_UNLIMITED : a->limits->cpu_cores;
	struct cg_cpus bound, set;
	if (a->cpus_planned)
		return 0;
	a->cpus_planned = true;
	int r = cg_cpus_bound(a->cg, &a->online, &bound);
	if (r == 0)
		r = parse_set(a, &set);
	if (r < 0)
		return r;
	if (cores < 1)
		return -ERANGE;
	unsigned n_set = cg_cpus_count(&set), wanted = cores < n_set ? (unsigned)cores : n_set;
	if (cores > n_set && cores != UNITS_UNLIMITED)
		warn(a, "cpu.cores of '%s' is %" PRId64 ", %s %u: it gets all of them", a->cg->name, cores,
		     n_set == cg_cpus_count(&a->online) ? "the host has" : "cpu.set has", n_set);
	bool whole = wanted == cg_cpus_count(&a->online);
	if (cg_cpus_count(&bound) == (whole ? 0 : wanted) && is_subset(&bound, &set))
		return 0;
	a->bound = bound;
	if (!whole)
		cg_cpus_take(a->cg->host, &set, wanted, NULL, &a->taken);
	/* All of them by number: an empty list is none on v1, and on v2 "those of the group above", but refused (ENOSPC) once a
	 * group that had some has processes. */
	_cleanup_free_ char *list = cg_cpus_format(whole ? &a->online : &a->taken);
	if (!list)
		return -ENOMEM;
	return add_step(a, hi, row->key, "cpuset.cpus", cores, list);
}

/* The burst goes before a quota that falls below it, else after. */
static int plan_burst(struct apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	const char *file = hi->version == 1 ? "cpu.cfs_burst_us" : "cpu.max.burst";
	int64_t old = 0, burst = a->limits->cpu_burst_mc;
	char text[CG_TEXT_MAX];
	if (cg_format_burst(burst, text) < 0)
		return -ERANGE;
	int r = a->cg->fresh ? 0 : read_number(a, hi, file, &old);
	if (r < 0)
		return r;
	r = add_step(a, hi, row->key, file, burst, text);
	/* The step before it is the quota's, if that is written at all. */
	if (r == 0 && a->n > 1 && a->limits->cpu_limit_mc != CG_UNSET && str_eq(a->steps[a->n - 2].key, "cpu.limit") &&
	    burst * (PERIOD_US / 1000) < old) {
		struct step last = a->steps[a->n - 1];
		a->steps[a->n - 1] = a->steps[a->n - 2];
		a->steps[a->n - 2] = last;
	}
	return r;
}

static int no_disk(const char *name, const struct limit *row, ve_error **ret_error)
{
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENODEV, "cgroup",
			 "cannot set %s of '%s': its files are on no disk of this host's", row->key, name);
}

static int plan_io(struct apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	const struct cg_limits *l = a->limits;
	int64_t value;
	memcpy(&value, (const char *)l + row->field, sizeof(value));
	for (unsigned i = 0; i < l->n_disks; i++) {
		char text[CG_TEXT_MAX];
		int r = cg_io_format(hi->version, row->on[hi->version].detail, l->disks[i], value, text);
		if (r == 0)
			r = add_step(a, hi, row->key, row->on[hi->version].file, value, text);
		if (r < 0)
			return r;
		a->steps[a->n - 1].put = put_disk;
	}
	if (l->n_disks == 0 && value != UNITS_UNLIMITED) {
		a->said = true;
		return no_disk(a->cg->name, row, a->ret_error);
	}
	bool writes = strstr(row->key, "write") && value != UNITS_UNLIMITED && !a->said_writes;
	a->said_writes = a->said_writes || writes;
	if (writes && hi->version == 1)
		warn(a, "io.write_* of '%s' holds direct and synchronous writing only: on cgroup v1 the kernel does not know "
			"whose data it writes back from its cache", a->cg->name);
	else if (writes && l->disks_unaccounted)
		warn(a, "io.write_* of '%s' holds direct and synchronous writing only: this filesystem does not tell the kernel "
			"whose data is written back from its cache", a->cg->name);
	return 0;
}

/* Who shares a disk by weights is its scheduler, BFQ, or on v2 the controller io.cost. */
static int plan_io_weight(struct apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	static const struct {
		int version;
		const char *file;
		int64_t most;
	} files[] = { { 1, "blkio.bfq.weight", 1000 }, { 2, "io.bfq.weight", 1000 }, { 2, "io.weight", 10000 } };
	int64_t weight = a->limits->io_weight;
	bool any = false;
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		char text[CG_TEXT_MAX];
		int64_t value = weight < files[i].most ? weight : files[i].most;
		if (files[i].version != hi->version || !has_file(a, hi, files[i].file))
			continue;
		any = true;
		int r = cg_format_number(value, text) < 0 ? -ERANGE : add_step(a, hi, row->key, files[i].file, value, text);
		if (r < 0)
			return r;
	}
	if (!any && weight != row->neutral) {
		a->said = true;
		return err_plain(a->ret_error, VE_ERR_UNSUPPORTED, ENOENT, "cgroup",
				 "cannot set io.weight of '%s': this kernel shares disks by no weight (neither BFQ nor io.cost)",
				 a->cg->name);
	}
	if (weight != row->neutral && !cg_io_weighs(hi, a->limits))
		warn(a, "io.weight of '%s' has no effect as yet: its disk is not scheduled by BFQ%s", a->cg->name,
		     hi->version == 2 ? ", and io.cost is not switched on for it" : "");
	return 0;
}

/* ---- the table ---- */

#define FIELD(f) offsetof(struct cg_limits, f)
#define NO_FIELD SIZE_MAX

static const struct limit table[] = {
	{ "memory.limit", FIELD(memory_bytes), CG_MEMORY, UNITS_UNLIMITED,
	  { [1] = { .plan = plan_memory_v1 }, [2] = { "memory.max", cg_format_max, put_memory_max } } },
	{ "memory.swap", FIELD(swap_bytes), CG_MEMORY, UNITS_UNLIMITED,
	  { [1] = { .plan = plan_memory_v1 }, [2] = { .plan = plan_swap_v2 } } },
	/* v1's soft limit is no guarantee: it only says whom to reclaim from first, and those without one last. */
	{ "memory.guarantee", FIELD(memory_guarantee_bytes), CG_MEMORY, 0,
	  { [2] = { "memory.low", cg_format_max, put_memory_low } } },
	{ "memory.high", FIELD(memory_high_bytes), CG_MEMORY, UNITS_UNLIMITED,
	  { [2] = { "memory.high", cg_format_max } } },
	{ "pids.limit", FIELD(pids), CG_PIDS, UNITS_UNLIMITED,
	  { [1] = { "pids.max", cg_format_max }, [2] = { "pids.max", cg_format_max } } },
	{ "cpu.cores", FIELD(cpu_cores), CG_CPUSET, UNITS_UNLIMITED,
	  { [1] = { .plan = plan_cpus }, [2] = { .plan = plan_cpus } } },
	{ "cpu.set", NO_FIELD, CG_CPUSET, 0, { [1] = { .plan = plan_cpus }, [2] = { .plan = plan_cpus } } },
	{ "cpu.limit", FIELD(cpu_limit_mc), CG_CPU, UNITS_UNLIMITED,
	  { [1] = { "cpu.cfs_quota_us", cg_format_cfs_quota }, [2] = { "cpu.max", cg_format_cpu_max } } },
	{ "cpu.burst", FIELD(cpu_burst_mc), CG_CPU, 0, { [1] = { .plan = plan_burst }, [2] = { .plan = plan_burst } } },
	{ "cpu.weight", FIELD(cpu_weight), CG_CPU, 100,
	  { [1] = { "cpu.shares", cg_format_shares }, [2] = { "cpu.weight", cg_format_number } } },
	{ "io.weight", FIELD(io_weight), CG_IO, 100, { [1] = { .plan = plan_io_weight }, [2] = { .plan = plan_io_weight } } },
	{ "io.read_bps", FIELD(io_read_bps), CG_IO, UNITS_UNLIMITED,
	  { [1] = { .file = "blkio.throttle.read_bps_device", .plan = plan_io },
	    [2] = { .file = "io.max", .plan = plan_io, .detail = "rbps" } } },
	{ "io.write_bps", FIELD(io_write_bps), CG_IO, UNITS_UNLIMITED,
	  { [1] = { .file = "blkio.throttle.write_bps_device", .plan = plan_io },
	    [2] = { .file = "io.max", .plan = plan_io, .detail = "wbps" } } },
	{ "io.read_iops", FIELD(io_read_iops), CG_IO, UNITS_UNLIMITED,
	  { [1] = { .file = "blkio.throttle.read_iops_device", .plan = plan_io },
	    [2] = { .file = "io.max", .plan = plan_io, .detail = "riops" } } },
	{ "io.write_iops", FIELD(io_write_iops), CG_IO, UNITS_UNLIMITED,
	  { [1] = { .file = "blkio.throttle.write_iops_device", .plan = plan_io },
	    [2] = { .file = "io.max", .plan = plan_io, .detail = "wiops" } } },
};

/* What ROW is to become; CG_UNSET: nothing. */
static int64_t value_of(const struct cg_limits *l, const struct limit *row)
{
	int64_t value;
	if (row->field == NO_FIELD)
		return l->cpu_set ? *l->cpu_set != '\0' : CG_UNSET; /* 0, the kernel's default: all CPUs */
	memcpy(&value, (const char *)l + row->field, sizeof(value));
	return value;
}

static void put_value(struct cg_limits *l, const struct limit *row, int64_t value)
{
	if (row->field == NO_FIELD)
		l->cpu_set = value == CG_UNSET ? NULL : "";
	else
		memcpy((char *)l + row->field, &value, sizeof(value));
}

void cg_limits_init(struct cg_limits *l)
{
	*l = (struct cg_limits){ 0 };
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
		put_value(l, &table[i], CG_UNSET);
}

static bool same(const struct cg_limits *a, const struct cg_limits *b, const struct limit *row)
{
	if (row->field == NO_FIELD)
		return str_eq(a->cpu_set ? a->cpu_set : "", b->cpu_set ? b->cpu_set : "");
	return value_of(a, row) == value_of(b, row);
}

bool cg_limits_change(const struct cg_limits *from, const struct cg_limits *to, struct cg_limits *ret_change)
{
	struct cg_limits c = *to;
	bool any = false, cpus = false;
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		const struct limit *row = &table[i];
		if (same(from, to, row)) {
			put_value(&c, row, CG_UNSET);
			continue;
		}
		any = true;
		cpus = cpus || row->controller == CG_CPUSET;
		if (value_of(to, row) == CG_UNSET)
			put_value(&c, row, row->neutral);
	}
	/* Those two are one list. */
	if (cpus) {
		c.cpu_cores = to->cpu_cores == CG_UNSET ? UNITS_UNLIMITED : to->cpu_cores;
		c.cpu_set = to->cpu_set ? to->cpu_set : "";
	}
	*ret_change = c;
	return any;
}

static int unsupported(const char *name, const struct limit *row, struct cg_hierarchy *hi, ve_error **ret_error)
{
	if (hi)
		return err_plain(
			ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "cgroup",
			"cannot set %s of '%s': the %s controller is on cgroup v1 here, which has nothing like it",
			row->key, name, cg_controller_name(row->controller, 1));
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "cgroup",
			 "cannot set %s of '%s': this host has no cgroup controller '%s'", row->key, name,
			 cg_controller_name(row->controller, 2) ?: cg_controller_name(row->controller, 1));
}

static bool is_possible(const struct limit *row, const struct cg_hierarchy *hi)
{
	return hi && (row->on[hi->version].file || row->on[hi->version].plan);
}

static int plan_row(struct apply *a, const struct limit *row, int64_t value, struct cg_hierarchy *hi)
{
	if (row->on[hi->version].plan)
		return row->on[hi->version].plan(a, row, hi);
	char text[CG_TEXT_MAX];
	int r = row->on[hi->version].format(value, text);
	if (r == 0)
		r = add_step(a, hi, row->key, row->on[hi->version].file, value, text);
	if (r == 0 && row->on[hi->version].put)
		a->steps[a->n - 1].put = row->on[hi->version].put;
	return r;
}

/* Taken all the same: the VE may move to a larger host, and the limit does no harm. */
static void warn_above_host(struct apply *a)
{
	struct sysinfo host;
	int64_t memory = a->limits->memory_bytes, cpu = a->limits->cpu_limit_mc;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (memory != CG_UNSET && memory != UNITS_UNLIMITED && sysinfo(&host) == 0 &&
	    memory > (int64_t)host.totalram * host.mem_unit)
		warn(a, "memory.limit of '%s' is %" PRId64 " MiB, the host has %" PRId64 " MiB", a->cg->name, memory >> 20,
		     (int64_t)host.totalram * host.mem_unit >> 20);
	if (cpu != CG_UNSET && cpu != UNITS_UNLIMITED && cpu > cpus * 1000)
		warn(a, "cpu.limit of '%s' is more than the host's %ld CPUs", a->cg->name, cpus);
}

/* A VE of an earlier version, or one that was made without, has no group in v1's blkio. */
static int no_group(struct apply *a, const struct limit *row, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_STATE, ENOENT, "cgroup",
			  "cannot set %s of '%s' while it runs: it was started without a group for it", row->key, a->cg->name);
	err_hint(ret_error, "--pending writes it for the next start, --restart restarts '%s' now", a->cg->name);
	return r;
}

static int plan(struct apply *a, ve_error **ret_error)
{
	warn_above_host(a);
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		const struct limit *row = &table[i];
		int64_t value = value_of(a->limits, row);
		struct cg_hierarchy *hi = cg_hierarchy_of(a->cg->host, row->controller);
		/* v2 has a controller only where the group above hands it on. */
		if (hi && ((hi->base_fd < 0 && !cg_is_optional(hi)) || !(hi->controllers & CG_BIT(row->controller))))
			hi = NULL;
		bool possible = is_possible(row, hi);
		if (value == CG_UNSET || (value == row->neutral && (a->cg->fresh || !possible)))
			continue;
		if (!possible)
			return unsupported(a->cg->name, row, hi, ret_error);
		if (cg_is_optional(hi) && !has_file(a, hi, "cgroup.procs"))
			return no_group(a, row, ret_error);
		int r = plan_row(a, row, value, hi);
		if (r == -ERANGE)
			return err_plain(ret_error, VE_ERR_CONFIG, ERANGE, "cgroup",
					 "cannot set %s of '%s' to %" PRId64
					 ": the kernel cannot keep such a value",
					 row->key, a->cg->name, value);
		if (r < 0)
			return a->said ? r : err_sys(ret_error, -r, "cgroup", "cannot set %s of '%s'", row->key, a->cg->name);
	}
	return 0;
}

int cg_check_limits(struct cg_host *h, const char *name, const struct cg_limits *l, ve_error **ret_error)
{
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		int64_t value = value_of(l, &table[i]);
		struct cg_hierarchy *hi = cg_hierarchy_of(h, table[i].controller);
		if (value != CG_UNSET && value != table[i].neutral && !is_possible(&table[i], hi))
			return unsupported(name, &table[i], hi, ret_error);
		if (value != CG_UNSET && value != table[i].neutral && l->n_disks == 0 && table[i].on[hi->version].plan == plan_io)
			return no_disk(name, &table[i], ret_error);
	}
	return 0;
}

/* ---- the execution ---- */

static int too_much_used(const char *key, const char *name, int64_t used, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_STATE, EBUSY, "cgroup",
			  "cannot lower %s of '%s': %" PRId64 " MiB are in use and cannot be reclaimed", key, name, used >> 20);
	err_hint(ret_error, "end something inside, or write it for the next start with --pending");
	return r;
}

static int refused(struct apply *a, struct step *s, int r, ve_error **ret_error)
{
	const char *name = a->cg->name;
	if (r == -ENOENT) {
		cg_cache_drop(a->cg->host); /* or the controllers are elsewhere by now */
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "cgroup",
				 "cannot set %s of '%s': the kernel has no '%s' in '%s'", s->key, name, s->file,
				 s->hi->path);
	}
	int64_t used;
	bool v1 = s->hi->version == 1;
	if (r == -EBUSY && str_starts(s->key, "memory.") &&
	    read_number(a, s->hi, v1 ? "memory.usage_in_bytes" : "memory.current", &used) == 0)
		return too_much_used(s->key, name, used, ret_error);
	return err_sys(ret_error, -r, "cgroup", "cannot set %s of '%s': the kernel refused '%s' for '%s'", s->key,
		       name, s->text, s->file);
}

static int execute(struct apply *a, ve_error **ret_error)
{
	for (int i = 0; i < a->n; i++) {
		int r = a->steps[i].put(a, &a->steps[i]);
		if (r == 0)
			continue;
		r = refused(a, &a->steps[i], r, ret_error);
		while (--i >= 0)
			if (a->steps[i].old) {
				char path[CG_FILE_MAX];
				cg_file_name(a->cg->name, a->steps[i].file, path);
				/* v2's cpuset of a group that has all reads as nothing. */
				file_poke(a->steps[i].hi->base_fd, path,
					  *a->steps[i].old ? a->steps[i].old : "\n");
			}
		return r;
	}
	return 0;
}

int cg_apply(struct cg *cg, const struct cg_limits *l, cg_warn_fn warn_fn, void *data, ve_error **ret_error)
{
	struct apply *a = calloc(1, sizeof(*a));
	if (!a)
		return err_nomem(ret_error);
	*a = (struct apply){ .cg = cg, .limits = l, .warn = warn_fn, .data = data, .ret_error = ret_error };
	int r = plan(a, ret_error);
	if (r == 0)
		r = execute(a, ret_error);
	/* The CPUs of before are free if it worked, those chosen now if it did not. */
	struct cg_cpus *free_now = r == 0 ? &a->bound : &a->taken;
	if (cg_cpus_count(free_now) > 0)
		cg_cpus_take(cg->host, &a->online, 0, free_now, NULL);
	apply_done(a);
	free(a);
	if (r == 0)
		cg->fresh = false;
	return r;
}
