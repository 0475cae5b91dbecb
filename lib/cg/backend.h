/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the room cg/: what host, groups, limits, usage and the two back ends share.
 *
 * A *hierarchy* is one mounted cgroup tree. Each has a version, and the version has a back end (v1.c, v2.c): a
 * table of functions. Which functions are called on which hierarchy is decided by two rules only, and those
 * make pure v1, pure v2 and hybrid hosts one code path:
 *   - a resource goes to the hierarchy that carries its controller, be it v1 or v2;
 *   - what concerns processes as such (freeze, kill, is anybody in it, devices) goes to the *keeper*: the
 *     cgroup2 hierarchy wherever one is mounted, with or without controllers, else v1's freezer.
 */
#ifndef CG_BACKEND_H
#define CG_BACKEND_H

#include <stddef.h>
#include <time.h>

#include "cg/cgroup.h"

enum cg_controller {
	CG_CPU,
	CG_CPUACCT, /* v1 only; cgroup2 counts CPU time in every group */
	CG_CPUSET,
	CG_MEMORY,
	CG_PIDS,
	CG_IO,	    /* "blkio" on v1 */
	CG_HUGETLB,
	CG_DEVICES, /* v1 only */
	CG_FREEZER, /* v1 only */
	CG_CONTROLLER_COUNT,
};
#define CG_BIT(controller) (1u << (controller))

/* The sizes of huge pages, as the hugetlb controller's files spell them. */
#ifdef __aarch64__
#define CG_HUGEPAGE_SIZES(X) X("64KB") X("2MB") X("32MB") X("1GB")
#else
#define CG_HUGEPAGE_SIZES(X) X("2MB") X("1GB")
#endif

/* The controllers that are switched on for VEs on cgroup2. */
#define CG_V2_WANTED \
	(CG_BIT(CG_CPU) | CG_BIT(CG_CPUSET) | CG_BIT(CG_IO) | CG_BIT(CG_MEMORY) | CG_BIT(CG_PIDS) | CG_BIT(CG_HUGETLB))
/* And handed on to the VE itself. Huge pages are limited above it, and nothing in it would share them out further. */
#define CG_V2_GUEST (CG_V2_WANTED & ~CG_BIT(CG_HUGETLB))
/* The v1 hierarchies that VEs get a group in. */
#define CG_V1_WANTED \
	(CG_BIT(CG_CPU) | CG_BIT(CG_CPUSET) | CG_BIT(CG_MEMORY) | CG_BIT(CG_PIDS) | CG_BIT(CG_IO) | CG_BIT(CG_HUGETLB))
/* Where one may be missing: a group that changes nothing costs each start a tenth of a millisecond. */
#define CG_V1_OPTIONAL (CG_BIT(CG_IO) | CG_BIT(CG_CPUSET) | CG_BIT(CG_HUGETLB))
/* And these where no cgroup2 is mounted that does their work. */
#define CG_V1_KEEPERS (CG_BIT(CG_CPUACCT) | CG_BIT(CG_DEVICES) | CG_BIT(CG_FREEZER))
/* A monitor is taken out of its caller's groups where it would be charged, counted or found there. */
#define CG_V1_MONITOR (CG_BIT(CG_MEMORY) | CG_BIT(CG_PIDS) | CG_BIT(CG_FREEZER))

enum {
	CG_MAX_HIERARCHIES = 16,
	CG_NAME_MAX = 63,
	/* What a VE's root may build below its guest group: plenty for systemd with containers in containers,
	 * and a bound on the kernel memory that groups cost. */
	CG_GUEST_DEPTH = 32,
	CG_GUEST_DESCENDANTS = CG_GUEST_GROUPS,
};

struct cg_backend;

struct cg_hierarchy {
	int version; /* 1 or 2 */
	char *path;  /* of the mount */
	uint64_t mount_id, dev;
	unsigned controllers; /* CG_BIT()s */
	const struct cg_backend *backend;
	bool used;	 /* VEs get a group here */
	int root_fd;	 /* O_PATH on the mount */
	int parent_fd;	 /* where BASE is: root_fd, or the service's group; -1 while it is not there */
	int base_fd;	 /* BASE, -1 while it does not exist */
	bool base_ready; /* groups below BASE get what they need */
	int monitor_fd;	 /* .monitor: v1's "tasks" for writing, v2's directory; -1 until asked for */
};

struct cg_host {
	struct cg_hierarchy hierarchies[CG_MAX_HIERARCHIES];
	int n;
	int v2;				/* index of the cgroup2 hierarchy, -1 if none is mounted */
	int keeper;			/* index, see the head; -1 if there is neither cgroup2 nor a freezer */
	int where[CG_CONTROLLER_COUNT]; /* index of the hierarchy that carries the controller, -1 */
	bool under_systemd;
	char base[24]; /* BASE's name: "vectl" and the tag */
	int run_fd;    /* -1: nothing is kept between runs */
};

