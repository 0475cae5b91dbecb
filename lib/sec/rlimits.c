/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan of resource limits: one table of defaults, as a freshly booted Debian gives them to its init's children,
 * then what the VE's own size says, then what this process may set at all, then the overrides.
 */
#include "sec/rlimits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "sys/privilege.h"

#define INF RLIM_INFINITY
#define MIB ((rlim_t)1 << 20)

/* nproc counts what pids.limit counts, and those who enter besides: these many may. */
enum { NPROC_ABOVE_PIDS = 1024, SIGPENDING_LEAST = 4096, SIGPENDING_UNLIMITED = 65536, CORE_FENCED = 1 };

static const struct row {
	const char *name;
	int resource;
	bool bytes; /* the unit of an override */
	struct rlimit def;
} rows[] = {
	{ "as", RLIMIT_AS, true, { INF, INF } },
	{ "core", RLIMIT_CORE, true, { 0, INF } },
	{ "cpu", RLIMIT_CPU, false, { INF, INF } },
	{ "data", RLIMIT_DATA, true, { INF, INF } },
	{ "fsize", RLIMIT_FSIZE, true, { INF, INF } },
	{ "locks", RLIMIT_LOCKS, false, { INF, INF } },
	{ "memlock", RLIMIT_MEMLOCK, true, { INF, INF } }, /* sized by size_to_ve() */
	/* Sixteen users' worth of a booted system: it bounds the VE as a whole, and the messages are charged to
	 * memory.limit besides. */
	{ "msgqueue", RLIMIT_MSGQUEUE, true, { 16 * 819200, 16 * 819200 } },
	{ "nice", RLIMIT_NICE, false, { 0, 0 } },
	/* The soft limit stays 1024 for select(2); what can do more raises it itself. */
	{ "nofile", RLIMIT_NOFILE, false, { 1024, 524288 } },
	{ "nproc", RLIMIT_NPROC, false, { INF, INF } }, /* sized by size_to_ve() */
	{ "rss", RLIMIT_RSS, true, { INF, INF } },
	{ "rtprio", RLIMIT_RTPRIO, false, { 0, 0 } },
	{ "rttime", RLIMIT_RTTIME, false, { INF, INF } },
	{ "sigpending", RLIMIT_SIGPENDING, false, { SIGPENDING_UNLIMITED, SIGPENDING_UNLIMITED } },
	{ "stack", RLIMIT_STACK, true, { 8 * MIB, INF } },
};
_Static_assert(ARRAY_SIZE(rows) == RLIMITS_MAX && RLIMITS_MAX == (int)RLIM_NLIMITS,
	       "every limit of the kernel has a row");

static int row_index(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_eq(rows[i].name, name))
			return (int)i;
	return -1;
}

static struct rlimit *limit_of(struct rlimit_value *values, int resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].resource == resource)
			return &values[i].limit;
	return NULL;
}

bool rlimits_core_leaves_ve(const char *pattern, int suid_dumpable)
{
	/* A pipe starts a program, a socket (6.16) talks to one. With suid_dumpable=2 an absolute path is opened
	 * below the root of the host's init, with the host's uid 0. */
	return pattern[0] == '|' || pattern[0] == '@' || (pattern[0] == '/' && suid_dumpable == 2);
}

/* What cannot be read counts as the worse case. */
static bool core_needs_fence(void)
{
	char pattern[256], dumpable[16];
	if (file_read_line(AT_FDCWD, "/proc/sys/kernel/core_pattern", pattern, sizeof(pattern)) < 0)
		return true;
	int r = file_read_line(AT_FDCWD, "/proc/sys/fs/suid_dumpable", dumpable, sizeof(dumpable));
	return rlimits_core_leaves_ve(pattern, r < 0 ? 2 : atoi(dumpable));
}

