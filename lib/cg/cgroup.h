/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroups of a VE on v1, v2 and hybrid hosts, behind one interface.
 *
 * Layout (BASE is "vectl" + the store's tag, below the root of each hierarchy; under systemd below the cgroup
 * of CG_UNIT):
 *   cgroup2:  BASE/NAME        limits, device filter; the host's
 *             BASE/NAME/guest  delegated to the VE's root; its init starts here, its cgroup namespace shows this
 *             BASE/.monitor    the monitors
 *             BASE/.devices-*  the program that the VEs' device filters share
 *             BASE/@POOL       limits that the VEs of a pool share; NAME is below it instead of below BASE
 *   v1:       BASE/NAME in each hierarchy of cpu, cpuset, memory, pids, blkio, and where no cgroup2 is mounted of
 *             cpuacct, devices and freezer (no guest: v1 is not delegated). blkio is optional: jails have none
 *             unless they are limited by it.
 *
 * Groups are made, filled and removed by mkdirat and openat on held descriptors; libcgroup only tells which
 * controller is mounted where (cg/discover.c; the answer is cached in run/vectl until the next boot). kill and
 * freeze use the cgroup2 group wherever cgroup2 is mounted, else v1's freezer and a loop over cgroup.procs.
 *
 * Callers hold the VE's lock around cg_create, cg_apply and cg_destroy. A cg_host outlives the cgs opened from it;
 * neither is shared between threads. On a cgroup2 host under systemd the first cg_create may have to move the
 * processes in CG_UNIT's own group, the caller among them, to BASE/.monitor: a group with processes cannot
 * hand on controllers.
 */
#ifndef CG_CGROUP_H
#define CG_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Where the groups of a VE are, below BASE: "NAME", or "@POOL/NAME" where several VEs share the limits of a pool. No name
 * of a VE begins with the mark. What is called PLACE below is such a path; that of a pool itself is "@POOL". */
#define CG_POOL_MARK '@'
enum { CG_PLACE_SIZE = 1 + 63 + 1 + 63 + 1 };
struct cg_place {
	char path[CG_PLACE_SIZE];
};
struct cg_place cg_place(const char *pool, const char *name); /* POOL NULL: in none; NAME NULL: the pool's own */
bool cg_place_above(const char *place, struct cg_place *ret_pool); /* the pool's that PLACE is below; false: it is below none */

struct cg_host; /* what is mounted where; BASE made on first need */
struct cg;	/* the groups of one VE, as held descriptors */

/* RUN_FD: directory for the cache, -1 for none; the host keeps a copy of it. TAG: the store's. Nothing is made
 * yet. Errors: VE_ERR_UNSUPPORTED where libcgroup cannot be loaded or no controller is mounted. */
int cg_host_open(int run_fd, const char *tag, struct cg_host **ret_host, ve_error **ret_error);
void cg_host_free(struct cg_host *h);
/* Removes BASE from all hierarchies where no VE and no monitor is left below it (uninstalling; stores made for a
 * test). */
void cg_host_remove(struct cg_host *h);
/* The systemd unit that owns the place below which VEs live: Delegate=yes, RemainAfterExit=yes, and no ExecStart=
 * (with VEs in it its own group takes no process; what ExecStartPost= and ExecStop= start is put elsewhere). */
#define CG_UNIT "vectl-guests.service"
/* CG_UNIT where it must be started before the first VE ("systemctl start"), else NULL. Costs two system calls. */
const char *cg_host_missing_unit(const struct cg_host *h);
enum cg_mode { CG_MODE_V1, CG_MODE_V2, CG_MODE_HYBRID };
enum cg_mode cg_host_mode(const struct cg_host *h);
bool cg_host_has_v2(const struct cg_host *h);				/* a cgroup2 hierarchy is mounted */
bool cg_host_has_controller(const struct cg_host *h, const char *name); /* "memory", on either version */

/* Makes the groups (with bounds on the guest's depth and descendants) and delegates the guest's to host uid OWNER.
 * On error nothing is left. -EEXIST: populated groups of that name exist; empty left-overs of a killed verb are
 * removed and made anew, so that no limit of theirs stays. VE_ERR_UNSUPPORTED under systemd while CG_UNIT is
 * not active: see cg_host_missing_unit(). */
int cg_create(struct cg_host *h, const char *place, uid_t owner, struct cg **ret_cg, ve_error **ret_error);
/* The same without v1's groups WITHOUT, where nothing is to be set: for what lives for milliseconds, and is not looked at. */
enum { CG_WITHOUT_IO = 1, CG_WITHOUT_CPUSET = 2 };
int cg_create_lean(struct cg_host *h, const char *place, uid_t owner, unsigned without, struct cg **ret_cg, ve_error **ret_error);
/* Opens existing ones: -ENOENT without message if there are none. */
int cg_open(struct cg_host *h, const char *place, struct cg **ret_cg, ve_error **ret_error);
void cg_free(struct cg *cg); /* closes; removes nothing */
void cg_freep(struct cg **cg);
#define _cleanup_cg_ __attribute__((cleanup(cg_freep)))
/* Kills what is left, waits (deadline) until empty, removes the groups with their descendants. CG is still to be
 * freed, and good for nothing else. */
