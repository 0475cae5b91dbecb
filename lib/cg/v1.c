/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Back end for one v1 hierarchy: BASE/NAME, the host's own, nothing below it.
 *
 * As keeper (only where no cgroup2 is mounted) the freezer does what cgroup.freeze and cgroup.kill do, and
 * v1's device controller what the BPF program does.
 *
 * memory.use_hierarchy is not touched: every kernel since 5.11 has it always on.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

enum { LIST_MAX = 65536 };

/* A cpuset without CPUs or memory nodes takes no process in (ENOSPC), and a new v1 cpuset has neither. */
static int fill_cpuset_file(struct cg_hierarchy *hi, const char *file)
{
	_cleanup_free_ char *own = NULL, *parents = NULL;
	int r = file_read(hi->base_fd, file, LIST_MAX, &own, NULL);
	if (r < 0 || own[strspn(own, " \n")])
		return r;
	r = file_read(hi->parent_fd, file, LIST_MAX, &parents, NULL);
	return r < 0 ? r : file_poke(hi->base_fd, file, parents);
}

static int v1_prepare_base(struct cg_host *h, struct cg_hierarchy *hi, ve_error **ret_error)
{
	if (!(hi->controllers & CG_BIT(CG_CPUSET)))
		return 0;
	int r = fill_cpuset_file(hi, "cpuset.cpus");
	if (r == 0)
		r = fill_cpuset_file(hi, "cpuset.mems");
	/* From here on the kernel fills each VE's group as it is made. */
	if (r == 0)
		r = file_poke(hi->base_fd, "cgroup.clone_children", "1");
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot give CPUs to the cgroup '%s' in '%s'", h->base,
			       hi->path) :
		       0;
}

static int v1_make(struct cg *cg, struct cg_hierarchy *hi, uid_t owner, ve_error **ret_error)
{
	if (mkdirat(hi->base_fd, cg->place.path, 0755) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	return err_sys(ret_error, errno, "cgroup", "cannot make the cgroup '%s/%s' in '%s'", cg->host->base,
		       cg->place.path, hi->path);
}

/* The CPUs and memory nodes it gets from BASE, as a VE's group does. */
static int v1_make_pool(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = v1_make(cg, hi, 0, ret_error);
	return r == -EEXIST ? 0 : r;
}

static int v1_remove(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = cg_tree_remove(hi->base_fd, cg->place.path);
	if (r == 0 || r == -EBUSY)
		return r;
	return err_sys(ret_error, -r, "cgroup", "cannot remove the cgroup '%s/%s' in '%s'", cg->host->base,
		       cg->place.path, hi->path);
}

static int v1_attach(struct cg *cg, struct cg_hierarchy *hi, pid_t pid, ve_error **ret_error)
{
	char path[CG_FILE_MAX], text[16];
	cg_file_name(cg->place.path, "cgroup.procs", path);
	snprintf(text, sizeof(text), "%d", (int)pid);
	int r = hi->base_fd < 0 ? -ENOENT : file_poke(hi->base_fd, path, text);
	if (r == -ENOENT && cg_is_optional(hi))
		return 0; /* nor is the rest of the VE in one */
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot move process %d into the cgroup '%s/%s' in '%s'",
			       (int)pid, cg->host->base, cg->place.path, hi->path) :
		       0;
}

static bool v1_is_populated(const struct cg *cg, const struct cg_hierarchy *hi)
{
	char path[CG_FILE_MAX], text[16];
	cg_file_name(cg->place.path, "cgroup.procs", path);
	return file_read_line(hi->base_fd, path, text, sizeof(text)) > 0;
}

static bool state_is(const struct cg *cg, const struct cg_hierarchy *hi, const char *wanted)
{
	char path[CG_FILE_MAX], text[16];
	cg_file_name(cg->place.path, "freezer.state", path);
	return file_read_line(hi->base_fd, path, text, sizeof(text)) > 0 && str_eq(text, wanted);
}

static bool v1_is_frozen(const struct cg *cg, const struct cg_hierarchy *hi)
{
	return state_is(cg, hi, "FROZEN");
}

/* The freezer signals each task once when told to, and whoever forked meanwhile when asked for the state: asking
 * again is what moves it on. */
