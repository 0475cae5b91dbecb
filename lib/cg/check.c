/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `vectl check` says of the cgroups. Reads only: where a file is looked for that the root group does not
 * have, some group that exists is looked at.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

/* For the rows: whom to tell. */
struct check {
	struct cg_host *h;
	cg_check_fn fn;
	void *data;
};

static void row(const struct check *c, const char *feature, bool present, const char *detail, const char *hint)
{
	c->fn(feature, present, detail, present ? NULL : hint, c->data);
}

/* Does any child of the hierarchy's root have FILE? SEEN: there was a child at all. */
static bool child_has(const struct cg_hierarchy *hi, const char *file, bool *ret_seen)
{
	int fd = openat(hi->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	bool has = false;
	*ret_seen = false;
	for (struct dirent *e; dir && !has && (e = readdir(dir));) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		_cleanup_free_ char *path = str_printf("%s/%s", e->d_name, file);
		*ret_seen = true;
		has = path && faccessat(hi->root_fd, path, F_OK, 0) == 0;
	}
	return has;
}

static void check_mode(const struct check *c)
{
	static const char *const modes[] = {
		[CG_MODE_V1] = "v1 only",
		[CG_MODE_V2] = "v2",
		[CG_MODE_HYBRID] = "hybrid: controllers on v1, processes kept by cgroup2",
	};
	row(c, "cgroups", c->h->keeper >= 0, modes[cg_host_mode(c->h)], "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	row(c, "cgroup2", c->h->v2 >= 0, c->h->v2 >= 0 ? c->h->hierarchies[c->h->v2].path : "not mounted",
	    "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2");
}

static void check_place(const struct check *c)
{
	if (!c->h->under_systemd || c->h->v2 < 0)
		return;
	bool there = !cg_host_missing_unit(c->h);
	row(c, "place for cgroups", there, there ? "below " CG_UNIT : CG_UNIT " is not active",
	    "systemctl start " CG_UNIT);
}

static void check_controllers(const struct check *c)
{
	static const struct {
		enum cg_controller controller;
		const char *without;
	} wanted[] = {
		{ CG_CPU, "not available: cpu.limit and cpu.weight are refused" },
		{ CG_CPUSET, "not available: cpu.cores is refused" },
		{ CG_MEMORY, "not available: memory.* is refused" },
		{ CG_PIDS, "not available: pids.limit is refused" },
		{ CG_HUGETLB, "not available: huge pages that the host sets aside are for whoever takes them" },
	};
	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct cg_hierarchy *hi = cg_hierarchy_of(c->h, wanted[i].controller);
		_cleanup_free_ char *feature =
			str_printf("cgroup controller %s", cg_controller_name(wanted[i].controller, 2));
		_cleanup_free_ char *detail = hi ? str_printf("v%d, %s", hi->version, hi->path) : NULL;
		row(c, feature ?: "cgroup controller", hi != NULL, hi ? detail ?: "" : wanted[i].without,
		    "it is missing in the kernel, or switched off on its command line (cgroup_disable=)");
	}
}

/* The root group has no cgroup.kill. Without any other group the kernel's list of features is asked: one that came
 * later says that this one is there too. */
static void check_kill(const struct check *c)
{
	if (c->h->v2 < 0) {
		row(c, "cgroup.kill", false, "needs cgroup2; v1's freezer is used", NULL);
		return;
	}
	bool seen;
	bool has = child_has(&c->h->hierarchies[c->h->v2], "cgroup.kill", &seen);
	char features[512];
	if (!seen && file_read_line(AT_FDCWD, "/sys/kernel/cgroup/features", features, sizeof(features)) > 0)
		has = strstr(features, "favordynmods") != NULL;
	row(c, "cgroup.kill", has, has ? "present" : "not there: a VE cannot be killed", "Linux 5.14 brought it");
}

static void check_devices(const struct check *c)
{
	const char *feature = "device filter";
	if (c->h->v2 < 0) {
		bool v1 = c->h->where[CG_DEVICES] >= 0;
		row(c, feature, v1,
		    v1 ? "v1's devices controller" : "neither cgroup2 nor v1's devices controller is mounted",
		    "mount cgroup2");
		return;
	}
	_cleanup_close_ int fd = cg_devices_load(cg_default_devices, cg_n_default_devices);
	int r = fd < 0 ? fd : cg_devices_query(c->h->hierarchies[c->h->v2].root_fd);
	_cleanup_free_ char *why = r < 0 ? str_printf("bpf(2): %s", strerrordesc_np(-r) ?: "unknown error") : NULL;
	row(c, feature, r == 0, why ?: "BPF program on cgroup2",
	    r == -EPERM ? "only root can tell" : "the kernel needs CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL");
}

static void check_swap(const struct check *c)
{
	struct cg_hierarchy *hi = cg_hierarchy_of(c->h, CG_MEMORY);
	if (!hi)
		return; /* the controller's row has said so */
	bool seen = true;
	bool has = hi->version == 1 ? faccessat(hi->root_fd, "memory.memsw.limit_in_bytes", F_OK, 0) == 0 :
				      child_has(hi, "memory.swap.max", &seen);
	if (!seen)
		return; /* no group yet that would have the file */
	row(c, "swap accounting", has, has ? "memory.swap is enforced" : "not there: memory.swap is not enforced",
	    "boot with swapaccount=1");
}

void cg_host_check(cg_check_fn fn, void *data)
{
	struct check c = { .fn = fn, .data = data };
	_cleanup_err_ ve_error *error = NULL;
	if (cg_host_open(-1, "", &c.h, &error) < 0) {
		fn("cgroups", false, ve_error_message(error), ve_error_hint(error), data);
		return;
	}
	check_mode(&c);
	check_place(&c);
	check_controllers(&c);
	check_kill(&c);
	check_devices(&c);
	check_swap(&c);
	cg_host_free(c.h);
}
