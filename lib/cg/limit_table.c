/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of limits: configuration key -> controller -> file and formatter on v1 and on v2; and the rows that are more than
 * a number in a file.
 *
 * Some files depend on each other, which orders their writes: v1's memsw is the sum of memory and swap and never
 * below memory's limit; a burst is never above its quota. On v2 a memory.max below what is used makes the kernel
 * kill; so the throttle point goes there first, which only reclaims.
 *
 * What is read and written of disks is limited a disk at a time (io.c knows the lines).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/limit.h"
#include "model/units.h"

/* Makes the kernel reclaim down to the new limit before that becomes one. -EBUSY: it could not. */
static int put_memory_max(struct limit_apply *a, struct limit_step *s)
{
	int64_t used = 0;
	if (a->cg->fresh || limit_read_number(a, s->hi, "memory.current", &used) < 0 || used <= s->value)
		return limit_put_text(a, s);
	char high[CG_FILE_MAX];
	_cleanup_free_ char *old_high = NULL;
	cg_file_name(a->cg->place.path, "memory.high", high);
	int r = file_read(s->hi->base_fd, high, LIMIT_OLD_MAX, &old_high, NULL);
	if (r == 0)
		r = file_poke(s->hi->base_fd, high, s->text);
	if (r == 0)
		r = limit_read_number(a, s->hi, "memory.current", &used);
	if (r == 0)
		r = used > s->value ? -EBUSY : limit_put_text(a, s);
	if (old_high)
		file_poke(s->hi->base_fd, high, old_high);
	return r;
}

/* A group is protected as far as every group above it is. BASE, a pool and the service's group are ours; the slice above
 * is systemd's. */
static int put_memory_low(struct limit_apply *a, struct limit_step *s)
{
	char slices[32];
	int r = file_poke(s->hi->base_fd, "memory.low", "max");
	if (r < 0)
		return r;
	if (s->hi->parent_fd != s->hi->root_fd) {
		file_poke(s->hi->parent_fd, "memory.low", "max");
		if (file_read_line(s->hi->parent_fd, "../memory.low", slices, sizeof(slices)) > 0 &&
		    str_eq(slices, "0"))
			limit_warn(a, "memory.guarantee of '%s' has no effect: systemd's system.slice has no MemoryLow=",
			     a->cg->name);
	}
	struct cg_place pool;
	if (cg_place_above(a->cg->place.path, &pool)) {
		char low[CG_FILE_MAX];
		cg_file_name(pool.path, "memory.low", low);
		r = file_poke(s->hi->base_fd, low, "max");
	}
	return r < 0 ? r : limit_put_text(a, s);
}

/* v1: limit L and memsw M, with L <= M after every write. */
static int plan_memory_v1(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	if (a->memory_planned)
		return 0; /* one plan for both rows */
	a->memory_planned = true;
	const char *limit = "memory.limit_in_bytes", *memsw = "memory.memsw.limit_in_bytes";
	int64_t memory = a->limits->memory_bytes, swap = a->limits->swap_bytes;
	int64_t old_l = UNITS_UNLIMITED, old_m = UNITS_UNLIMITED;
	bool accounted = limit_has_file(a, hi, memsw);
	int r = a->cg->fresh ? 0 : limit_read_number(a, hi, limit, &old_l);
	if (r == 0 && !a->cg->fresh && accounted)
		r = limit_read_number(a, hi, memsw, &old_m);
	if (r < 0)
		return r;

	int64_t old_swap = old_m == UNITS_UNLIMITED ? UNITS_UNLIMITED : old_m - old_l;
	int64_t new_l = memory == CG_UNSET ? old_l : memory;
	int64_t new_swap = swap == CG_UNSET ? old_swap : swap;
	int64_t new_m = accounted ? cg_memsw(new_l, new_swap) : old_m;
	if (swap != CG_UNSET && swap != UNITS_UNLIMITED && !accounted)
		limit_warn(a, "memory.swap of '%s' is not enforced: this kernel does not account swap", a->cg->name);
	else if (swap != CG_UNSET && swap != UNITS_UNLIMITED && new_l == UNITS_UNLIMITED)
		limit_warn(a, "memory.swap of '%s' is not enforced: on cgroup v1 it needs a memory.limit", a->cg->name);

	char text_l[CG_TEXT_MAX], text_m[CG_TEXT_MAX];
	if (cg_format_bytes_v1(new_l, text_l) < 0 || cg_format_bytes_v1(new_m, text_m) < 0)
		return -ERANGE;
	bool limit_first = new_l <= old_m;
	if (limit_first && new_l != old_l)
		r = limit_add_step(a, hi, "memory.limit", limit, new_l, text_l);
	if (r == 0 && new_m != old_m)
		r = limit_add_step(a, hi, memory == CG_UNSET ? "memory.swap" : "memory.limit", memsw, new_m, text_m);
	if (r == 0 && !limit_first && new_l != old_l)
		r = limit_add_step(a, hi, "memory.limit", limit, new_l, text_l);
	return r;
}

