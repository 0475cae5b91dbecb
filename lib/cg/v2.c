/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Back end for the cgroup2 hierarchy, with controllers (pure v2) or without (hybrid).
 *
 *   BASE              no process; hands on the controllers we want
 *     .monitor        the monitors
 *     .devices-HASH   no process; keeps the program that the VEs' device filters share (filter.c)
 *     NAME            no process; limits, bounds, device filter: the host's
 *       guest         the VE's root may make groups here
 *         vectl-enter joiners, once the VE's root has made guest an inner node
 *     @POOL           no process; limits that the VEs whose NAME is below it share
 *
 * A group with processes cannot hand controllers on (the root may). Hence nothing but groups is in BASE and NAME,
 * and what systemd started in CG_UNIT's own group is moved to .monitor.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

#define GUEST "guest"
#define ENTER "vectl-enter"
#define MONITOR ".monitor"
enum { LIST_MAX = 1 << 20 };

/* ---- controllers ---- */

static int read_controllers(int dir_fd, const char *file, unsigned *ret_set)
{
	char text[256];
	int r = file_read_line(dir_fd, file, text, sizeof(text));
	if (r < 0)
		return r;
	*ret_set = cg_controllers_parse(text);
	return 0;
}

static int hand_on(int dir_fd, const char *file, unsigned set)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (int c = 0; c < CG_CONTROLLER_COUNT; c++)
		if (set & CG_BIT(c))
			strbuf_addf(&b, "+%s ", cg_controller_name(c, 2));
	if (b.oom)
		return -ENOMEM;
	return b.len ? file_poke(dir_fd, file, b.data) : 0;
}