/* The defaults that follow from the VE's own size. */
static void size_to_ve(struct rlimit_value *values, int64_t pids_limit, int64_t memory_limit)
{
	if (pids_limit != UNITS_UNLIMITED && pids_limit >= 0) {
		rlim_t nproc = (rlim_t)pids_limit + NPROC_ABOVE_PIDS;
		rlim_t pending = nproc > SIGPENDING_LEAST ? nproc : SIGPENDING_LEAST;
		*limit_of(values, RLIMIT_NPROC) = (struct rlimit){ nproc, nproc };
		*limit_of(values, RLIMIT_SIGPENDING) = (struct rlimit){ pending, pending };
	}
	/* Locked pages are charged to memory.limit like others: a lower bound would only surprise. */
	if (memory_limit != UNITS_UNLIMITED && memory_limit >= 0)
		*limit_of(values, RLIMIT_MEMLOCK) = (struct rlimit){ (rlim_t)memory_limit, (rlim_t)memory_limit };
	if (core_needs_fence())
		*limit_of(values, RLIMIT_CORE) = (struct rlimit){ CORE_FENCED, CORE_FENCED };
}

/* What setrlimit(2) would let this process set. */
struct bounds {
	bool may_raise; /* CAP_SYS_RESOURCE */
	rlim_t nr_open; /* no hard limit of open files goes above it, whoever asks */
};

static struct bounds bounds_get(void)
{
	struct bounds b = { .may_raise = privilege_held(PRIVILEGE_RESOURCE), .nr_open = 1048576 };
	char text[32];
	if (file_read_line(AT_FDCWD, "/proc/sys/fs/nr_open", text, sizeof(text)) > 0)
		b.nr_open = strtoull(text, NULL, 10);
	return b;
}

/* The highest hard limit that this process can give. */
static rlim_t highest_hard(const struct bounds *b, int resource)
{
	struct rlimit now = { INF, INF };
	if (!b->may_raise)
		getrlimit((__rlimit_resource_t)resource, &now);
	return resource == RLIMIT_NOFILE && b->nr_open < now.rlim_max ? b->nr_open : now.rlim_max;
}

static void clamp(const struct bounds *b, struct rlimit_value *v)
{
	rlim_t highest = highest_hard(b, v->resource);
	if (v->limit.rlim_max > highest)
		v->limit.rlim_max = highest;
	if (v->limit.rlim_cur > v->limit.rlim_max)
		v->limit.rlim_cur = v->limit.rlim_max;
}

static int refuse_name(const char *name, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(name);
	int r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "rlimits", "there is no resource limit 'rlimits.%s'",
			  quoted ?: "?");
	const char *best = NULL;
	unsigned nearest = 3;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned d = str_distance(name, rows[i].name, nearest);
		if (d < nearest) {
			nearest = d;
			best = rows[i].name;
		}
	}
	if (best)
		err_hint(ret_error, "did you mean 'rlimits.%s'?", best);
	return r;
}

static int parse_one(const struct row *row, const char *text, rlim_t *ret, ve_error **ret_error)
{
	if (str_eq(text, "unlimited")) {
		*ret = INF;
		return 0;
	}
	int64_t value;
	_cleanup_err_ ve_error *why = NULL;
	int r = units_parse(row->bytes ? UNIT_BYTES : UNIT_NONE, text, &value, &why);
	if (r < 0 || value < 0) {
		_cleanup_free_ char *quoted = str_quote(text);
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "rlimits", "rlimits.%s: '%s' is not a limit: %s",
				 row->name, quoted ?: "?", why ? ve_error_message(why) : "it is below 0");
	}
	*ret = value == UNITS_UNLIMITED ? INF : (rlim_t)value;
	return 0;
}

/* "SOFT[:HARD]"; one value is both. */
static int parse_pair(const struct row *row, const char *text, struct rlimit *ret, ve_error **ret_error)
{
	const char *colon = strchr(text, ':');
	_cleanup_free_ char *soft = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	if (!soft)
		return err_nomem(ret_error);
	int r = parse_one(row, soft, &ret->rlim_cur, ret_error);
	if (r == 0)
		r = parse_one(row, colon ? colon + 1 : soft, &ret->rlim_max, ret_error);
	if (r < 0)
		return r;
	if (ret->rlim_cur > ret->rlim_max)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "rlimits",
				 "rlimits.%s: the soft limit of '%s' is above the hard one", row->name, text);
	return 0;
}

