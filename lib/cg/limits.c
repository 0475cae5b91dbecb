/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits are applied: cg_apply() first plans all writes, by the table in limit_table.c, then does them in order; one that is
 * refused takes the earlier ones back. What is set is written, nothing else: a group just made has the kernel's defaults, and
 * a value that is the default is not written into it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/limit.h"
#include "model/units.h"

/* ---- steps ---- */

static void apply_done(struct limit_apply *a)
{
	for (int i = 0; i < a->n; i++) {
		free(a->steps[i].text);
		free(a->steps[i].old);
	}
}

void limit_warn(struct limit_apply *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *sentence = a->warn ? str_vprintf(fmt, ap) : NULL;
	va_end(ap);
	if (sentence)
		a->warn(sentence, a->data);
}

int limit_put_text(struct limit_apply *a, struct limit_step *s)
{
	char path[CG_FILE_MAX];
	cg_file_name(a->cg->place.path, s->file, path);
	int r = a->cg->fresh || s->old ? 0 : file_read(s->hi->base_fd, path, LIMIT_OLD_MAX, &s->old, NULL);
	return r < 0 ? r : file_poke(s->hi->base_fd, path, s->text);
}

int limit_add_step(struct limit_apply *a, struct cg_hierarchy *hi, const char *key, const char *file, int64_t value,
		   const char *text)
{
	char *copy = strdup(text);
	if (!copy || a->n == LIMIT_STEPS_MAX) {
		free(copy);
		return -ENOMEM;
	}
	a->steps[a->n++] =
		(struct limit_step){ .hi = hi, .key = key, .file = file, .value = value, .text = copy, .put = limit_put_text };
	return 0;
}

bool limit_has_file(struct limit_apply *a, struct cg_hierarchy *hi, const char *file)
{
	char path[CG_FILE_MAX];
	cg_file_name(a->cg->place.path, file, path);
	return faccessat(hi->base_fd, path, F_OK, 0) == 0;
}

int limit_read_number(struct limit_apply *a, struct cg_hierarchy *hi, const char *file, int64_t *ret_value)
{
	enum { PAGE = 4096 };
	char path[CG_FILE_MAX], text[32];
	cg_file_name(a->cg->place.path, file, path);
	int r = file_read_line(hi->base_fd, path, text, sizeof(text));
	if (r < 0)
		return r;
	int64_t value = str_eq(text, "max") ? UNITS_UNLIMITED : strtoll(text, NULL, 10);
	*ret_value = value >= INT64_MAX - 16 * PAGE ? UNITS_UNLIMITED : value;
	return 0;
}

/* ---- values ---- */

/* What ROW is to become; CG_UNSET: nothing. */
static int64_t value_of(const struct cg_limits *l, const struct limit *row)
{
	int64_t value;
	if (row->field == LIMIT_NO_FIELD)
		return l->cpu_set ? *l->cpu_set != '\0' : CG_UNSET; /* 0, the kernel's default: all CPUs */
	memcpy(&value, (const char *)l + row->field, sizeof(value));
	return value;
}

static void put_value(struct cg_limits *l, const struct limit *row, int64_t value)
{
	if (row->field == LIMIT_NO_FIELD)
		l->cpu_set = value == CG_UNSET ? NULL : "";
	else
		memcpy((char *)l + row->field, &value, sizeof(value));
}

void cg_limits_init(struct cg_limits *l)
{
	*l = (struct cg_limits){ 0 };
	for (unsigned i = 0; i < limit_n; i++)
		put_value(l, &limit_table[i], CG_UNSET);
}

static bool same(const struct cg_limits *a, const struct cg_limits *b, const struct limit *row)
{
	if (row->field == LIMIT_NO_FIELD)
		return str_eq(a->cpu_set ? a->cpu_set : "", b->cpu_set ? b->cpu_set : "");
	return value_of(a, row) == value_of(b, row);
}