int cg_destroy(struct cg *cg, ve_error **ret_error);
/* For another start in the same groups (reboot): removes the empty guest group with all that the VE's root built
 * below it and makes it anew for OWNER; limits and device filter, which are NAME's, stay. -EBUSY: something still
 * runs in it. The descriptor of cg_guest_fd() is another one then. */
int cg_renew_guest(struct cg *cg, uid_t owner, ve_error **ret_error);

/* The groups of a pool of VEs in all hierarchies, made where they are missing; they stay until cg_pool_remove(). What the
 * kernel counts for them it counts for as long. For cg_apply(), cg_free() and nothing else. */
int cg_pool_create(struct cg_host *h, const char *pool, struct cg **ret_cg, ve_error **ret_error);
int cg_pool_open(struct cg_host *h, const char *pool, struct cg **ret_cg, ve_error **ret_error); /* -ENOENT: as cg_open() */
/* -EBUSY without a sentence while there are groups of a VE below them. Missing ones are success. */
int cg_pool_remove(struct cg_host *h, const char *pool, ve_error **ret_error);
int cg_pool_names(struct cg_host *h, char ***ret_names); /* those that have groups; -errno without a sentence */

/* Limits, in the base units of the schema; CG_UNSET leaves as is, UNITS_UNLIMITED is "max". */
#define CG_UNSET INT64_MIN
enum { CG_DISKS_MAX = 4 };
struct cg_limits {
	int64_t memory_bytes, swap_bytes, memory_guarantee_bytes, memory_high_bytes;
	int64_t hugepages_bytes; /* of each size of page; 0 is no refusal where nobody can count them */
	int64_t pids;
	int64_t cpu_cores;    /* how many CPUs: a cpuset of that many, those that the fewest VEs are bound to */
	int64_t cpu_limit_mc; /* thousandths of a core */
	int64_t cpu_burst_mc; /* likewise: saved up in a period, at most the limit */
	int64_t cpu_weight;   /* 1-10000 */
	int64_t io_weight;    /* 1-10000 */
	int64_t io_read_bps, io_write_bps, io_read_iops, io_write_iops; /* of each disk */
	const char *cpu_set;  /* "0-3,8": the CPUs to choose from, "": all, NULL: as is. Borrowed */
	dev_t disks[CG_DISKS_MAX]; /* where its files are: whole disks, no partitions */
	unsigned n_disks;
	bool disks_unaccounted; /* the filesystem does not say who wrote what it writes back */
};
void cg_limits_init(struct cg_limits *l); /* all CG_UNSET, no disks */
/* What takes a VE from FROM to TO: the limits that differ, those that TO leaves unset at the kernel's default. False:
 * nothing does. */
bool cg_limits_change(const struct cg_limits *from, const struct cg_limits *to, struct cg_limits *ret_change);
/* Whether this host has what L needs, for a VE that does not run: VE_ERR_UNSUPPORTED. */
int cg_check_limits(struct cg_host *h, const char *name, const struct cg_limits *l, ve_error **ret_error);
int cg_pool_check_limits(struct cg_host *h, const char *pool, const struct cg_limits *l, ve_error **ret_error);
/* All or none: a value that the kernel refuses takes the earlier ones back. Lowering memory below use: reclaim is
 * tried, then refused (-EBUSY, VE_ERR_STATE) with what is used. WARN (may be NULL) hears each sentence to tell the user:
 * cores clipped to the host's, swap accounting absent, limits above what the host has, or that only hold in part. What
 * this host's controllers cannot hold at all is VE_ERR_UNSUPPORTED (the guarantee and the throttle point on v1). */
typedef void (*cg_warn_fn)(const char *sentence, void *data);
int cg_apply(struct cg *cg, const struct cg_limits *l, cg_warn_fn warn, void *data, ve_error **ret_error);

/* One device that a VE may open, and may make a node of. */
struct cg_device {
	char type; /* 'c' or 'b' */
	uint32_t major;
	int64_t minor; /* -1: all of the major */
	bool readonly; /* may not be opened to write; not with all of a major */
};
/* Attaches the device filter: null zero full random urandom tty ptmx and pts/ *, plus N_EXTRA ones (features.fuse,
 * devices). Not 5:1: a VE's console is a pty, and that number is the host's console. A BPF program on cgroup2
 * BASE/NAME, or v1's devices controller where no cgroup2 is mounted. Once for each cg_create. A VE whose filter
 * cannot be attached is not started. */
