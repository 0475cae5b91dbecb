/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The groups of one VE over all hierarchies: made, opened, entered, removed.
 *
 * The keeper's group is made first and removed last: while it is there, the rest may be. Which functions do the
 * work is each hierarchy's back end's matter (backend.h).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

#define MONITOR ".monitor"

struct cg_hierarchy *cg_in_order(struct cg_host *h, int i)
{
	int at = h->keeper < 0 ? i : i == 0 ? h->keeper : i <= h->keeper ? i - 1 : i;
	struct cg_hierarchy *hi = &h->hierarchies[at];
	return hi->used ? hi : NULL;
}

static struct cg_hierarchy *keeper(const struct cg *cg)
{
	return &cg->host->hierarchies[cg->host->keeper];
}

struct cg *cg_new(struct cg_host *h, const char *path)
{
	struct cg *cg = calloc(1, sizeof(*cg));
	if (!cg)
		return NULL;
	cg->host = h;
	cg->group_fd = cg->guest_fd = -1;
	snprintf(cg->place.path, sizeof(cg->place.path), "%s", path);
	const char *below = strrchr(path, '/');
	snprintf(cg->name, sizeof(cg->name), "%s", below ? below + 1 : path + (path[0] == CG_POOL_MARK));
	for (int i = 0; i < CG_MAX_HIERARCHIES; i++)
		cg->tasks_fd[i] = -1;
	return cg;
}

void cg_freep(struct cg **cg)
{
	cg_free(*cg);
}

void cg_free(struct cg *cg)
{
	if (!cg)
		return;
	for (int i = 0; i < CG_MAX_HIERARCHIES; i++)
		close_fd(&cg->tasks_fd[i]);
	close_fd(&cg->guest_fd);
	close_fd(&cg->group_fd);
	free(cg);
}

/* Opens NAME and its guest on cgroup2. The guest may be missing: a create was interrupted. */
static int open_groups(struct cg *cg)
{
	struct cg_host *h = cg->host;
	int fd = file_opendir(h->hierarchies[h->v2].base_fd, cg->place.path);
	if (fd < 0)
		return fd;
	close_fd(&cg->group_fd);
	cg->group_fd = fd;
	fd = file_opendir(cg->group_fd, "guest");
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	close_fd(&cg->guest_fd);
	cg->guest_fd = fd;
	return 0;
}

/* ---- making ---- */

static void remove_all(struct cg *cg)
{
	for (int i = cg->host->n - 1; i >= 0; i--) {
		struct cg_hierarchy *hi = cg_in_order(cg->host, i);
		if (hi && hi->base_fd >= 0)
			hi->backend->remove(cg, hi, NULL);
	}
}

/* Groups of that name are there. What an interrupted verb left is empty, and goes; a running VE is not touched. */
static int clear_leftover(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = hi->version == 2 ? open_groups(cg) : 0;
	if (r == 0 && hi->backend->is_populated(cg, hi))
		r = -EBUSY;
	if (r == 0)
		r = hi->backend->remove(cg, hi, ret_error);
	if (hi->version == 2) { /* they were the leftover's */
		close_fd(&cg->guest_fd);
		close_fd(&cg->group_fd);
	}
	if (r == -EBUSY)
		return err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "cgroup",
				 "a cgroup '%s/%s' with processes in it exists already in '%s'", cg->host->base,
				 cg->place.path, hi->path);
	return r == -ENOENT ? 0 : r;
}

static int make_in(struct cg *cg, struct cg_hierarchy *hi, uid_t owner, ve_error **ret_error)
{
	int r = cg_base(cg->host, hi, true, ret_error);
	if (r < 0)
		return r;
	r = hi->backend->make(cg, hi, owner, ret_error);
	if (r != -EEXIST)
		return r;
	r = clear_leftover(cg, hi, ret_error);
	if (r < 0)
		return r;
	r = hi->backend->make(cg, hi, owner, ret_error);
	return r == -EEXIST ? err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "cgroup",
					"the cgroup '%s/%s' exists already", cg->host->base, cg->place.path) :
			      r;
}

int cg_create_lean(struct cg_host *h, const char *path, uid_t owner, unsigned without, struct cg **ret_cg, ve_error **ret_error)
{
	int r = cg_place_check(path, ret_error);
	if (r < 0)
		return r;
	if (h->keeper < 0)
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "cgroup",
				 "neither cgroup2 nor v1's freezer is mounted: a VE could not be killed");
	_cleanup_cg_ struct cg *cg = cg_new(h, path);
	if (!cg)
		return err_nomem(ret_error);
	cg->fresh = true;
	cg->without = (without & CG_WITHOUT_IO ? CG_BIT(CG_IO) : 0) | (without & CG_WITHOUT_CPUSET ? CG_BIT(CG_CPUSET) : 0);
	for (int i = 0; i < h->n && r == 0; i++) {
		struct cg_hierarchy *hi = cg_in_order(h, i);
		if (hi && !cg_is_spared(cg, hi))
			r = make_in(cg, hi, owner, ret_error);
	}
	if (r < 0) {
		if (r != -EEXIST) /* then they are somebody's */
			remove_all(cg);
		return r;
	}
	*ret_cg = steal_ptr(&cg);
	return 0;
}

