/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's side: which hierarchy does what, and BASE in each.
 *
 * BASE is "vectl" and the store's tag, below the root of the mount as we see it (so it also works from within
 * a cgroup namespace). Where systemd is pid 1 the tree is systemd's, and BASE goes below the group of
 * CG_UNIT, which systemd leaves to us (Delegate=yes). On v1 systemd makes that group only in the hierarchies
 * that it manages itself; in the others, as without systemd, BASE is at the root.
 *
 * systemd (252, 257: tried) removes the group of a service that is active but has no process ("active (exited)"),
 * and whatever is empty in it, each time the unit changes its state. As long as the unit is active its slice keeps
 * handing on all controllers; so we make the group again, and look whether what we hold open still is there. A
 * unit that is not active is left alone: nothing would stop its VEs when the host goes down.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

#define UNIT_GROUP "system.slice/" CG_UNIT
/* systemd keeps this link while the unit is active (journald reads it). */
#define UNIT_ACTIVE "/run/systemd/units/invocation:" CG_UNIT

bool cg_pause(int64_t deadline_ms, unsigned *pause_us)
{
	if (clock_ms() >= deadline_ms)
		return false;
	*pause_us = *pause_us == 0 ? 100 : *pause_us < 20000 ? *pause_us * 2 : 20000;
	nanosleep(&(struct timespec){ .tv_nsec = *pause_us * 1000L }, NULL);
	return true;
}

void cg_file_name(const char *place, const char *file, char ret_path[CG_FILE_MAX])
{
	snprintf(ret_path, CG_FILE_MAX, "%s/%s", place, file);
}

/* Who does what. */
static void assign(struct cg_host *h)
{
	h->v2 = -1;
	for (int c = 0; c < CG_CONTROLLER_COUNT; c++)
		h->where[c] = -1;
	for (int i = 0; i < h->n; i++) {
		struct cg_hierarchy *hi = &h->hierarchies[i];
		hi->backend = hi->version == 2 ? &cg_backend_v2 : &cg_backend_v1;
		if (hi->version == 2 && h->v2 < 0)
			h->v2 = i;
		for (int c = 0; c < CG_CONTROLLER_COUNT; c++)
			if (hi->controllers & CG_BIT(c) && h->where[c] < 0)
				h->where[c] = i;
	}
	unsigned wanted = CG_V1_WANTED | (h->v2 < 0 ? CG_V1_KEEPERS : 0);
	for (int i = 0; i < h->n; i++) {
		struct cg_hierarchy *hi = &h->hierarchies[i];
		hi->used = hi->version == 2 ? i == h->v2 : (hi->controllers & wanted) != 0;
	}
	h->keeper = h->v2 >= 0 ? h->v2 : h->where[CG_FREEZER];
}

static int find_hierarchies(struct cg_host *h, ve_error **ret_error)
{
	if (cg_cache_load(h) == 0)
		return 0;
	int r = cg_discover(h, ret_error);
	if (r < 0)
		return r;
	if (h->n == 0) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "cgroup", "no cgroup hierarchy is mounted");
		err_hint(ret_error, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
		return r;
	}
	cg_cache_save(h);
	return 0;
}