int cg_attach_device_filter(struct cg *cg, ve_error **ret_error);
int cg_attach_device_filter_with(struct cg *cg, const struct cg_device *extra, unsigned n_extra,
				 ve_error **ret_error);

/* Descriptor of the guest's cgroup2 directory for clone3's CLONE_INTO_CGROUP; -1 where there is no cgroup2.
 * Borrowed. */
int cg_guest_fd(const struct cg *cg);
/* Write ends ("tasks", O_WRONLY) of the v1 groups that a VE's first process enters besides the guest's cgroup2 one; at
 * most MAX into RET_FDS, borrowed. Returns how many. It is "tasks" and not "cgroup.procs" because a single-threaded process that
 * writes "0" there moves without the kernel's global lock, which costs a grace period of some milliseconds. */
int cg_tasks_fds(struct cg *cg, int *ret_fds, int max, ve_error **ret_error);
/* The same for the monitor. */
int cg_monitor_tasks_fds(struct cg_host *h, int *ret_fds, int max, ve_error **ret_error);
/* Into *RET_FD the monitors' cgroup2 directory for CLONE_INTO_CGROUP, borrowed; -1 where there is no cgroup2. */
int cg_monitor_fd(struct cg_host *h, int *ret_fd, ve_error **ret_error);
/* Moves a finished process (a joiner) into the VE's groups. Where the VE's root made the guest group an inner node
 * (systemd does, on cgroup2 with controllers), into its child "vectl-enter", made on demand. */
int cg_attach(struct cg *cg, pid_t pid, ve_error **ret_error);

int cg_freeze(struct cg *cg, bool frozen, ve_error **ret_error); /* waits until it is so, with a deadline */
bool cg_is_frozen(const struct cg *cg);
int cg_kill(struct cg *cg, ve_error **ret_error); /* SIGKILL to all, at once */
bool cg_is_populated(const struct cg *cg);

struct cg_usage {
	int64_t memory_bytes, memory_peak_bytes, swap_bytes, pids, cpu_ns; /* -1: not to be had */
};
void cg_usage(const struct cg *cg, struct cg_usage *ret_usage);
/* The same without opening all groups, for list: only what WHAT asks (bits below) is read. */
enum { CG_USAGE_MEMORY = 1, CG_USAGE_MEMORY_ALL = 2 /* peak and swap too */, CG_USAGE_CPU = 4, CG_USAGE_PIDS = 8, CG_USAGE_ALL = 15 };
void cg_host_usage(struct cg_host *h, const char *place, unsigned what, struct cg_usage *ret_usage);

/* What the kernel counts for as long as the groups live; -1: it does not, here. */
struct cg_counters {
	uint64_t life; /* names this life of the groups within a boot; 0: there are none */
	int64_t memory_bytes, memory_peak_bytes, memory_kills; /* processes killed for lack of memory */
	int64_t swap_bytes, swap_peak_bytes, swap_refused;
	int64_t hugepages_bytes, hugepages_refused; /* of all sizes */
	int64_t pids, pids_peak, pids_refused; /* forks that failed */
	int64_t cpu_ns, cpu_throttled;	       /* periods in which it had to wait */
	int64_t io_read_bytes, io_written_bytes, io_reads, io_writes; /* of DISKS */
	int64_t cgroups; /* that its root made, and the one that it was given */
};
void cg_counters_init(struct cg_counters *c);
void cg_host_counters(struct cg_host *h, const char *place, const dev_t *disks, unsigned n_disks,
		      struct cg_counters *ret_counters);
enum { CG_GUEST_GROUPS = 2048 }; /* how many groups a VE's root may make */

/* Of the last ten seconds, the share in percent in which some of its processes waited for RESOURCE ("cpu", "memory", "io");
 * -1: the kernel does not say. */
double cg_host_pressure(struct cg_host *h, const char *place, const char *resource);

/* Descriptors that tell when the VE was refused memory or a fork: the caller's to close. With KEY it is a file that is
 * notified (POLLPRI) when, among others, the counter called KEY in it grows; without, an eventfd. Returns how many. */
struct cg_watched {
	int fd;
	const char *key;
	bool silent; /* it counts, but is not notified: to be read now and then */
};
enum { CG_WATCHED_MAX = 4 };
unsigned cg_watch(struct cg *cg, struct cg_watched ret_watched[CG_WATCHED_MAX]);

/* Rows for `vectl check`: mode, each controller, cgroup2, cgroup.kill, the device filter, swap accounting. Reads
 * only. FN is called with feature, present, detail (never NULL), hint (may be NULL). */
typedef void (*cg_check_fn)(const char *feature, bool present, const char *detail, const char *hint, void *data);
void cg_host_check(cg_check_fn fn, void *data);

#endif