struct cg {
	struct cg_host *host;
	struct cg_place place;
	char name[CG_NAME_MAX + 1]; /* the last word of it, for messages */
	bool fresh;		/* made by this process: nothing was set yet, nothing is to be restored */
	uint32_t without;	/* controllers whose optional groups are not made, as bits */
	int group_fd, guest_fd; /* on cgroup2, else -1 */
	int tasks_fd[CG_MAX_HIERARCHIES]; /* v1's "tasks", -1 until asked for */
};

/* One version's way of doing things. All return 0 or -errno with the sentence made. */
struct cg_backend {
	/* BASE exists; gives its groups what they need: controllers (v2), CPUs and memory nodes (v1). */
	int (*prepare_base)(struct cg_host *h, struct cg_hierarchy *hi, ve_error **ret_error);
	/* The groups of one VE below BASE. -EEXIST without a sentence: there is one of that name. */
	int (*make)(struct cg *cg, struct cg_hierarchy *hi, uid_t owner, ve_error **ret_error);
	/* The group of a pool, which may be there already; it hands on what BASE does. */
	int (*make_pool)(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error);
	/* Removes them, descendants and all; -EBUSY without a sentence while a process is in one. Missing is
	 * success. */
	int (*remove)(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error);
	/* Moves PID into the group where a VE's processes are. */
	int (*attach)(struct cg *cg, struct cg_hierarchy *hi, pid_t pid, ve_error **ret_error);

	/* Of the keeper only. */
	bool (*is_populated)(const struct cg *cg, const struct cg_hierarchy *hi);
	int (*freeze)(struct cg *cg, struct cg_hierarchy *hi, bool frozen, ve_error **ret_error);
	bool (*is_frozen)(const struct cg *cg, const struct cg_hierarchy *hi);
	int (*kill)(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error);
	int (*wait_empty)(struct cg *cg, struct cg_hierarchy *hi, ve_error **ret_error);
	int (*filter_devices)(struct cg *cg, struct cg_hierarchy *hi, const struct cg_device *rules, unsigned n,
			      ve_error **ret_error);
};
extern const struct cg_backend cg_backend_v1, cg_backend_v2;

/* ---- discover.c, cache.c: what is mounted where ---- */

const char *cg_controller_name(enum cg_controller c, int version); /* NULL: that version has none */
int cg_controller_from_name(const char *name);			   /* -1: none that we use */
unsigned cg_controllers_parse(const char *list);		   /* words separated by blanks or commas */

/* Fills H->hierarchies[].{version,path,controllers} and H->n. */
int cg_discover(struct cg_host *h, ve_error **ret_error);
/* Opens each path and fills root_fd, mount_id, dev and version. CHECK: -ESTALE where they are not what H says.
 * -errno without a sentence. */
int cg_hierarchies_open(struct cg_host *h, bool check);
/* The cache's text, both ways. Parsing: -ESTALE for another boot or another format. NULL: cannot be written so. */
char *cg_cache_format(const struct cg_host *h, const char *boot_id);
int cg_cache_parse(struct cg_host *h, const char *text, const char *boot_id);
int cg_cache_load(struct cg_host *h); /* -errno: discover anew. No sentence, H stays empty */
void cg_cache_save(const struct cg_host *h);
void cg_cache_drop(const struct cg_host *h); /* the mounts turned out different */
void cg_hierarchies_done(struct cg_host *h);

/* ---- host.c ---- */

/* BASE of HI: opened, MAKE: made and prepared. -ENOENT without a sentence where it is missing and is not made. */
int cg_base(struct cg_host *h, struct cg_hierarchy *hi, bool make, ve_error **ret_error);
static inline struct cg_hierarchy *cg_hierarchy_of(struct cg_host *h, enum cg_controller c)
{
	return h->where[c] >= 0 ? &h->hierarchies[h->where[c]] : NULL;
}
/* May a VE have no group there? */
static inline bool cg_is_optional(const struct cg_hierarchy *hi)
{
	return hi->version == 1 && hi->controllers && !(hi->controllers & ~CG_V1_OPTIONAL);
}
/* Has this one none there? */
static inline bool cg_is_spared(const struct cg *cg, const struct cg_hierarchy *hi)
{
	return cg_is_optional(hi) && !(hi->controllers & ~cg->without);
}
/* "PLACE/FILE" below BASE. */
enum { CG_FILE_MAX = CG_PLACE_SIZE + 64 };
void cg_file_name(const char *place, const char *file, char ret_path[CG_FILE_MAX]);

/* ---- group.c ---- */

struct cg *cg_new(struct cg_host *h, const char *place); /* NULL: out of memory */
/* The Ith hierarchy in the order of making: the keeper first. NULL: not used by VEs. */
struct cg_hierarchy *cg_in_order(struct cg_host *h, int i);

/* ---- tenantpool.c ---- */

/* Names come checked; this refuses what would lead elsewhere: '.monitor' is not a VE's, nor is "..". */
int cg_place_check(const char *place, ve_error **ret_error);
static inline bool cg_is_pool(const struct cg *cg)
{
	return cg->place.path[0] == CG_POOL_MARK && !__builtin_strchr(cg->place.path, '/');
}

/* ---- tree.c ---- */