bool cg_limits_change(const struct cg_limits *from, const struct cg_limits *to, struct cg_limits *ret_change)
{
	struct cg_limits c = *to;
	bool any = false, cpus = false;
	for (unsigned i = 0; i < limit_n; i++) {
		const struct limit *row = &limit_table[i];
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

static int plan_row(struct limit_apply *a, const struct limit *row, int64_t value, struct cg_hierarchy *hi)
{
	if (row->on[hi->version].plan)
		return row->on[hi->version].plan(a, row, hi);
	char text[CG_TEXT_MAX];
	int r = row->on[hi->version].format(value, text);
	if (r == 0)
		r = limit_add_step(a, hi, row->key, row->on[hi->version].file, value, text);
	if (r == 0 && row->on[hi->version].put)
		a->steps[a->n - 1].put = row->on[hi->version].put;
	return r;
}

/* Taken all the same: the VE may move to a larger host, and the limit does no harm. */
static void warn_above_host(struct limit_apply *a)
{
	struct sysinfo host;
	int64_t memory = a->limits->memory_bytes, cpu = a->limits->cpu_limit_mc;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (memory != CG_UNSET && memory != UNITS_UNLIMITED && sysinfo(&host) == 0 &&
	    memory > (int64_t)host.totalram * host.mem_unit)
		limit_warn(a, "memory.limit of '%s' is %" PRId64 " MiB, the host has %" PRId64 " MiB", a->cg->name, memory >> 20,
		     (int64_t)host.totalram * host.mem_unit >> 20);
	if (cpu != CG_UNSET && cpu != UNITS_UNLIMITED && cpu > cpus * 1000)
		limit_warn(a, "cpu.limit of '%s' is more than the host's %ld CPUs", a->cg->name, cpus);
}

/* A VE of an earlier version, or one that was made without, has no group in v1's blkio. */
static int no_group(struct limit_apply *a, const struct limit *row, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_STATE, ENOENT, "cgroup",
			  "cannot set %s of '%s' while it runs: it was started without a group for it", row->key, a->cg->name);
	err_hint(ret_error, "--pending writes it for the next start, --restart restarts '%s' now", a->cg->name);
	return r;
}

static int plan(struct limit_apply *a, ve_error **ret_error)
{
	warn_above_host(a);
	for (unsigned i = 0; i < limit_n; i++) {
		const struct limit *row = &limit_table[i];
		int64_t value = value_of(a->limits, row);
		struct cg_hierarchy *hi = cg_hierarchy_of(a->cg->host, row->controller);
		/* v2 has a controller only where the group above hands it on. */
		if (hi && ((hi->base_fd < 0 && !cg_is_optional(hi)) || !(hi->controllers & CG_BIT(row->controller))))
			hi = NULL;
		bool possible = is_possible(row, hi);
		if (value == CG_UNSET || (value == row->neutral && a->cg->fresh) || (!possible && limit_is_moot(row, value)))
			continue;
		if (!possible)
			return unsupported(a->cg->name, row, hi, ret_error);
		if (cg_is_optional(hi) && !limit_has_file(a, hi, "cgroup.procs"))
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

/* v1 throttles the groups of a hierarchy each by itself: a limit on one holds nothing in those below it. */
static int not_shared(const char *pool, const struct limit *row, ve_error **ret_error)
{
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "cgroup",
			 "cannot set %s of the pool '%s': the io controller is on cgroup v1 here, where VEs cannot share it", row->key,
			 pool);
}

static int check_limits(struct cg_host *h, const char *name, bool pool, const struct cg_limits *l, ve_error **ret_error)
{
	for (unsigned i = 0; i < limit_n; i++) {
		int64_t value = value_of(l, &limit_table[i]);
		struct cg_hierarchy *hi = cg_hierarchy_of(h, limit_table[i].controller);
		if (value != CG_UNSET && !limit_is_moot(&limit_table[i], value) && !is_possible(&limit_table[i], hi))
			return unsupported(name, &limit_table[i], hi, ret_error);
		if (value != CG_UNSET && value != limit_table[i].neutral && pool && hi->version == 1 &&
		    limit_is_of_disks(&limit_table[i], hi->version))
			return not_shared(name, &limit_table[i], ret_error);
		if (value != CG_UNSET && value != limit_table[i].neutral && l->n_disks == 0 && limit_is_of_disks(&limit_table[i], hi->version))
			return limit_no_disk(name, &limit_table[i], ret_error);
	}
	return 0;
}

int cg_check_limits(struct cg_host *h, const char *name, const struct cg_limits *l, ve_error **ret_error)
{
	return check_limits(h, name, false, l, ret_error);
}

int cg_pool_check_limits(struct cg_host *h, const char *pool, const struct cg_limits *l, ve_error **ret_error)
{
	return check_limits(h, pool, true, l, ret_error);
}

/* ---- the execution ---- */

int limit_too_much_used(const char *key, const char *name, int64_t used, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_STATE, EBUSY, "cgroup",
			  "cannot lower %s of '%s': %" PRId64 " MiB are in use and cannot be reclaimed", key, name, used >> 20);
	err_hint(ret_error, "end something inside, or write it for the next start with --pending");
	return r;
}

/* v2 takes the lesser of two; v1 gives no group more CPU time than the one above it has. */
static int above_pool(struct limit_apply *a, ve_error **ret_error)
{
	const char *name = a->cg->name;
	int r = cg_is_pool(a->cg) ?
			err_plain(ret_error, VE_ERR_STATE, EINVAL, "cgroup",
				  "cannot set cpu.limit of '%s': one of its VEs has more, which cgroup v1 does not take", name) :
			err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "cgroup",
				  "cannot set cpu.limit of '%s': its pool has less, which cgroup v1 does not take", name);
	err_hint(ret_error, "give no VE of the pool a cpu.limit above the pool's");
	return r;
}

static int refused(struct limit_apply *a, struct limit_step *s, int r, ve_error **ret_error)
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
	if (v1 && r == -EINVAL && str_eq(s->key, "cpu.limit") && a->cg->place.path[0] == CG_POOL_MARK)
		return above_pool(a, ret_error);
	if (r == -EBUSY && str_starts(s->key, "memory.") &&
	    limit_read_number(a, s->hi, v1 ? "memory.usage_in_bytes" : "memory.current", &used) == 0)
		return limit_too_much_used(s->key, name, used, ret_error);
	return err_sys(ret_error, -r, "cgroup", "cannot set %s of '%s': the kernel refused '%s' for '%s'", s->key,
		       name, s->text, s->file);
}

static int execute(struct limit_apply *a, ve_error **ret_error)
{
	for (int i = 0; i < a->n; i++) {
		int r = a->steps[i].put(a, &a->steps[i]);
		if (r == 0)
			continue;
		r = refused(a, &a->steps[i], r, ret_error);
		while (--i >= 0)
			if (a->steps[i].old) {
				char path[CG_FILE_MAX];
				cg_file_name(a->cg->place.path, a->steps[i].file, path);
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
	struct limit_apply *a = calloc(1, sizeof(*a));
	if (!a)
		return err_nomem(ret_error);
	*a = (struct limit_apply){ .cg = cg, .limits = l, .warn = warn_fn, .data = data, .ret_error = ret_error };
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