int cg_host_open(int run_fd, const char *tag, struct cg_host **ret_host, ve_error **ret_error)
{
	struct cg_host *h = calloc(1, sizeof(*h));
	if (!h)
		return err_nomem(ret_error);
	h->run_fd = run_fd >= 0 ? fcntl(run_fd, F_DUPFD_CLOEXEC, 0) : -1;
	snprintf(h->base, sizeof(h->base), "vectl%s", tag);
	h->under_systemd = faccessat(AT_FDCWD, "/run/systemd/system", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int r = find_hierarchies(h, ret_error);
	if (r < 0) {
		cg_host_free(h);
		return r;
	}
	assign(h);
	*ret_host = h;
	return 0;
}

void cg_host_free(struct cg_host *h)
{
	if (!h)
		return;
	cg_hierarchies_done(h);
	close_fd(&h->run_fd);
	free(h);
}

enum cg_mode cg_host_mode(const struct cg_host *h)
{
	bool v1 = false;
	for (int i = 0; i < h->n; i++)
		v1 = v1 || (h->hierarchies[i].version == 1 && h->hierarchies[i].used);
	return h->v2 < 0 ? CG_MODE_V1 : v1 ? CG_MODE_HYBRID : CG_MODE_V2;
}

bool cg_host_has_v2(const struct cg_host *h)
{
	return h->v2 >= 0;
}

bool cg_host_has_controller(const struct cg_host *h, const char *name)
{
	int c = cg_controller_from_name(name);
	return c >= 0 && h->where[c] >= 0;
}

/* Is there a unit file? Only for the hint. */
static bool unit_is_installed(void)
{
	static const char *const dirs[] = { "/etc/systemd/system", "/run/systemd/system",
					    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
					    "/lib/systemd/system" };
	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_free_ char *path = str_printf("%s/%s", dirs[i], CG_UNIT);
		if (path && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static int no_unit_group(ve_error **ret_error)
{
	int r = err_plain(
		ret_error, VE_ERR_UNSUPPORTED, ENOENT, "cgroup",
		"no place for the cgroups: systemd manages them, and '%s', below which they belong, does not run",
		CG_UNIT);
	err_hint(ret_error, "%s",
		 unit_is_installed() ? "systemctl start " CG_UNIT : "make install, then systemctl start " CG_UNIT);
	return r;
}

static bool unit_is_active(void)
{
	return faccessat(AT_FDCWD, UNIT_ACTIVE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

const char *cg_host_missing_unit(const struct cg_host *h)
{
	if (!h->under_systemd || h->v2 < 0 || unit_is_active() ||
	    faccessat(h->hierarchies[h->v2].root_fd, UNIT_GROUP, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return NULL;
	return CG_UNIT;
}

static int open_unit_group(struct cg_hierarchy *hi, bool make)
{
	for (;;) {
		hi->parent_fd = openat(hi->root_fd, UNIT_GROUP, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (hi->parent_fd >= 0 || errno != ENOENT || !make || !unit_is_active())
			return hi->parent_fd < 0 ? -errno : 0;
		if (mkdirat(hi->root_fd, UNIT_GROUP, 0755) < 0 && errno != EEXIST)
			return -errno;
		make = false;
	}
}

/* Where BASE goes. -ENOENT: the service's group is not there. */
static int find_parent(struct cg_host *h, struct cg_hierarchy *hi, bool make)
{
	if (hi->parent_fd >= 0)
		return 0;
	int r = h->under_systemd ? open_unit_group(hi, make && hi->version == 2) : -ENOENT;
	if (r != -ENOENT || (h->under_systemd && hi->version == 2))
		return r;
	hi->parent_fd = hi->root_fd;
	return 0;
}

/* Forgets a BASE that somebody removed: another process's cg_host_remove(), or systemd with the unit. */
static void drop_dead_base(struct cg_hierarchy *hi)
{
	if (hi->base_fd < 0 || faccessat(hi->base_fd, "cgroup.procs", F_OK, 0) == 0)
		return;
	close_fd(&hi->monitor_fd);
	close_fd(&hi->base_fd);
	if (hi->parent_fd != hi->root_fd)
		close_fd(&hi->parent_fd);
	hi->parent_fd = -1;
	hi->base_ready = false;
}

static int open_base(struct cg_host *h, struct cg_hierarchy *hi, bool make)
{
	hi->base_fd = openat(hi->parent_fd, h->base, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (hi->base_fd < 0 && errno == ENOENT && make) {
		if (mkdirat(hi->parent_fd, h->base, 0755) < 0 && errno != EEXIST)
			return -errno;
		hi->base_fd = openat(hi->parent_fd, h->base, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	}
	return hi->base_fd < 0 ? -errno : 0;
}

int cg_base(struct cg_host *h, struct cg_hierarchy *hi, bool make, ve_error **ret_error)
{
	drop_dead_base(hi);
	if (hi->base_fd >= 0 && (!make || hi->base_ready))
		return 0;
	int r = find_parent(h, hi, make);
	if (r == -ENOENT && make)
		return no_unit_group(ret_error);
	if (r == 0 && hi->base_fd < 0)
		r = open_base(h, hi, make);
	if (r == -ENOENT && !make)
		return r;
	if (r < 0)
		return err_sys(ret_error, -r, "cgroup", "cannot make the cgroup '%s' in '%s'", h->base, hi->path);
	if (!make)
		return 0;
	r = hi->backend->prepare_base(h, hi, ret_error);
	hi->base_ready = r == 0;
	return r;
}

/* What is in BASE beside the VEs' groups: the monitors', the pools', those that keep programs. Who is in use stays. */
static void remove_beside(struct cg_hierarchy *hi)
{
	int fd = openat(hi->base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (e->d_type == DT_DIR && (e->d_name[0] == '.' || e->d_name[0] == CG_POOL_MARK))
			unlinkat(hi->base_fd, e->d_name, AT_REMOVEDIR);
}

void cg_host_remove(struct cg_host *h)
{
	for (int i = 0; i < h->n; i++) {
		struct cg_hierarchy *hi = &h->hierarchies[i];
		if (!hi->used || cg_base(h, hi, false, NULL) < 0)
			continue;
		close_fd(&hi->monitor_fd);
		remove_beside(hi);
		if (unlinkat(hi->parent_fd, h->base, AT_REMOVEDIR) == 0) {
			close_fd(&hi->base_fd);
			hi->base_ready = false;
		}
	}
}