static int check_reach(const struct bounds *b, const struct row *row, const struct rlimit *limit,
		       ve_error **ret_error)
{
	rlim_t highest = highest_hard(b, row->resource);
	if (limit->rlim_max <= highest)
		return 0;
	if (row->resource == RLIMIT_NOFILE && highest == b->nr_open)
		return err_plain(ret_error, VE_ERR_CONFIG, EPERM, "rlimits",
				 "rlimits.nofile: the host allows no more than %llu open files (fs.nr_open)",
				 (unsigned long long)highest);
	_cleanup_free_ char *most = units_format(row->bytes ? UNIT_BYTES : UNIT_NONE, (int64_t)highest);
	int r = err_plain(ret_error, VE_ERR_PERMISSION, EPERM, "rlimits",
			  "rlimits.%s: this process may not raise its own hard limit of %s", row->name, most ?: "?");
	err_hint(ret_error, "it lacks the capability SYS_RESOURCE; start vectl with the limit wanted, or lower the key");
	return r;
}

static int override_one(const struct bounds *b, const char *name, const char *text, struct rlimit_value *values,
			ve_error **ret_error)
{
	int i = row_index(name);
	if (i < 0)
		return refuse_name(name, ret_error);
	struct rlimit limit;
	int r = parse_pair(&rows[i], text, &limit, ret_error);
	if (r == 0)
		r = check_reach(b, &rows[i], &limit, ret_error);
	if (r == 0)
		values[i].limit = limit;
	return r;
}

/* At nproc even the exec of whoever enters fails: a full VE must be full by pids.limit, which entering passes. */
static int check_nproc(int64_t pids_limit, struct rlimit_value *values, ve_error **ret_error)
{
	if (pids_limit == UNITS_UNLIMITED || limit_of(values, RLIMIT_NPROC)->rlim_cur > (rlim_t)pids_limit)
		return 0;
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "rlimits",
			 "rlimits.nproc must be above pids.limit (%lld), else nobody could enter the VE when it is full",
			 (long long)pids_limit);
}

static bool is_overridden(const char *name, const char *const *overrides)
{
	for (; overrides && overrides[0] && overrides[1]; overrides += 2)
		if (str_eq(overrides[0], name))
			return true;
	return false;
}

static int override_all(const struct bounds *b, int64_t pids_limit, const char *const *overrides,
			struct rlimit_value *values, ve_error **ret_error)
{
	int r = 0;
	for (; r == 0 && overrides && overrides[0] && overrides[1]; overrides += 2) {
		r = override_one(b, overrides[0], overrides[1], values, ret_error);
		if (r == 0 && str_eq(overrides[0], "nproc"))
			r = check_nproc(pids_limit, values, ret_error);
	}
	return r;
}

int rlimits_plan(int64_t pids_limit, int64_t memory_limit, const char *const *overrides,
		 struct rlimit_value ret_values[RLIMITS_MAX], ve_error **ret_error)
{
	struct rlimit_value values[RLIMITS_MAX];
	struct bounds b = bounds_get();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		values[i] = (struct rlimit_value){ rows[i].resource, rows[i].def };
	size_to_ve(values, pids_limit, memory_limit);
	bool fenced = rlimits_core_is_fenced(values, RLIMITS_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		clamp(&b, &values[i]);
	/* A hard limit of 0 that this process cannot raise would let a crash in the VE reach the host. */
	if (fenced && !rlimits_core_is_fenced(values, RLIMITS_MAX) && !is_overridden("core", overrides))
		return err_plain(ret_error, VE_ERR_PERMISSION, EPERM, "rlimits",
				 "core dumps of the VE would reach the host, and this process may not raise its hard "
				 "limit of core files to the 1 that prevents it");
	int r = override_all(&b, pids_limit, overrides, values, ret_error);
	if (r < 0)
		return r;
	memcpy(ret_values, values, sizeof(values));
	return RLIMITS_MAX;
}

bool rlimits_is_frozen(int resource)
{
	return resource == RLIMIT_NPROC || resource == RLIMIT_MEMLOCK || resource == RLIMIT_MSGQUEUE ||
	       resource == RLIMIT_SIGPENDING || resource == RLIMIT_CORE;
}

bool rlimits_core_is_fenced(const struct rlimit_value *values, int n_values)
{
	for (int i = 0; i < n_values; i++)
		if (values[i].resource == RLIMIT_CORE)
			return values[i].limit.rlim_max == CORE_FENCED;
	return false;
}