/* Removes the group NAME and all below it; its own file says how. -EBUSY while a process is in it. */
int cg_tree_remove(int dir_fd, const char *name);

/* ---- limits.c ---- */

/* The text that a controller file wants for VALUE; 0 or -ERANGE. */
enum { CG_TEXT_MAX = 64 };
typedef int (*cg_format_fn)(int64_t value, char ret_text[CG_TEXT_MAX]);
int cg_format_bytes_v1(int64_t value, char ret_text[CG_TEXT_MAX]);
int cg_format_max(int64_t value, char ret_text[CG_TEXT_MAX]); /* a number or "max" */
int cg_format_cpu_max(int64_t millicores, char ret_text[CG_TEXT_MAX]);
int cg_format_cfs_quota(int64_t millicores, char ret_text[CG_TEXT_MAX]);
int cg_format_burst(int64_t millicores, char ret_text[CG_TEXT_MAX]);
int cg_format_number(int64_t value, char ret_text[CG_TEXT_MAX]);
int cg_format_shares(int64_t weight, char ret_text[CG_TEXT_MAX]);
/* memory.memsw of a limit and a swap limit, each may be UNITS_UNLIMITED. */
int64_t cg_memsw(int64_t memory_bytes, int64_t swap_bytes);

/* ---- io.c: lines about disks ---- */

/* The line that limits DISK to VALUE: "254:0 rbps=VALUE" with v2's WORD, "254:0 VALUE" on v1. 0 or -ERANGE. */
int cg_io_format(int version, const char *word, dev_t disk, int64_t value, char ret_text[CG_TEXT_MAX]);
/* The line that undoes LINE in a file that held ALL; the caller frees. NULL: out of memory. */
char *cg_io_old(int version, const char *line, const char *all);
/* Does a weight have any effect on one of L's disks? */
bool cg_io_weighs(const struct cg_hierarchy *hi, const struct cg_limits *l);

/* ---- cpus.c: which CPUs ---- */

enum { CG_MAX_CPUS = 8192 };
struct cg_cpus {
	uint64_t bits[CG_MAX_CPUS / 64];
};
static inline bool cg_cpus_has(const struct cg_cpus *c, unsigned cpu)
{
	return c->bits[cpu / 64] >> (cpu % 64) & 1;
}
static inline void cg_cpus_add(struct cg_cpus *c, unsigned cpu)
{
	c->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}
unsigned cg_cpus_count(const struct cg_cpus *c);
int cg_cpus_parse(const char *list, struct cg_cpus *ret_cpus); /* "0-3,8": -EINVAL */
char *cg_cpus_format(const struct cg_cpus *c);		       /* the caller frees */
/* The WANTED of ONLINE that the fewest VEs use; LOAD[cpu] says how many do. Equal ones in order of number. */
void cg_cpus_choose(const struct cg_cpus *online, const uint16_t *load, unsigned wanted, struct cg_cpus *ret_cpus);
/* How many VEs are bound to each CPU is kept in a file of the run directory. Takes GIVE_BACK (may be NULL) off,
 * chooses and counts the chosen ones; WANTED 0: only gives back. */
void cg_cpus_take(struct cg_host *h, const struct cg_cpus *online, unsigned wanted,
		  const struct cg_cpus *give_back, struct cg_cpus *ret_cpus);
/* The CPUs there are for VEs, and those that CG is bound to (none: it may use all). -errno without a sentence. */
int cg_cpus_bound(struct cg *cg, struct cg_cpus *ret_online, struct cg_cpus *ret_bound);
/* Takes the CPUs that CG is bound to off the counts, before its groups go. */
void cg_cpus_release(struct cg *cg);

/* ---- devices.c: the device filter as a BPF program ---- */

struct bpf_insn;
/* Instructions for RULES; *RET_INSNS is the caller's. Returns their number or -errno. */
int cg_devices_program(const struct cg_device *rules, unsigned n, struct bpf_insn **ret_insns);
extern const struct cg_device cg_default_devices[];
extern const unsigned cg_n_default_devices;

/* ---- filter.c: that program in the kernel ---- */

/* The groups in BASE that only keep a program start with this. */
#define CG_DEVICES_MARK ".devices-"
/* Loads it: the program's descriptor or -errno. */
int cg_devices_load(const struct cg_device *rules, unsigned n);
/* The one that others with the same rules below BASE have, or a new one that others will find. */
int cg_devices_share(int base_fd, const struct cg_device *rules, unsigned n);
int cg_devices_attach(int group_fd, int program_fd); /* 0 or -errno */
/* The ids of the programs that are attached to the group itself; their number, up to MAX, or -errno. */
int cg_devices_attached(int group_fd, uint32_t *ids, uint32_t max);
int cg_devices_query(int group_fd);		     /* 0: this kernel takes such programs, or -errno */

/* ---- waiting ---- */

enum { CG_DEADLINE_MS = 10000 };
/* Sleeps a little, more each time, while the deadline has not come: false then. */
bool cg_pause(int64_t deadline_ms, unsigned *pause_us);

#endif