/* Moves the processes in the service's own group: a verb that systemd started there, maybe we ourselves. */
static int evacuate(struct cg_hierarchy *hi)
{
	if (mkdirat(hi->base_fd, MONITOR, 0755) < 0 && errno != EEXIST)
		return -errno;
	_cleanup_close_ int to = openat(hi->base_fd, MONITOR "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	_cleanup_free_ char *pids = NULL;
	int r = to < 0 ? -errno : file_read(hi->parent_fd, "cgroup.procs", LIST_MAX, &pids, NULL);
	if (r < 0)
		return r;
	char *rest = pids;
	for (char *pid; (pid = strsep(&rest, "\n"));)
		if (*pid && write(to, pid, strlen(pid)) < 0 && errno != ESRCH)
			return -errno;
	return 0;
}

/* The group of DIR_FD hands on what of WANTED it does not yet. */
static int enable(struct cg_host *h, struct cg_hierarchy *hi, int dir_fd, unsigned wanted)
{
	unsigned on;
	int r = read_controllers(dir_fd, "cgroup.subtree_control", &on);
	if (r < 0 || !(wanted & ~on))
		return r;
	r = hand_on(dir_fd, "cgroup.subtree_control", wanted & ~on);
	/* A few rounds: systemd may start a further process there, and a process may fork. */
	for (int round = 0; r == -EBUSY && dir_fd == hi->parent_fd && h->under_systemd && round < 10; round++) {
		r = evacuate(hi);
		if (r == 0)
			r = hand_on(dir_fd, "cgroup.subtree_control", wanted & ~on);
	}
	return r;
}

/* systemd hands on what it knows, and hugetlb is none of it: nobody but us switches that on in the slices above. */
static int hand_down(int dir_fd, unsigned set)
{
	unsigned there;
	int r = read_controllers(dir_fd, "cgroup.controllers", &there);
	if (r < 0 || !(set & ~there))
		return r;
	_cleanup_close_ int above = openat(dir_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = above < 0 ? -errno : hand_down(above, set);
	return r < 0 ? r : hand_on(above, "cgroup.subtree_control", set & ~there);
}

/* Takes what the group above BASE does not have out of what VEs get. */
static int v2_prepare_base(struct cg_host *h, struct cg_hierarchy *hi, ve_error **ret_error)
{
	unsigned wanted = hi->controllers & CG_V2_WANTED, there;
	if (!wanted || (read_controllers(hi->base_fd, "cgroup.subtree_control", &there) == 0 && !(wanted & ~there)))
		return 0; /* as an earlier start has left it */
	hand_down(hi->parent_fd, wanted & CG_BIT(CG_HUGETLB)); /* best effort: where there is none, none is limited */
	int r = read_controllers(hi->parent_fd, "cgroup.controllers", &there);
	if (r == 0)
		r = enable(h, hi, hi->parent_fd, wanted & there);
	if (r == 0)
		r = enable(h, hi, hi->base_fd, wanted & there);
	if (r < 0) {
		cg_cache_drop(h);
		return err_sys(ret_error, -r, "cgroup", "cannot switch on the cgroup controllers for '%s' in '%s'",
			       h->base, hi->path);
	}
	hi->controllers = (hi->controllers & ~CG_V2_WANTED) | (wanted & there);
	return 0;
}

/* ---- groups ---- */

/* The VE's root gets what makes groups and moves processes, and no file that holds a limit. */
static int delegate(int guest_fd, uid_t owner)
{
	static const char *const files[] = { "cgroup.procs", "cgroup.threads", "cgroup.subtree_control" };
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		if (fchownat(guest_fd, files[i], owner, owner, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
	return fchown(guest_fd, owner, owner) < 0 ? -errno : 0;
}

static int open_group(int dir_fd, const char *name, int *ret_fd)
{
	int fd = file_opendir(dir_fd, name);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static int make_guest(struct cg *cg, uid_t owner)
{
	if (mkdirat(cg->group_fd, GUEST, 0755) < 0)
		return -errno;
	int r = open_group(cg->group_fd, GUEST, &cg->guest_fd);
	return r < 0 ? r : delegate(cg->guest_fd, owner);
}

/* The bounds stand on NAME, which the VE's namespace does not show; the kernel asks all groups above a new one.
 * Both count from NAME, so that guest itself is one of them. */
static int set_bounds(int group_fd)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", CG_GUEST_DEPTH + 1);
	int r = file_poke(group_fd, "cgroup.max.depth", text);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%d", CG_GUEST_DESCENDANTS + 1);
	return file_poke(group_fd, "cgroup.max.descendants", text);
}

static int v2_make(struct cg *cg, struct cg_hierarchy *hi, uid_t owner, ve_error **ret_error)
{
	int r = mkdirat(hi->base_fd, cg->place.path, 0755) < 0 ? -errno : 0;
	if (r == -EEXIST)
		return r;
	if (r == 0)
		r = open_group(hi->base_fd, cg->place.path, &cg->group_fd);
	if (r == 0)
		r = hand_on(cg->group_fd, "cgroup.subtree_control", hi->controllers & CG_V2_GUEST);
	if (r == 0)
		r = make_guest(cg, owner);
	if (r == 0)
		r = set_bounds(cg->group_fd);
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot make the cgroup '%s/%s' in '%s'", cg->host->base,
			       cg->place.path, hi->path) :
		       0;
}

static int v2_make_pool(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = mkdirat(hi->base_fd, cg->place.path, 0755) < 0 && errno != EEXIST ? -errno : 0;
	_cleanup_close_ int fd = r < 0 ? -1 : file_opendir(hi->base_fd, cg->place.path);
	if (r == 0)
		r = fd < 0 ? fd : enable(cg->host, hi, fd, hi->controllers & CG_V2_WANTED);
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot make the cgroup '%s/%s' in '%s'", cg->host->base,
			       cg->place.path, hi->path) :
		       0;
}

static int v2_remove(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = 0;
	/* Of the usual VE this is all there is; the walk is for those that built groups of their own. */
	if (cg->group_fd >= 0 && unlinkat(cg->group_fd, GUEST, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    errno != EBUSY)
		r = -errno;
	if (r == 0)
		r = cg_tree_remove(hi->base_fd, cg->place.path);
	if (r == 0 || r == -EBUSY)
		return r;
	return err_sys(ret_error, -r, "cgroup", "cannot remove the cgroup '%s/%s' in '%s'", cg->host->base,
		       cg->place.path, hi->path);
}

static int v2_attach(struct cg *cg, struct cg_hierarchy *hi, pid_t pid, ve_error **ret_error)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", (int)pid);
	int r = cg->guest_fd < 0 ? -ENOENT : file_poke(cg->guest_fd, "cgroup.procs", text);
	if (r == -EBUSY) {
		/* The VE's root hands controllers on from guest: then no process may be in it. */
		r = mkdirat(cg->guest_fd, ENTER, 0755) < 0 && errno != EEXIST ? -errno : 0;
		if (r == 0)
			r = file_poke(cg->guest_fd, ENTER "/cgroup.procs", text);
	}
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot move process %d into the cgroup of '%s'", (int)pid,
			       cg->name) :
		       0;
}

/* ---- what concerns the processes ---- */

/* Has cgroup.events, open as FD, the line KEY 1 (or 0)? */
static bool event_is(int fd, const char *key, bool wanted)
{
	char text[128], line[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	snprintf(line, sizeof(line), "%s %d\n", key, wanted);
	return strstr(text, line) != NULL;
}

static bool event_now(const struct cg *cg, const char *key)
{
	_cleanup_close_ int fd = openat(cg->group_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && event_is(fd, key, true);
}

/* The kernel may hold a notification back for 10 ms after another one: hence also a timeout that grows. */
static int wait_event(const struct cg *cg, const char *key, bool wanted)
{
	_cleanup_close_ int fd = openat(cg->group_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int64_t deadline = clock_ms() + CG_DEADLINE_MS;
	for (int pause_ms = 1; !event_is(fd, key, wanted); pause_ms = pause_ms < 64 ? pause_ms * 2 : 100) {
		if (clock_ms() >= deadline)
			return -ETIMEDOUT;
		poll(&(struct pollfd){ .fd = fd, .events = POLLPRI }, 1, pause_ms);
	}
	return 0;
}

static bool v2_is_populated(const struct cg *cg, const struct cg_hierarchy *hi)
{
	return event_now(cg, "populated");
}

static bool v2_is_frozen(const struct cg *cg, const struct cg_hierarchy *hi)
{
	return event_now(cg, "frozen");
}

int cg_renew_guest(struct cg *cg, uid_t owner, ve_error **ret_error)
{
	if (cg->group_fd < 0)
		return 0;
	int r = event_now(cg, "populated") ? -EBUSY : cg_tree_remove(cg->group_fd, GUEST);
	if (r == 0) {
		close_fd(&cg->guest_fd);
		r = make_guest(cg, owner);
	}
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot make the guest's cgroup of '%s' anew", cg->name) :
		       0;
}

static int v2_freeze(struct cg *cg, struct cg_hierarchy *hi, bool frozen, ve_error **ret_error)
{
	int r = file_poke(cg->group_fd, "cgroup.freeze", frozen ? "1" : "0");
	if (r == 0)
		r = wait_event(cg, "frozen", frozen);
	if (r == 0)
		return 0;
	if (frozen)
		file_poke(cg->group_fd, "cgroup.freeze", "0");
	return err_sys(ret_error, -r, "cgroup", "cannot %s the processes of '%s'", frozen ? "freeze" : "thaw",
		       cg->name);
}

static int v2_kill(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = file_poke(cg->group_fd, "cgroup.kill", "1");
	if (r == -ENOENT)
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "cgroup",
				 "cannot kill the processes of '%s': this kernel's cgroup2 has no cgroup.kill",
				 cg->name);
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot kill the processes of '%s'", cg->name) : 0;
}

static int v2_wait_empty(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error)
{
	int r = wait_event(cg, "populated", false);
	if (r == -ETIMEDOUT)
		return err_sys(ret_error, ETIMEDOUT, "cgroup", "processes of '%s' are still there after %d s",
			       cg->name, CG_DEADLINE_MS / 1000);
	return r < 0 ? err_sys(ret_error, -r, "cgroup", "cannot watch the cgroup of '%s'", cg->name) : 0;
}

static int v2_filter_devices(struct cg *cg, struct cg_hierarchy *hi, const struct cg_device *rules, unsigned n,
			     ve_error **ret_error)
{
	/* What a VE has beyond the usual, hardly another one has. */
	bool usual = n == cg_n_default_devices;
	_cleanup_close_ int program = usual ? cg_devices_share(hi->base_fd, rules, n) : cg_devices_load(rules, n);
	int r = program < 0 ? program : cg_devices_attach(cg->group_fd, program);
	if (r == -ENOSYS || r == -EINVAL)
		return err_make(ret_error, VE_ERR_UNSUPPORTED, -r, "devices",
				"no device filter for '%s': this kernel takes no BPF program on a cgroup",
				cg->name);
	return r < 0 ? err_sys(ret_error, -r, "devices", "cannot attach the device filter of '%s'", cg->name) : 0;
}

const struct cg_backend cg_backend_v2 = {
	.prepare_base = v2_prepare_base,
	.make = v2_make,
	.make_pool = v2_make_pool,
	.remove = v2_remove,
	.attach = v2_attach,
	.is_populated = v2_is_populated,
	.freeze = v2_freeze,
	.is_frozen = v2_is_frozen,
	.kill = v2_kill,
	.wait_empty = v2_wait_empty,
	.filter_devices = v2_filter_devices,
};