int cg_create(struct cg_host *h, const char *path, uid_t owner, struct cg **ret_cg, ve_error **ret_error)
{
	return cg_create_lean(h, path, owner, 0, ret_cg, ret_error);
}

/* ---- opening ---- */

static bool exists_in(struct cg_host *h, struct cg_hierarchy *hi, const char *name)
{
	return cg_base(h, hi, false, NULL) == 0 && faccessat(hi->base_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int cg_open(struct cg_host *h, const char *path, struct cg **ret_cg, ve_error **ret_error)
{
	int r = cg_place_check(path, ret_error);
	if (r < 0)
		return r;
	bool found = false;
	for (int i = 0; i < h->n; i++) {
		struct cg_hierarchy *hi = cg_in_order(h, i);
		r = hi ? cg_base(h, hi, false, ret_error) : 0;
		if (r < 0 && r != -ENOENT)
			return r;
		found = found || (hi && r == 0 && exists_in(h, hi, path));
	}
	if (!found || h->keeper < 0)
		return -ENOENT;
	_cleanup_cg_ struct cg *cg = cg_new(h, path);
	if (!cg)
		return err_nomem(ret_error);
	r = h->v2 >= 0 && h->hierarchies[h->v2].base_fd >= 0 ? open_groups(cg) : 0;
	if (r < 0 && r != -ENOENT)
		return err_sys(ret_error, -r, "cgroup", "cannot open the cgroup '%s/%s' in '%s'", h->base, path,
			       h->hierarchies[h->v2].path);
	*ret_cg = steal_ptr(&cg);
	return 0;
}

/* ---- removing ---- */

/* One round over all hierarchies, the keeper last. -EBUSY: somebody is in one. */
static int remove_round(struct cg *cg, ve_error **ret_error)
{
	bool busy = false;
	for (int i = cg->host->n - 1; i >= 0; i--) {
		struct cg_hierarchy *hi = cg_in_order(cg->host, i);
		if (!hi || hi->base_fd < 0 || (i == 0 && busy))
			continue;
		int r = hi->backend->remove(cg, hi, ret_error);
		if (r < 0 && r != -EBUSY)
			return r;
		busy = busy || r == -EBUSY;
	}
	return busy ? -EBUSY : 0;
}

/* Kills what is in the groups; a group that lost its keeper's half (it was removed by hand) has nobody in it that
 * could be found. */
static int kill_and_wait(struct cg *cg, ve_error **ret_error)
{
	struct cg_hierarchy *hi = keeper(cg);
	if (hi->version == 2 && cg->group_fd < 0)
		return 0;
	int r = hi->backend->kill(cg, hi, ret_error);
	return r < 0 ? r : hi->backend->wait_empty(cg, hi, ret_error);
}

int cg_destroy(struct cg *cg, ve_error **ret_error)
{
	cg_cpus_release(cg);
	/* Most VEs are empty by now: then this is all. */
	int r = remove_round(cg, ret_error);
	if (r != -EBUSY)
		return r;
	r = kill_and_wait(cg, ret_error);
	int64_t deadline = clock_ms() + CG_DEADLINE_MS;
	/* A dead process leaves v1's groups a moment after cgroup2's. */
	for (unsigned pause_us = 0; r == 0;) {
		r = remove_round(cg, ret_error);
		if (r != -EBUSY)
			return r;
		if (!cg_pause(deadline, &pause_us))
			return err_sys(ret_error, EBUSY, "cgroup", "cannot remove the cgroups of '%s'", cg->name);
		r = 0;
	}
	return r;
}

/* ---- processes ---- */

int cg_guest_fd(const struct cg *cg)
{
	return cg->guest_fd;
}

static int open_entry(struct cg_host *h, struct cg_hierarchy *hi, const char *name, int *fd, ve_error **ret_error)
{
	char path[CG_FILE_MAX];
	/* v1: a file to write into; v2: a directory to be cloned into. */
	cg_file_name(name, hi->version == 1 ? "tasks" : ".", path);
	if (*fd < 0)
		*fd = openat(hi->base_fd, path, (hi->version == 1 ? O_WRONLY | O_NOFOLLOW : O_DIRECTORY) | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	return errno == ENOENT ? -ENOENT :
				 err_sys(ret_error, errno, "cgroup", "cannot open the cgroup '%s/%s' in '%s'",
					 h->base, name, hi->path);
}

static int too_many(ve_error **ret_error)
{
	return err_plain(ret_error, VE_ERR_BUG, ENOSPC, "cgroup",
			 "more cgroup hierarchies than there is room for");
}

int cg_tasks_fds(struct cg *cg, int *ret_fds, int max, ve_error **ret_error)
{
	int n = 0;
	for (int i = 0; i < cg->host->n; i++) {
		struct cg_hierarchy *hi = &cg->host->hierarchies[i];
		if (!hi->used || hi->version != 1 || cg_is_spared(cg, hi))
			continue;
		if (n == max)
			return too_many(ret_error);
		int r = open_entry(cg->host, hi, cg->place.path, &cg->tasks_fd[i], ret_error);
		if (r < 0)
			return err_sys(ret_error, -r, "cgroup", "'%s' has no cgroup in '%s'", cg->name, hi->path);
		ret_fds[n++] = cg->tasks_fd[i];
	}
	return n;
}

static int monitor_fd(struct cg_host *h, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = cg_base(h, hi, true, ret_error);
	if (r == 0)
		r = open_entry(h, hi, MONITOR, &hi->monitor_fd, ret_error);
	if (r != -ENOENT)
		return r;
	if (mkdirat(hi->base_fd, MONITOR, 0755) < 0 && errno != EEXIST)
		return err_sys(ret_error, errno, "cgroup", "cannot make the cgroup '%s/%s' in '%s'", h->base,
			       MONITOR, hi->path);
	r = open_entry(h, hi, MONITOR, &hi->monitor_fd, ret_error);
	return r == -ENOENT ?
		       err_sys(ret_error, ENOENT, "cgroup", "cannot open the monitors' cgroup in '%s'", hi->path) :
		       r;
}

int cg_monitor_tasks_fds(struct cg_host *h, int *ret_fds, int max, ve_error **ret_error)
{
	int n = 0;
	for (int i = 0; i < h->n; i++) {
		struct cg_hierarchy *hi = &h->hierarchies[i];
		if (!hi->used || hi->version != 1 || !(hi->controllers & CG_V1_MONITOR))
			continue;
		if (n == max)
			return too_many(ret_error);
		int r = monitor_fd(h, hi, ret_error);
		if (r < 0)
			return r;
		ret_fds[n++] = hi->monitor_fd;
	}
	return n;
}

int cg_monitor_fd(struct cg_host *h, int *ret_fd, ve_error **ret_error)
{
	int r = h->v2 < 0 ? 0 : monitor_fd(h, &h->hierarchies[h->v2], ret_error);
	if (r == 0)
		*ret_fd = h->v2 < 0 ? -1 : h->hierarchies[h->v2].monitor_fd;
	return r;
}

int cg_attach(struct cg *cg, pid_t pid, ve_error **ret_error)
{
	for (int i = 0; i < cg->host->n; i++) {
		struct cg_hierarchy *hi = cg_in_order(cg->host, i);
		int r = hi ? hi->backend->attach(cg, hi, pid, ret_error) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int cg_freeze(struct cg *cg, bool frozen, ve_error **ret_error)
{
	return keeper(cg)->backend->freeze(cg, keeper(cg), frozen, ret_error);
}

bool cg_is_frozen(const struct cg *cg)
{
	return keeper(cg)->backend->is_frozen(cg, keeper(cg));
}

int cg_kill(struct cg *cg, ve_error **ret_error)
{
	return keeper(cg)->backend->kill(cg, keeper(cg), ret_error);
}

bool cg_is_populated(const struct cg *cg)
{
	return keeper(cg)->backend->is_populated(cg, keeper(cg));
}

/* ---- devices ---- */

int cg_attach_device_filter(struct cg *cg, ve_error **ret_error)
{
	return cg_attach_device_filter_with(cg, NULL, 0, ret_error);
}

int cg_attach_device_filter_with(struct cg *cg, const struct cg_device *extra, unsigned n_extra,
				 ve_error **ret_error)
{
	_cleanup_free_ struct cg_device *all = calloc(cg_n_default_devices + n_extra, sizeof(*all));
	if (!all)
		return err_nomem(ret_error);
	memcpy(all, cg_default_devices, cg_n_default_devices * sizeof(*all));
	if (n_extra)
		memcpy(all + cg_n_default_devices, extra, n_extra * sizeof(*all));
	return keeper(cg)->backend->filter_devices(cg, keeper(cg), all, cg_n_default_devices + n_extra, ret_error);
}