static int plan_swap_v2(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	int64_t swap = a->limits->swap_bytes;
	char text[CG_TEXT_MAX];
	if (limit_has_file(a, hi, "memory.swap.max"))
		return cg_format_max(swap, text) < 0 ?
			       -ERANGE :
			       limit_add_step(a, hi, "memory.swap", "memory.swap.max", swap, text);
	if (swap != UNITS_UNLIMITED)
		limit_warn(a, "memory.swap of '%s' is not enforced: this kernel does not account swap", a->cg->name);
	return 0;
}

/* Huge pages have a limit a size, for those in use and for those that are promised: mmap(2) fails already, instead of a SIGBUS
 * later. The kernel would take one below what is used, and end the VE's programs with it. */
static int plan_hugepages(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
#define FILES(size) \
	{ "hugetlb." size ".usage_in_bytes", "hugetlb." size ".limit_in_bytes", "hugetlb." size ".rsvd.limit_in_bytes" }, \
	{ "hugetlb." size ".current", "hugetlb." size ".max", "hugetlb." size ".rsvd.max" },
	static const char *const files[][3] = { CG_HUGEPAGE_SIZES(FILES) };
#undef FILES
	int64_t used, value = a->limits->hugepages_bytes;
	char text[CG_TEXT_MAX];
	int r = (hi->version == 1 ? cg_format_bytes_v1 : cg_format_max)(value, text);
	for (size_t i = (size_t)hi->version - 1; r == 0 && i < ARRAY_SIZE(files); i += 2) {
		const char *const *of = files[i];
		if (!limit_has_file(a, hi, of[1]))
			continue;
		if (!a->cg->fresh && limit_read_number(a, hi, of[0], &used) == 0 && used > value) {
			a->said = true;
			return limit_too_much_used(row->key, a->cg->name, used, a->ret_error);
		}
		r = limit_add_step(a, hi, row->key, of[1], value, text);
		if (r == 0)
			r = limit_add_step(a, hi, row->key, of[2], value, text);
	}
	return r;
}

/* CPUs that the host has, or all of them where none are named. */
static int parse_set(struct limit_apply *a, struct cg_cpus *ret_set)
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
static int plan_cpus(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi)
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
		limit_warn(a, "cpu.cores of '%s' is %" PRId64 ", %s %u: it gets all of them", a->cg->name, cores,
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
	return limit_add_step(a, hi, row->key, "cpuset.cpus", cores, list);
}

/* The burst goes before a quota that falls below it, else after. */
static int plan_burst(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	const char *file = hi->version == 1 ? "cpu.cfs_burst_us" : "cpu.max.burst";
	int64_t old = 0, burst = a->limits->cpu_burst_mc;
	char text[CG_TEXT_MAX];
	if (cg_format_burst(burst, text) < 0)
		return -ERANGE;
	int r = a->cg->fresh ? 0 : limit_read_number(a, hi, file, &old);
	if (r < 0)
		return r;
	r = limit_add_step(a, hi, row->key, file, burst, text);
	/* The step before it is the quota's, if that is written at all. */
	if (r == 0 && a->n > 1 && a->limits->cpu_limit_mc != CG_UNSET && str_eq(a->steps[a->n - 2].key, "cpu.limit") &&
	    burst * (LIMIT_PERIOD_US / 1000) < old) {
		struct limit_step last = a->steps[a->n - 1];
		a->steps[a->n - 1] = a->steps[a->n - 2];
		a->steps[a->n - 2] = last;
	}
	return r;
}

/* One value of a file that has a line for each disk. */
static int put_disk(struct limit_apply *a, struct limit_step *s)
{
	char path[CG_FILE_MAX];
	_cleanup_free_ char *all = NULL;
	cg_file_name(a->cg->place.path, s->file, path);
	int r = a->cg->fresh ? 0 : file_read(s->hi->base_fd, path, LIMIT_OLD_MAX, &all, NULL);
	if (r == 0 && all && !s->old)
		s->old = cg_io_old(s->hi->version, s->text, all);
	if (r == 0 && all && !s->old)
		r = -ENOMEM;
	return r < 0 ? r : file_poke(s->hi->base_fd, path, s->text);
}

int limit_no_disk(const char *name, const struct limit *row, ve_error **ret_error)
{
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENODEV, "cgroup",
			 "cannot set %s of '%s': its files are on no disk of this host's", row->key, name);
}

static int plan_io(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi)
{
	const struct cg_limits *l = a->limits;
	int64_t value;
	memcpy(&value, (const char *)l + row->field, sizeof(value));
	for (unsigned i = 0; i < l->n_disks; i++) {
		char text[CG_TEXT_MAX];
		int r = cg_io_format(hi->version, row->on[hi->version].detail, l->disks[i], value, text);
		if (r == 0)
			r = limit_add_step(a, hi, row->key, row->on[hi->version].file, value, text);
		if (r < 0)
			return r;
		a->steps[a->n - 1].put = put_disk;
	}
	if (l->n_disks == 0 && value != UNITS_UNLIMITED) {
		a->said = true;
		return limit_no_disk(a->cg->name, row, a->ret_error);
	}
	bool writes = strstr(row->key, "write") && value != UNITS_UNLIMITED && !a->said_writes;
	a->said_writes = a->said_writes || writes;
	if (writes && hi->version == 1)
		limit_warn(a, "io.write_* of '%s' holds direct and synchronous writing only: on cgroup v1 the kernel does not know "
			"whose data it writes back from its cache", a->cg->name);
	else if (writes && l->disks_unaccounted)
		limit_warn(a, "io.write_* of '%s' holds direct and synchronous writing only: this filesystem does not tell the kernel "
			"whose data is written back from its cache", a->cg->name);
	return 0;
}

