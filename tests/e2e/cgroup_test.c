/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroups of lib/cg on this very host, as root: processes are placed, limited, frozen, killed, kept from
 * devices, and nothing is left. On a hybrid host the suite runs twice: as it is, and in a mount namespace without
 * cgroup2, where v1 has to do everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"
#include "model/units.h"

enum { OWNER = 1234567, DEADLINE_MS = 30000 };

static struct {
	char dir[64];
	int run_fd;
	struct cg_host *host;
	struct cg *cg;
} t;

/* 0, else the test ends with the sentence. */
#define OK(call)                                                                          \
	do {                                                                              \
		ve_error *error_ = NULL;                                                  \
		ve_error **err = &error_;                                                 \
		int r_ = (call);                                                          \
		if (r_ < 0)                                                               \
			fail_msg("%s: %d: %s", #call, r_, ve_error_message(error_));      \
	} while (0)

/* ---- helpers ---- */

static struct cg_hierarchy *of(enum cg_controller c)
{
	return cg_hierarchy_of(t.host, c);
}

/* The text of NAME's file on the hierarchy of C. */
static char *text_of(enum cg_controller c, const char *v1, const char *v2)
{
	static char text[4096];
	char path[CG_FILE_MAX];
	struct cg_hierarchy *hi = of(c);
	assert_non_null(hi);
	cg_file_name("ve1", hi->version == 1 ? v1 : v2, path);
	int r = file_read_line(hi->base_fd, path, text, sizeof(text));
	if (r < 0)
		fail_msg("%s: %s", path, strerror(-r));
	return text;
}

static struct cg_limits limits(void)
{
	struct cg_limits l;
	cg_limits_init(&l);
	return l;
}

/* A child in the VE's groups that runs BODY and exits with what it returns. */
static pid_t child(int (*body)(void *), void *arg)
{
	int fds[CG_MAX_HIERARCHIES], go[2], n;
	OK(n = cg_tasks_fds(t.cg, fds, CG_MAX_HIERARCHIES, err));
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char c;
		close(go[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
		_exit(read(go[0], &c, 1) == 1 ? body(arg) : 126);
	}
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", (int)pid);
	for (int i = 0; i < n; i++)
		assert_int_equal(write(fds[i], text, (size_t)length), length);
	if (cg_guest_fd(t.cg) >= 0)
		assert_int_equal(file_poke(cg_guest_fd(t.cg), "cgroup.procs", text), 0);
	assert_int_equal(write(go[1], "x", 1), 1);
	close(go[0]);
	close(go[1]);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int run(int (*body)(void *), void *arg)
{
	int status = status_of(child(body, arg));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static int set_up(void **state)
{
	OK(cg_create(t.host, "ve1", OWNER, &t.cg, err));
	return 0;
}

static int tear_down(void **state)
{
	if (t.cg)
		OK(cg_destroy(t.cg, err));
	cg_free(t.cg);
	t.cg = NULL;
	for (int i = 0; i < t.host->n; i++)
		if (t.host->hierarchies[i].base_fd >= 0)
			assert_int_not_equal(faccessat(t.host->hierarchies[i].base_fd, "ve1", F_OK, 0), 0);
	return 0;
}

/* ---- making and delegation ---- */

static void owner_is(int dir_fd, const char *file, uid_t uid)
{
	struct stat st;
	assert_int_equal(fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (st.st_uid != uid || st.st_gid != uid)
		fail_msg("'%s' belongs to %u:%u", file, st.st_uid, st.st_gid);
}

static void test_delegation(void **state)
{
	if (t.host->v2 < 0) {
		assert_int_equal(cg_guest_fd(t.cg), -1);
		return;
	}
	static const char *const theirs[] = { ".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control" };
	static const char *const ours[] = { "cgroup.max.depth", "cgroup.max.descendants", "cgroup.freeze",
					    "cgroup.kill", "cgroup.type" };
	int fd = cg_guest_fd(t.cg);
	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		owner_is(fd, theirs[i], OWNER);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		owner_is(fd, ours[i], 0);
	owner_is(fd, "..", 0);
	owner_is(fd, "../cgroup.procs", 0);
}

static void test_leftovers(void **state)
{
	struct cg_limits l = limits();
	l.pids = 7;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	assert_string_equal(text_of(CG_PIDS, "pids.max", "pids.max"), "7");
	/* Empty: taken over, and nothing of what was set remains. */
	struct cg *again = NULL;
	OK(cg_create(t.host, "ve1", OWNER, &again, err));
	cg_free(t.cg);
	t.cg = again;
	assert_string_equal(text_of(CG_PIDS, "pids.max", "pids.max"), "max");
	/* With somebody in it: refused, and left alone. */
	pid_t pid = child(wait_for_ever, NULL);
	ve_error *e = NULL;
	assert_int_equal(cg_create(t.host, "ve1", OWNER, &again, &e), -EEXIST);
	assert_int_equal(ve_error_category(e), VE_ERR_EXISTS);
	ve_error_free(e);
	assert_true(cg_is_populated(t.cg));
	assert_int_equal(kill(pid, 0), 0);
	OK(cg_kill(t.cg, err));
	status_of(pid);
}

static void test_open(void **state)
{
	struct cg *cg = NULL;
	ve_error *e = NULL;
	assert_int_equal(cg_open(t.host, "nobody", &cg, &e), -ENOENT);
	assert_null(e);
	OK(cg_open(t.host, "ve1", &cg, err));
	assert_int_equal(cg_guest_fd(cg) >= 0, t.host->v2 >= 0);
	assert_false(cg_is_populated(cg));
	cg_free(cg);
	static const char *const bad[] = { "", ".", "..", ".monitor", "a/b", "a\nb", "@a", "@a/", "@/b", "@a/b/c", "@a/..", "@../b", "@a/@b" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = NULL;
		assert_int_equal(cg_create(t.host, bad[i], OWNER, &cg, &e), -EINVAL);
		ve_error_free(e);
	}
}

/* ---- limits ---- */

static int use_memory(void *arg)
{
	size_t size = *(size_t *)arg;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, size);
	return 0;
}

static void test_memory_kills(void **state)
{
	struct cg_limits l = limits();
	l.memory_bytes = 16 << 20;
	l.swap_bytes = 0;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	size_t little = 4 << 20, much = 64 << 20;
	assert_int_equal(run(use_memory, &little), 0);
	assert_int_equal(run(use_memory, &much), 128 + SIGKILL);
	struct cg_usage u;
	cg_usage(t.cg, &u);
	assert_true(u.memory_peak_bytes > 8 << 20 && u.memory_peak_bytes <= 16 << 20);
	assert_true(u.memory_bytes >= 0 && u.pids == 0 && u.cpu_ns > 0);
}

static int fork_until_refused(void *arg)
{
	int n = 0;
	for (; n < 100; n++) {
		pid_t pid = fork();
		if (pid < 0)
			return errno == EAGAIN ? n : 127;
		if (pid == 0)
			wait_for_ever(NULL);
	}
	return 126;
}

static void test_pids_refuse(void **state)
{
	struct cg_limits l = limits();
	l.pids = 5;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	assert_int_equal(run(fork_until_refused, NULL), 4); /* itself is the fifth */
	/* Four orphans are left: the group is full but for one. A joiner is moved in all the same. */
	l.pids = 4;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	pid_t pid = fork();
	if (pid == 0)
		wait_for_ever(NULL);
	OK(cg_attach(t.cg, pid, err));
	struct cg_usage u;
	cg_usage(t.cg, &u);
	assert_int_equal(u.pids, 5);
	OK(cg_destroy(t.cg, err)); /* kills all five */
	assert_int_equal(status_of(pid), SIGKILL);
}

static void test_files(void **state)
{
	struct cg_limits l = limits();
	l.memory_bytes = 64 << 20;
	l.swap_bytes = 32 << 20;
	l.pids = 100;
	l.cpu_limit_mc = 1500;
	l.cpu_weight = 250;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	assert_string_equal(text_of(CG_MEMORY, "memory.limit_in_bytes", "memory.max"), "67108864");
	assert_string_equal(text_of(CG_PIDS, "pids.max", "pids.max"), "100");
	if (of(CG_MEMORY)->version == 1)
		assert_string_equal(text_of(CG_MEMORY, "memory.memsw.limit_in_bytes", NULL), "100663296");
	else
		assert_string_equal(text_of(CG_MEMORY, NULL, "memory.swap.max"), "33554432");
	assert_string_equal(text_of(CG_CPU, "cpu.cfs_quota_us", "cpu.max"),
			    of(CG_CPU)->version == 1 ? "150000" : "150000 100000");
	assert_string_equal(text_of(CG_CPU, "cpu.shares", "cpu.weight"),
			    of(CG_CPU)->version == 1 ? "2560" : "250");
	/* Back to the defaults, live. */
	l.memory_bytes = l.swap_bytes = l.pids = l.cpu_limit_mc = UNITS_UNLIMITED;
	l.cpu_weight = 100;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	assert_string_equal(text_of(CG_PIDS, "pids.max", "pids.max"), "max");
	assert_string_equal(text_of(CG_CPU, "cpu.cfs_quota_us", "cpu.max"),
			    of(CG_CPU)->version == 1 ? "-1" : "max 100000");
	assert_string_equal(text_of(CG_MEMORY, "memory.limit_in_bytes", "memory.max"),
			    of(CG_MEMORY)->version == 1 ? "9223372036854771712" : "max");
}

/* v1: the sum moves with the limit, and each order of the two writes is needed once. */
static void test_memory_live(void **state)
{
	static const struct {
		int64_t memory_mib, swap_mib; /* -1: not set */
		int expect_memory, expect_swap;
	} steps[] = {
		{ 64, 0, 64, 0 },	{ 256, -1, 256, 0 },	{ 32, -1, 32, 0 }, { -1, 512, 32, 512 },
		{ 1024, 16, 1024, 16 }, { 16, 2048, 16, 2048 }, { 8, 0, 8, 0 },
	};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct cg_limits l = limits();
		if (steps[i].memory_mib >= 0)
			l.memory_bytes = steps[i].memory_mib << 20;
		if (steps[i].swap_mib >= 0)
			l.swap_bytes = steps[i].swap_mib << 20;
		OK(cg_apply(t.cg, &l, NULL, NULL, err));
		int64_t memory = strtoll(text_of(CG_MEMORY, "memory.limit_in_bytes", "memory.max"), NULL, 10);
		int64_t swap =
			strtoll(text_of(CG_MEMORY, "memory.memsw.limit_in_bytes", "memory.swap.max"), NULL, 10);
		assert_int_equal(memory >> 20, steps[i].expect_memory);
		assert_int_equal((swap - (of(CG_MEMORY)->version == 1 ? memory : 0)) >> 20, steps[i].expect_swap);
	}
}

/* Holds memory until killed; tells when it has it. */
static int hold_memory(void *arg)
{
	size_t size = 32 << 20;
	use_memory(&size);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, size);
	mlock(p, size);
	if (write(*(int *)arg, "x", 1) != 1)
		return 1;
	return wait_for_ever(NULL);
}

static void test_all_or_none(void **state)
{
	struct cg_limits l = limits();
	l.memory_bytes = 128 << 20;
	l.swap_bytes = 0;
	l.cpu_weight = 300;
	l.pids = 50;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	int told[2];
	char c;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid_t pid = child(hold_memory, &told[1]);
	assert_int_equal(read(told[0], &c, 1), 1);
	/* Below what is used: refused, says how much, the process lives, the rest is as it was. */
	ve_error *e = NULL;
	l = limits();
	l.memory_bytes = 16 << 20;
	assert_int_equal(cg_apply(t.cg, &l, NULL, NULL, &e), -EBUSY);
	assert_int_equal(ve_error_category(e), VE_ERR_STATE);
	assert_non_null(strstr(ve_error_message(e), "MiB are in use"));
	ve_error_free(e);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_string_equal(text_of(CG_MEMORY, "memory.limit_in_bytes", "memory.max"), "134217728");
	/* A later row is refused by the kernel: the earlier ones are taken back. */
	e = NULL;
	l = limits();
	l.memory_bytes = 100 << 20;
	l.pids = 60;
	l.cpu_limit_mc = INT64_C(1) << 40;
	assert_true(cg_apply(t.cg, &l, NULL, NULL, &e) < 0);
	ve_error_free(e);
	assert_string_equal(text_of(CG_MEMORY, "memory.limit_in_bytes", "memory.max"), "134217728");
	assert_string_equal(text_of(CG_PIDS, "pids.max", "pids.max"), "50");
	close(told[0]);
	close(told[1]);
	OK(cg_kill(t.cg, err));
	status_of(pid);
}

static void count_warning(const char *sentence, void *data)
{
	++*(int *)data;
	assert_non_null(strstr(sentence, "ve1"));
}

static void test_cores(void **state)
{
	struct cg_limits l = limits();
	int n_warnings = 0, n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	l.cpu_cores = 4096;
	OK(cg_apply(t.cg, &l, count_warning, &n_warnings, err));
	assert_int_equal(n_warnings, 1);
	if (n_cpus < 2)
		return;
	/* Two VEs of one core each are on different CPUs, and a third one after the first went is in its place. */
	l.cpu_cores = 1;
	struct cg *other;
	OK(cg_apply(t.cg, &l, count_warning, &n_warnings, err));
	OK(cg_create(t.host, "ve2", OWNER, &other, err));
	OK(cg_apply(other, &l, count_warning, &n_warnings, err));
	struct cg_cpus online, one, two;
	assert_int_equal(cg_cpus_bound(t.cg, &online, &one), 0);
	assert_int_equal(cg_cpus_bound(other, &online, &two), 0);
	assert_int_equal(cg_cpus_count(&one), 1);
	assert_int_equal(cg_cpus_count(&two), 1);
	assert_memory_not_equal(&one, &two, sizeof(one));
	OK(cg_destroy(other, err));
	cg_free(other);
	OK(cg_create(t.host, "ve2", OWNER, &other, err));
	OK(cg_apply(other, &l, count_warning, &n_warnings, err));
	struct cg_cpus three;
	assert_int_equal(cg_cpus_bound(other, &online, &three), 0);
	assert_memory_equal(&two, &three, sizeof(two));
	OK(cg_destroy(other, err));
	cg_free(other);
	assert_int_equal(n_warnings, 1);
	/* And back to all. */
	l.cpu_cores = UNITS_UNLIMITED;
	OK(cg_apply(t.cg, &l, NULL, NULL, err));
	assert_int_equal(cg_cpus_bound(t.cg, &online, &one), 0);
	assert_int_equal(cg_cpus_count(&one), 0);
	assert_int_equal(run(use_memory, &(size_t){ 4096 }), 0);
}

static void test_unsupported(void **state)
{
	struct cg_limits l = limits();
	l.memory_high_bytes = 1 << 30;
	l.memory_guarantee_bytes = 1 << 20;
	ve_error *e = NULL;
	int r = cg_apply(t.cg, &l, NULL, NULL, &e);
	if (of(CG_MEMORY)->version == 2) {
		assert_int_equal(r, 0);
		assert_string_equal(text_of(CG_MEMORY, NULL, "memory.low"), "1048576");
		return;
	}
	assert_int_equal(ve_error_category(e), VE_ERR_UNSUPPORTED);
	ve_error_free(e);
	l = limits();
	l.cpu_limit_mc = 1; /* the kernel wants 10 at least */
	e = NULL;
	assert_int_equal(cg_apply(t.cg, &l, NULL, NULL, &e), -ERANGE);
	assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	ve_error_free(e);
}

/* ---- processes ---- */

static int count_up(void *arg)
{
	for (atomic_ulong *n = arg;;)
		atomic_fetch_add(n, 1);
	return 0;
}

static bool moves_on(atomic_ulong *n)
{
	unsigned long before = atomic_load(n);
	int64_t deadline = clock_ms() + DEADLINE_MS;
	while (atomic_load(n) == before)
		if (clock_ms() > deadline)
			return false;
	return true;
}

static void test_freeze(void **state)
{
	atomic_ulong *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = child(count_up, n);
	assert_true(moves_on(n));
	assert_false(cg_is_frozen(t.cg));
	OK(cg_freeze(t.cg, true, err));
	assert_true(cg_is_frozen(t.cg));
	unsigned long before = atomic_load(n);
	for (int i = 0; i < 100; i++)
		sched_yield();
	assert_int_equal(atomic_load(n), before);
	OK(cg_freeze(t.cg, false, err));
	assert_false(cg_is_frozen(t.cg));
	assert_true(moves_on(n));
	/* A frozen one is killed all the same. */
	OK(cg_freeze(t.cg, true, err));
	OK(cg_kill(t.cg, err));
	assert_int_equal(status_of(pid), SIGKILL);
	munmap(n, 4096);
}

static int be_parent(void *arg)
{
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			wait_for_ever(NULL);
	if (write(*(int *)arg, "x", 1) != 1)
		return 1;
	return wait_for_ever(NULL);
}

static void test_destroy_kills(void **state)
{
	int told[2];
	char c;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid_t pid = child(be_parent, &told[1]);
	close(told[1]);
	assert_int_equal(read(told[0], &c, 1), 1);
	OK(cg_destroy(t.cg, err));
	assert_int_equal(status_of(pid), SIGKILL);
	/* Every one held the pipe's write end: its end of file says that all are gone. */
	struct pollfd p = { .fd = told[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	assert_int_equal(read(told[0], &c, 1), 0);
	close(told[0]);
}

static void test_monitor(void **state)
{
	int fds[CG_MAX_HIERARCHIES], n;
	OK(n = cg_monitor_tasks_fds(t.host, fds, CG_MAX_HIERARCHIES, err));
	pid_t pid = fork();
	if (pid == 0)
		wait_for_ever(NULL);
	char text[16], name[64], groups[4096];
	snprintf(text, sizeof(text), "%d", (int)pid);
	for (int i = 0; i < n; i++)
		assert_true(write(fds[i], text, strlen(text)) > 0);
	int unified;
	OK(cg_monitor_fd(t.host, &unified, err));
	if (unified >= 0) {
		assert_int_equal(file_poke(unified, "cgroup.procs", text), 0);
		n++;
	}
	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	assert_true(file_read_line(AT_FDCWD, name, groups, sizeof(groups)) > 0);
	int found = 0;
	for (const char *p = groups; (p = strstr(p, "vectl-cgtest/.monitor")); p++)
		found++;
	assert_int_equal(found, n);
	kill(pid, SIGKILL);
	status_of(pid);
}

/* ---- devices ---- */

struct node {
	const char *name;
	mode_t type;
	unsigned major, minor;
	bool allowed;
};
static const struct node nodes[] = {
	{ "null", S_IFCHR, 1, 3, true },     { "zero", S_IFCHR, 1, 5, true },
	{ "urandom", S_IFCHR, 1, 9, true },  { "kmsg", S_IFCHR, 1, 11, false },
	{ "mem", S_IFCHR, 1, 1, false },     { "loop0", S_IFBLK, 7, 0, false },
	{ "b1-3", S_IFBLK, 1, 3, false },    { "console", S_IFCHR, 5, 1, false },
	{ "fuse", S_IFCHR, 10, 229, false }, { "null2", S_IFCHR, 257, 3, false },
};

/* Opens each node; bit I of the answer: the filter refused it. */
static int open_nodes(void *arg)
{
	unsigned refused = 0;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		int fd = openat(*(int *)arg, nodes[i].name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 && errno == EPERM)
			refused |= 1u << i;
		close(fd);
	}
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (!!(refused & 1u << i) == nodes[i].allowed)
			return (int)i + 1;
	/* Nor may it make nodes of others. */
	if (mknodat(*(int *)arg, "new", S_IFCHR | 0600, makedev(1, 11)) == 0 || errno != EPERM)
		return 100;
	return mknodat(*(int *)arg, "new", S_IFCHR | 0600, makedev(1, 3)) == 0 ? 0 : 101;
}

/* 3: it may be opened to read, and not to write. */
static int open_both_ways(void *arg)
{
	int in = openat(*(int *)arg, "kmsg", O_RDONLY | O_NONBLOCK), out = openat(*(int *)arg, "kmsg", O_WRONLY | O_NONBLOCK);
	return (in >= 0) | (out < 0 && errno == EPERM) << 1;
}

static void test_devices(void **state)
{
	/* A tmpfs of our own: /tmp may be mounted nodev. */
	char dir[96];
	snprintf(dir, sizeof(dir), "%s/dev", t.dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mount("tmpfs", dir, "tmpfs", 0, NULL), 0);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		assert_int_equal(
			mknodat(fd, nodes[i].name, nodes[i].type | 0666, makedev(nodes[i].major, nodes[i].minor)),
			0);
	int before = run(open_nodes, &fd);
	OK(cg_attach_device_filter(t.cg, err));
	int after = run(open_nodes, &fd);
	unlinkat(fd, "new", 0);
	/* A program on a group below that allows all of them changes nothing. */
	int below = 0;
	if (cg_guest_fd(t.cg) >= 0) {
		struct cg_device all[sizeof(nodes) / sizeof(nodes[0])];
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			all[i] = (struct cg_device){ nodes[i].type == S_IFBLK ? 'b' : 'c', nodes[i].major,
						     nodes[i].minor };
		int program = cg_devices_load(all, sizeof(all) / sizeof(all[0]));
		assert_int_equal(cg_devices_attach(cg_guest_fd(t.cg), program), 0);
		close(program);
		below = run(open_nodes, &fd);
		unlinkat(fd, "new", 0);
	}
	/* One more for a VE that has fuse. */
	struct cg *cg = t.cg;
	OK(cg_create(t.host, "ve2", OWNER, &t.cg, err));
	OK(cg_attach_device_filter_with(t.cg, &(struct cg_device){ 'c', 10, 229 }, 1, err));
	int with_fuse = run(open_nodes, &fd);
	OK(cg_destroy(t.cg, err));
	cg_free(t.cg);
	/* And one to read alone. */
	OK(cg_create(t.host, "ve2", OWNER, &t.cg, err));
	OK(cg_attach_device_filter_with(t.cg, &(struct cg_device){ 'c', 1, 11, true }, 1, err));
	int to_read = run(open_both_ways, &fd);
	OK(cg_destroy(t.cg, err));
	cg_free(t.cg);
	t.cg = cg;
	close(fd);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	assert_int_not_equal(before, 0);
	assert_int_equal(after, 0);
	assert_int_equal(below, 0);
	assert_int_equal(to_read, 3);
	assert_int_equal(with_fuse, 9); /* only that the ninth is not refused */
}

static uint32_t program_of(const struct cg *cg)
{
	uint32_t ids[4];
	assert_int_equal(cg_devices_attached(cg->group_fd, ids, 4), 1);
	return ids[0];
}

/* All VEs with the usual rules have one program, which outlives each of them; whoever has others has his own. */
static void test_devices_shared(void **state)
{
	struct cg *one = t.cg, *two, *other;
	const struct cg_hierarchy *hi = &t.host->hierarchies[t.host->keeper];
	if (hi->version == 1)
		return;
	OK(cg_create(t.host, "ve2", OWNER, &two, err));
	OK(cg_create(t.host, "ve3", OWNER, &other, err));
	OK(cg_attach_device_filter(one, err));
	OK(cg_attach_device_filter(two, err));
	OK(cg_attach_device_filter_with(other, &(struct cg_device){ 'c', 10, 229 }, 1, err));
	uint32_t shared = program_of(one);
	assert_int_equal(program_of(two), shared);
	assert_int_not_equal(program_of(other), shared);
	OK(cg_destroy(one, err));
	OK(cg_destroy(two, err));
	OK(cg_create(t.host, "ve1", OWNER, &t.cg, err));
	OK(cg_attach_device_filter(t.cg, err));
	assert_int_equal(program_of(t.cg), shared);
	cg_free(one);
	cg_free(two);

	/* Somebody takes away what keeps it: the next one has a filter all the same. */
	glob_t kept;
	char pattern[512];
	snprintf(pattern, sizeof(pattern), "/proc/self/fd/%d/" CG_DEVICES_MARK "*", hi->base_fd);
	assert_int_equal(glob(pattern, 0, NULL, &kept), 0);
	assert_int_equal(kept.gl_pathc, 1);
	assert_int_equal(rmdir(kept.gl_pathv[0]), 0);
	globfree(&kept);
	OK(cg_create(t.host, "ve2", OWNER, &two, err));
	OK(cg_attach_device_filter(two, err));
	assert_int_not_equal(program_of(two), shared);
	assert_int_equal(glob(pattern, 0, NULL, &kept), 0);
	globfree(&kept);
	OK(cg_destroy(two, err));
	OK(cg_destroy(other, err));
	cg_free(two);
	cg_free(other);
}

/* ---- what a VE's root builds ---- */

/* As the VE's root: groups as deep and as odd as may be; answers the depth reached. */
static int build_groups(void *arg)
{
	int fd = openat(cg_guest_fd(t.cg), ".", O_RDONLY | O_DIRECTORY);
	if (setresgid(OWNER, OWNER, OWNER) < 0 || setresuid(OWNER, OWNER, OWNER) < 0)
		return 255;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* other ids have cleared it */
	if (file_poke(fd, "cgroup.max.depth", "max") != -EACCES || mkdirat(fd, "../ours", 0755) == 0)
		return 254;
	static const char *const odd[] = { "...", "-rf", "a b", "\xff\xfe", "x\033[2J", "cgroup.procs2" };
	int depth = 0;
	for (; depth < 200; depth++) {
		for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
			mkdirat(fd, odd[i], 0755);
		const char *name = odd[depth % 6];
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY);
		if (next < 0)
			break;
		close(fd);
		fd = next;
	}
	/* And goes to sleep in the deepest of them. */
	if (file_poke(fd, "cgroup.procs", "0") < 0 || write(*(int *)arg, &depth, sizeof(depth)) != sizeof(depth))
		return 253;
	return wait_for_ever(NULL);
}

static void test_deep(void **state)
{
	if (t.host->v2 < 0)
		return; /* nothing of v1 is delegated */
	int told[2], depth = 0;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid_t pid = child(build_groups, &told[1]);
	close(told[1]);
	if (read(told[0], &depth, sizeof(depth)) != sizeof(depth))
		fail_msg("the builder ended with %d", status_of(pid) >> 8);
	close(told[0]);
	assert_int_equal(depth, CG_GUEST_DEPTH);
	ve_error *e = NULL;
	assert_int_equal(cg_renew_guest(t.cg, OWNER, &e), -EBUSY);
	ve_error_free(e);
	/* The walk ends where somebody is, be it in the deepest group or in the first. */
	struct cg_hierarchy *v2 = &t.host->hierarchies[t.host->v2];
	alarm(DEADLINE_MS / 1000);
	assert_int_equal(cg_tree_remove(v2->base_fd, "ve1"), -EBUSY);
	char text[16];
	snprintf(text, sizeof(text), "%d", (int)pid);
	assert_int_equal(file_poke(cg_guest_fd(t.cg), "cgroup.procs", text), 0);
	assert_int_equal(cg_tree_remove(v2->base_fd, "ve1"), -EBUSY);
	alarm(0);
	OK(cg_destroy(t.cg, err));
	assert_int_equal(status_of(pid), SIGKILL);
}

static void test_renew(void **state)
{
	if (t.host->v2 < 0)
		return;
	assert_int_equal(mkdirat(cg_guest_fd(t.cg), "init.scope", 0755), 0);
	assert_int_equal(mkdirat(cg_guest_fd(t.cg), "init.scope/x", 0755), 0);
	OK(cg_renew_guest(t.cg, OWNER, err));
	assert_int_not_equal(faccessat(cg_guest_fd(t.cg), "init.scope", F_OK, 0), 0);
	test_delegation(state);
	pid_t pid = child(wait_for_ever, NULL);
	assert_true(cg_is_populated(t.cg));
	OK(cg_kill(t.cg, err));
	status_of(pid);
}

/* systemd in a VE hands controllers on from its root group; then nobody can be put into that. */
static void test_enter_inner_node(void **state)
{
	if (t.host->v2 < 0 || !(t.host->hierarchies[t.host->v2].controllers & CG_BIT(CG_PIDS)))
		return;
	assert_int_equal(file_poke(cg_guest_fd(t.cg), "cgroup.subtree_control", "+pids"), 0);
	pid_t pid = fork();
	if (pid == 0)
		wait_for_ever(NULL);
	OK(cg_attach(t.cg, pid, err));
	assert_true(cg_is_populated(t.cg));
	OK(cg_kill(t.cg, err));
	assert_int_equal(status_of(pid), SIGKILL);
}

/* ---- discovery ---- */

static bool libcgroup_is_mapped(void)
{
	char *maps = NULL;
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/maps", 1 << 24, &maps, NULL), 0);
	bool found = strstr(maps, "libcgroup") != NULL;
	free(maps);
	return found;
}

static int host_of(int run_fd, struct cg_host **h)
{
	OK(cg_host_open(run_fd, "-cgtest", h, err));
	return 0;
}

static bool same_hosts(const struct cg_host *a, const struct cg_host *b)
{
	bool same = a->n == b->n && a->v2 == b->v2 && a->keeper == b->keeper &&
		    memcmp(a->where, b->where, sizeof(a->where)) == 0;
	for (int i = 0; same && i < a->n; i++)
		same = str_eq(a->hierarchies[i].path, b->hierarchies[i].path) &&
		       a->hierarchies[i].mount_id == b->hierarchies[i].mount_id;
	return same;
}

static void test_cache(void **state)
{
	char *text = NULL;
	size_t size;
	assert_int_equal(file_read(t.run_fd, "cgroups", 1 << 20, &text, &size), 0);
	struct cg_host *h = NULL;
	host_of(t.run_fd, &h);
	assert_true(same_hosts(h, t.host));
	cg_host_free(h);
	/* Whatever the file holds, the answer is the same. */
	for (size_t cut = 0; cut < size; cut += 7) {
		assert_int_equal(file_replace(t.run_fd, "cgroups", text, cut, 0644, false), 0);
		host_of(t.run_fd, &h);
		/* Cut behind a line, it is a shorter but true list; that cannot be told. */
		if (cut == 0 || text[cut - 1] != '\n')
			assert_true(same_hosts(h, t.host) || h->n < t.host->n);
		cg_host_free(h);
	}
	/* Another boot's, or another mount's: asked anew. */
	char *other = strdup(text);
	other[strcspn(other, "-") + 12] ^= 1;
	file_replace(t.run_fd, "cgroups", other, size, 0644, false);
	host_of(t.run_fd, &h);
	assert_true(same_hosts(h, t.host));
	cg_host_free(h);
	free(other);
	char *now = NULL;
	assert_int_equal(file_read(t.run_fd, "cgroups", 1 << 20, &now, NULL), 0);
	assert_string_equal(now, text);
	free(now);
	free(text);
	/* And libcgroup is not in memory after it was asked. */
	assert_false(libcgroup_is_mapped());
}

static void see_row(const char *feature, bool present, const char *detail, const char *hint, void *data)
{
	assert_non_null(detail);
	static const char *const of_v2[] = { "cgroup2", "cgroup.kill", "cgroup controller hugetlb" };
	bool excused = false;
	for (size_t i = 0; i < ARRAY_SIZE(of_v2); i++)
		excused = excused || (str_eq(feature, of_v2[i]) && t.host->v2 < 0);
	if (!present && !excused)
		fail_msg("'%s' is missing: %s", feature, detail);
	++*(int *)data;
}

static void test_check(void **state)
{
	int n = 0;
	cg_host_check(see_row, &n);
	assert_in_range(n, 9, 11); /* swap accounting cannot always be seen; one more under systemd */
}

/* ---- pools ---- */

static bool pool_is_there(const char *pool)
{
	bool there = false;
	for (int i = 0; i < t.host->n; i++) {
		struct cg_hierarchy *hi = &t.host->hierarchies[i];
		there = there || (hi->base_fd >= 0 && faccessat(hi->base_fd, cg_place(pool, NULL).path, F_OK, 0) == 0);
	}
	return there;
}

/* Two VEs of ten processes each at the most in a pool of eight, beside one that is in none. */
static void test_pool(void **state)
{
	struct cg *pool = NULL, *one = NULL, *other = NULL, *alone = t.cg;
	struct cg_limits shared = limits(), own = limits();
	struct cg_counters now;
	shared.pids = 8;
	own.pids = 10;
	OK(cg_pool_create(t.host, "gold", &pool, err));
	OK(cg_apply(pool, &shared, NULL, NULL, err));
	OK(cg_create(t.host, cg_place("gold", "ve1").path, OWNER, &one, err));
	OK(cg_create(t.host, cg_place("gold", "ve2").path, OWNER, &other, err));
	OK(cg_apply(one, &own, NULL, NULL, err));
	assert_false(cg_is_populated(one));

	t.cg = one;
	child(wait_for_ever, NULL);
	child(wait_for_ever, NULL);
	t.cg = other;
	assert_int_equal(run(fork_until_refused, NULL), 5);
	t.cg = alone;
	assert_int_equal(run(fork_until_refused, NULL), 126);
	OK(cg_kill(alone, err));
	cg_host_counters(t.host, cg_place("gold", NULL).path, NULL, 0, &now);
	assert_true(now.life && now.pids >= 2 && now.pids_refused == 1);

	/* It is the VEs' as long as there is a group of one, and gone after that. */
	assert_int_equal(cg_pool_remove(t.host, "gold", NULL), -EBUSY);
	OK(cg_destroy(one, err));
	OK(cg_destroy(other, err));
	assert_true(pool_is_there("gold"));
	OK(cg_pool_remove(t.host, "gold", err));
	assert_false(pool_is_there("gold"));
	cg_free(one);
	cg_free(other);
	cg_free(pool);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Made again while it is there: what it was given stays, and a change of it holds at once; one that v1 cannot share is refused. */
static void test_pool_live(void **state)
{
	struct cg *pool = NULL, *one = NULL, *alone = t.cg;
	struct cg_limits l = limits();
	char **names = NULL;
	OK(cg_pool_create(t.host, "gold", &pool, err));
	l.memory_bytes = 64 << 20;
	OK(cg_apply(pool, &l, NULL, NULL, err));
	OK(cg_create(t.host, cg_place("gold", "ve1").path, OWNER, &one, err));
	cg_free(pool);
	OK(cg_pool_create(t.host, "gold", &pool, err));
	t.cg = one;
	size_t much = 128 << 20, little = 4 << 20;
	assert_int_equal(run(use_memory, &much), 128 + SIGKILL);
	struct cg_counters now;
	cg_host_counters(t.host, cg_place("gold", NULL).path, NULL, 0, &now);
	assert_true(now.memory_kills == 1 && now.memory_peak_bytes > 32 << 20);
	l.memory_bytes = 256 << 20;
	OK(cg_apply(pool, &l, NULL, NULL, err));
	assert_int_equal(run(use_memory, &much), 0);
	assert_int_equal(run(use_memory, &little), 0);
	assert_int_equal(cg_pool_names(t.host, &names), 0);
	assert_true(names && names[0] && !names[1] && strcmp(names[0], "gold") == 0);
	strv_free(names);

	struct cg_limits io = limits();
	io.io_read_bps = 1 << 20;
	io.disks[0] = makedev(254, 0);
	io.n_disks = 1;
	ve_error *e = NULL;
	int r = cg_pool_check_limits(t.host, "gold", &io, &e);
	assert_int_equal(r == 0, t.host->where[CG_IO] >= 0 && t.host->hierarchies[t.host->where[CG_IO]].version == 2);
	assert_true(r == 0 || ve_error_category(e) == VE_ERR_UNSUPPORTED);
	ve_error_free(e);
	OK(cg_destroy(one, err));
	cg_free(one);
	cg_free(pool);
	t.cg = alone;
	/* cg_host_remove() takes the pool's groups away. */
}

/* ---- */

static int open_host(void **state)
{
	snprintf(t.dir, sizeof(t.dir), "/tmp/cgroup_test.XXXXXX");
	if (!mkdtemp(t.dir))
		return -1;
	t.run_fd = open(t.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return host_of(t.run_fd, &t.host);
}

static int close_host(void **state)
{
	/* Under systemd the first VE made room in the service's group by moving us to the monitors. */
	if (t.host->v2 >= 0 && t.host->under_systemd)
		file_poke(t.host->hierarchies[t.host->v2].root_fd, "cgroup.procs", "0");
	cg_host_remove(t.host);
	int left = 0;
	for (int i = 0; i < t.host->n; i++)
		left += faccessat(t.host->hierarchies[i].root_fd, t.host->base, F_OK, 0) == 0;
	cg_host_free(t.host);
	close(t.run_fd);
	file_remove_tree(AT_FDCWD, t.dir);
	return left;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int suite(const char *name)
{
	const struct CMUnitTest tests[] = {
		CASE(test_delegation),	CASE(test_leftovers),	CASE(test_open),	 CASE(test_memory_kills),
		CASE(test_pids_refuse), CASE(test_files),	CASE(test_memory_live),	 CASE(test_all_or_none),
		CASE(test_cores),	CASE(test_unsupported), CASE(test_freeze),	 CASE(test_destroy_kills),
		CASE(test_monitor),	CASE(test_devices), CASE(test_devices_shared),	CASE(test_deep),	 CASE(test_renew),
		CASE(test_enter_inner_node), CASE(test_pool), CASE(test_pool_live), cmocka_unit_test(test_cache), cmocka_unit_test(test_check),
	};
	return _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof(tests[0]), open_host, close_host);
}

/* The same host as it would be without cgroup2, in a mount namespace of our own. */
static int without_cgroup2(const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    umount2(path, MNT_DETACH) < 0)
			_exit(1);
		exit(suite("cgroups, v1 only") ? 1 : 0);
	}
	int status;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

int main(void)
{
	if (geteuid() != 0) {
		fprintf(stderr, "cgroup_test: needs root\n");
		return 1;
	}
	struct cg_host *h = NULL;
	ve_error *e = NULL;
	if (cg_host_open(-1, "-cgtest", &h, &e) < 0) {
		fprintf(stderr, "cgroup_test: %s\n", ve_error_message(e));
		return 1;
	}
	bool hybrid = cg_host_mode(h) == CG_MODE_HYBRID;
	char *v2_path = hybrid ? strdup(h->hierarchies[h->v2].path) : NULL;
	cg_host_free(h);
	int failed = suite("cgroups");
	if (hybrid)
		failed += without_cgroup2(v2_path);
	free(v2_path);
	return failed ? 1 : 0;
}