static int freezer_set(struct cg *cg, struct cg_hierarchy *hi, bool frozen)
{
	char path[CG_FILE_MAX];
	cg_file_name(cg->place.path, "freezer.state", path);
	const char *state = frozen ? "FROZEN" : "THAWED";
	int64_t deadline = clock_ms() + CG_DEADLINE_MS;
	unsigned pause_us = 0;
	do {
		int r = file_poke(hi->base_fd, path, state);
		if (r < 0)
			return r;
		if (state_is(cg, hi, state))
			return 0;
	} while (cg_pause(deadline, &pause_us));
	return -ETIMEDOUT;
}

static int v1_freeze(struct cg *cg, struct cg_hierarchy *hi, bool frozen, ve_error **ret_error)
{
	int r = freezer_set(cg, hi, frozen);
	if (r == 0)
		return 0;
	if (frozen)
		freezer_set(cg, hi, false);
	return err_sys(ret_error, -r, "cgroup", "cannot %s the processes of '%s'", frozen ? "freeze" : "thaw",
		       cg->name);
}

static int kill_listed(struct cg *cg, struct cg_hierarchy *hi)
{
	char path[CG_FILE_MAX];
	cg_file_name(cg->place.path, "cgroup.procs", path);
	_cleanup_free_ char *text = NULL;
	int r = file_read(hi->base_fd, path, (size_t)64 << 20, &text, NULL);
	if (r < 0)
		return r;
	for (char *p = text, *end; *p; p = end + (*end == '\n')) {
		long pid = strtol(p, &end, 10);
		if (end == p)
			break;
		if (pid > 1) /* 0 is a process of a foreign pid namespace, and kill(0) our own group */
			kill((pid_t)pid, SIGKILL);
	}
	return 0;
}

/* Frozen tasks neither fork nor end, so that the list is whole and no number in it is used again before the
 * kill; the kill takes effect with the thaw. */
static int v1_kill(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	freezer_set(cg, hi, true); /* in vain with a task that sleeps in the kernel: kill what can be killed */
	int r = kill_listed(cg, hi);
	int thawed = freezer_set(cg, hi, false);
	r = r < 0 ? r : thawed;
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot kill the processes of '%s'", cg->name) : 0;
}

static int v1_wait_empty(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int64_t deadline = clock_ms() + CG_DEADLINE_MS;
	unsigned pause_us = 0;
	while (v1_is_populated(cg, hi))
		if (!cg_pause(deadline, &pause_us))
			return err_sys(ret_error, ETIMEDOUT, "cgroup",
				       "processes of '%s' are still there after %d s", cg->name,
				       CG_DEADLINE_MS / 1000);
	return 0;
}

static int v1_filter_devices(struct cg *cg, struct cg_hierarchy *keeper, const struct cg_device *rules, unsigned n,
			     ve_error **ret_error)
{
	struct cg_hierarchy *hi = cg_hierarchy_of(cg->host, CG_DEVICES);
	if (!hi)
		return err_plain(
			ret_error, VE_ERR_UNSUPPORTED, ENOENT, "devices",
			"no device filter for '%s': neither cgroup2 nor v1's devices controller is mounted",
			cg->name);
	char path[CG_FILE_MAX], text[64];
	cg_file_name(cg->place.path, "devices.deny", path);
	int r = file_poke(hi->base_fd, path, "a");
	cg_file_name(cg->place.path, "devices.allow", path);
	for (unsigned i = 0; i < n && r == 0; i++) {
		if (rules[i].minor < 0)
			snprintf(text, sizeof(text), "%c %" PRIu32 ":* rwm", rules[i].type, rules[i].major);
		else
			snprintf(text, sizeof(text), "%c %" PRIu32 ":%" PRId64 " %s", rules[i].type, rules[i].major, rules[i].minor,
				 rules[i].readonly ? "r" : "rwm");
		r = file_poke(hi->base_fd, path, text);
	}
	return r < 0 ? err_sys(ret_error, -r, "devices", "cannot set the device filter of '%s'", cg->name) : 0;
}

const struct cg_backend cg_backend_v1 = {
	.prepare_base = v1_prepare_base,
	.make = v1_make,
	.make_pool = v1_make_pool,
	.remove = v1_remove,
	.attach = v1_attach,
	.is_populated = v1_is_populated,
	.freeze = v1_freeze,
	.is_frozen = v1_is_frozen,
	.kill = v1_kill,
	.wait_empty = v1_wait_empty,
	.filter_devices = v1_filter_devices,
};
