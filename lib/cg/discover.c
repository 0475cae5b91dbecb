/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which cgroup controller is mounted where: asked of libcgroup, once a boot (cache.c keeps the answer).
 *
 * The only file that knows libcgroup. The library is loaded when it is asked and not before, so that it costs
 * the hundred starts after that nothing; its two sonames (2 in Debian 12, 3 in Debian 13) have the calls used
 * here in common. What it cannot tell is a cgroup2 hierarchy without controllers, as hybrid hosts have it: the
 * mount table is asked for that one.
 */
#include <dlfcn.h>
#include <libcgroup.h>
#include <mntent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

static const struct {
	const char *v1, *v2;
} controller_names[CG_CONTROLLER_COUNT] = {
	[CG_CPU] = { "cpu", "cpu" },
	[CG_CPUACCT] = { "cpuacct", NULL },
	[CG_CPUSET] = { "cpuset", "cpuset" },
	[CG_MEMORY] = { "memory", "memory" },
	[CG_PIDS] = { "pids", "pids" },
	[CG_IO] = { "blkio", "io" },
	[CG_HUGETLB] = { "hugetlb", "hugetlb" },
	[CG_DEVICES] = { "devices", NULL },
	[CG_FREEZER] = { "freezer", NULL },
};

const char *cg_controller_name(enum cg_controller c, int version)
{
	return version == 1 ? controller_names[c].v1 : controller_names[c].v2;
}

int cg_controller_from_name(const char *name)
{
	for (int c = 0; c < CG_CONTROLLER_COUNT; c++)
		if (str_eq(controller_names[c].v1, name) || str_eq(controller_names[c].v2, name))
			return c;
	return -1;
}

unsigned cg_controllers_parse(const char *list)
{
	unsigned set = 0;
	while (*(list += strspn(list, " ,\n"))) {
		size_t n = strcspn(list, " ,\n");
		char word[16];
		if (n < sizeof(word)) {
			memcpy(word, list, n);
			word[n] = '\0';
			int c = cg_controller_from_name(word);
			set |= c >= 0 ? CG_BIT(c) : 0;
		}
		list += n;
	}
	return set;
}

/* What we call of libcgroup. */
struct libcgroup {
	void *handle;
	__typeof__(&cgroup_set_logger) set_logger;
	__typeof__(&cgroup_init) init;
	__typeof__(&cgroup_get_controller_begin) begin;
	__typeof__(&cgroup_get_controller_next) next;
	__typeof__(&cgroup_get_controller_end) end;
	__typeof__(&cgroup_strerror) strerror;
};

static int library_load(struct libcgroup *l, ve_error **ret_error)
{
	static const char *const sonames[] = { "libcgroup.so.3", "libcgroup.so.2" };
	for (unsigned i = 0; i < ARRAY_SIZE(sonames) && !l->handle; i++)
		l->handle = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL);
	if (!l->handle) {
		int r = err_plain(
			ret_error, VE_ERR_UNSUPPORTED, ELIBACC, "cgroup",
			"cannot load libcgroup, which tells where the cgroup controllers are mounted: %s",
			dlerror());
		err_hint(ret_error, "install libcgroup3 (Debian 12: libcgroup2)");
		return r;
	}
	l->set_logger = (__typeof__(l->set_logger))dlsym(l->handle, "cgroup_set_logger");
	l->init = (__typeof__(l->init))dlsym(l->handle, "cgroup_init");
	l->begin = (__typeof__(l->begin))dlsym(l->handle, "cgroup_get_controller_begin");
	l->next = (__typeof__(l->next))dlsym(l->handle, "cgroup_get_controller_next");
	l->end = (__typeof__(l->end))dlsym(l->handle, "cgroup_get_controller_end");
	l->strerror = (__typeof__(l->strerror))dlsym(l->handle, "cgroup_strerror");
	if (!l->set_logger || !l->init || !l->begin || !l->next || !l->end || !l->strerror)
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, ELIBBAD, "cgroup",
				 "cannot use libcgroup: it lacks a function: %s", dlerror());
	return 0;
}

/* Its own logger writes to stderr; a library does not. */
static void say_nothing(void *userdata, int level, const char *fmt, va_list ap)
{
}

/* The hierarchy mounted on PATH: the one we have, or a further one. NULL: out of memory, or of room. */
static struct cg_hierarchy *hierarchy_at(struct cg_host *h, const char *path)
{
	for (int i = 0; i < h->n; i++)
		if (str_eq(h->hierarchies[i].path, path))
			return &h->hierarchies[i];
	char *copy = h->n < CG_MAX_HIERARCHIES ? strdup(path) : NULL;
	if (!copy)
		return NULL;
	struct cg_hierarchy *hi = &h->hierarchies[h->n++];
	*hi = (struct cg_hierarchy){
		.path = copy, .root_fd = -1, .parent_fd = -1, .base_fd = -1, .monitor_fd = -1
	};
	return hi;
}

static int ask_library(struct libcgroup *l, struct cg_host *h, ve_error **ret_error)
{
	l->set_logger(say_nothing, CGROUP_LOG_ERROR, NULL);
	int r = l->init();
	if (r == ECGROUPNOTMOUNTED)
		return 0; /* nothing with controllers: the caller sees what there is */
	if (r != 0)
		return err_plain(ret_error, VE_ERR_KERNEL, EIO, "cgroup",
				 "libcgroup cannot read which cgroup controllers are mounted: %s", l->strerror(r));

	/* Two paths of 4096 bytes each: not for a caller's small stack. */
	_cleanup_free_ struct cgroup_mount_point *at = malloc(sizeof(*at));
	if (!at)
		return err_nomem(ret_error);
	void *walk = NULL;
	for (r = l->begin(&walk, at); r == 0; r = l->next(&walk, at)) {
		int c = cg_controller_from_name(at->name);
		struct cg_hierarchy *hi = c >= 0 ? hierarchy_at(h, at->path) : NULL;
		if (hi)
			hi->controllers |= CG_BIT(c);
	}
	l->end(&walk);
	return 0;
}

/* Adds the first cgroup2 mount, unless it is among those that have controllers. */
static int ask_mount_table(struct cg_host *h, ve_error **ret_error)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	if (!f)
		return err_sys(ret_error, errno, "cgroup", "cannot read '/proc/self/mounts'");
	struct mntent entry;
	char line[4 * 4096];
	while (getmntent_r(f, &entry, line, sizeof(line)))
		if (str_eq(entry.mnt_type, "cgroup2")) {
			hierarchy_at(h, entry.mnt_dir);
			break;
		}
	endmntent(f);
	return 0;
}

int cg_discover(struct cg_host *h, ve_error **ret_error)
{
	/* libcgroup keeps its answer in globals: one thread at a time. */
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	struct libcgroup l = { 0 };
	pthread_mutex_lock(&one_at_a_time);
	int r = library_load(&l, ret_error);
	if (r == 0)
		r = ask_library(&l, h, ret_error);
	if (l.handle)
		dlclose(l.handle);
	pthread_mutex_unlock(&one_at_a_time);
	if (r == 0)
		r = ask_mount_table(h, ret_error);
	if (r < 0)
		return r;
	r = cg_hierarchies_open(h, false);
	if (r < 0)
		return err_sys(ret_error, -r, "cgroup", "cannot open the cgroup hierarchies that are mounted");
	return 0;
}