/* Who shares a disk by weights is its scheduler, BFQ, or on v2 the controller io.cost. */
static int plan_io_weight(struct limit_apply *a, const struct limit *row, struct cg_hierarchy *hi)
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
		if (files[i].version != hi->version || !limit_has_file(a, hi, files[i].file))
			continue;
		any = true;
		int r = cg_format_number(value, text) < 0 ? -ERANGE : limit_add_step(a, hi, row->key, files[i].file, value, text);
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
		limit_warn(a, "io.weight of '%s' has no effect as yet: its disk is not scheduled by BFQ%s", a->cg->name,
		     hi->version == 2 ? ", and io.cost is not switched on for it" : "");
	return 0;
}

/* ---- the table ---- */

#define FIELD(f) offsetof(struct cg_limits, f)
/* A limit for each disk: v1 has a file a kind, v2 a word of one file's lines. */
#define DISKS(key, f, v1_file, v2_word)                                                      \
	{ key, FIELD(f), CG_IO, UNITS_UNLIMITED,                                             \
	  { [1] = { .file = "blkio.throttle." v1_file "_device", .plan = plan_io },          \
	    [2] = { .file = "io.max", .plan = plan_io, .detail = v2_word } } }

const struct limit limit_table[] = {
	{ "memory.limit", FIELD(memory_bytes), CG_MEMORY, UNITS_UNLIMITED,
	  { [1] = { .plan = plan_memory_v1 }, [2] = { "memory.max", cg_format_max, put_memory_max } } },
	{ "memory.swap", FIELD(swap_bytes), CG_MEMORY, UNITS_UNLIMITED,
	  { [1] = { .plan = plan_memory_v1 }, [2] = { .plan = plan_swap_v2 } } },
	/* v1's soft limit is no guarantee: it only says whom to reclaim from first, and those without one last. */
	{ "memory.guarantee", FIELD(memory_guarantee_bytes), CG_MEMORY, 0,
	  { [2] = { "memory.low", cg_format_max, put_memory_low } } },
	{ "memory.high", FIELD(memory_high_bytes), CG_MEMORY, UNITS_UNLIMITED,
	  { [2] = { "memory.high", cg_format_max } } },
	{ "memory.hugepages", FIELD(hugepages_bytes), CG_HUGETLB, UNITS_UNLIMITED,
	  { [1] = { .plan = plan_hugepages }, [2] = { .plan = plan_hugepages } }, .zero_wished = true },
	{ "pids.limit", FIELD(pids), CG_PIDS, UNITS_UNLIMITED,
	  { [1] = { "pids.max", cg_format_max }, [2] = { "pids.max", cg_format_max } } },
	{ "cpu.cores", FIELD(cpu_cores), CG_CPUSET, UNITS_UNLIMITED,
	  { [1] = { .plan = plan_cpus }, [2] = { .plan = plan_cpus } } },
	{ "cpu.set", LIMIT_NO_FIELD, CG_CPUSET, 0, { [1] = { .plan = plan_cpus }, [2] = { .plan = plan_cpus } } },
	{ "cpu.limit", FIELD(cpu_limit_mc), CG_CPU, UNITS_UNLIMITED,
	  { [1] = { "cpu.cfs_quota_us", cg_format_cfs_quota }, [2] = { "cpu.max", cg_format_cpu_max } } },
	{ "cpu.burst", FIELD(cpu_burst_mc), CG_CPU, 0, { [1] = { .plan = plan_burst }, [2] = { .plan = plan_burst } } },
	{ "cpu.weight", FIELD(cpu_weight), CG_CPU, 100,
	  { [1] = { "cpu.shares", cg_format_shares }, [2] = { "cpu.weight", cg_format_number } } },
	{ "io.weight", FIELD(io_weight), CG_IO, 100, { [1] = { .plan = plan_io_weight }, [2] = { .plan = plan_io_weight } } },
	DISKS("io.read_bps", io_read_bps, "read_bps", "rbps"),
	DISKS("io.write_bps", io_write_bps, "write_bps", "wbps"),
	DISKS("io.read_iops", io_read_iops, "read_iops", "riops"),
	DISKS("io.write_iops", io_write_iops, "write_iops", "wiops"),
};
const unsigned limit_n = ARRAY_SIZE(limit_table);

bool limit_is_of_disks(const struct limit *row, int version)
{
	return row->on[version].plan == plan_io;
}
