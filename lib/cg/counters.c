/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a VE uses, has used, and was refused, as the kernel counts it for as long as its groups live.
 *
 * "Refused" is what a program inside noticed: a process killed for lack of memory, a fork that failed, a period in which
 * its threads had to wait for CPU time. That the kernel dropped cached files at a limit (v1's failcnt, memory.events'
 * max) is no refusal, and not counted.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

enum { TEXT_MAX = 65536 };

/* The file V1 or V2 of NAME in the hierarchy of C; NULL: it is not there. The caller frees. */
static char *read_of(struct cg_host *h, enum cg_controller c, const char *name, const char *v1, const char *v2)
{
	char path[CG_FILE_MAX], *text = NULL;
	struct cg_hierarchy *hi = cg_hierarchy_of(h, c);
	const char *file = !hi ? NULL : hi->version == 1 ? v1 : v2;
	if (!file || cg_base(h, hi, false, NULL) < 0)
		return NULL;
	cg_file_name(name, file, path);
	return file_read(hi->base_fd, path, TEXT_MAX, &text, NULL) < 0 ? NULL : text;
}

static int64_t number(const char *text)
{
	char *end;
	errno = 0;
	int64_t n = text ? strtoll(text, &end, 10) : -1;
	return !text || end == text || errno ? -1 : n;
}

/* The number behind KEY at the beginning of a line. */
static int64_t keyed(const char *text, const char *key)
{
	size_t n = strlen(key);
	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			return number(line + n);
	return -1;
}

static int64_t read_number(struct cg_host *h, enum cg_controller c, const char *name, const char *v1, const char *v2)
{
	_cleanup_free_ char *text = read_of(h, c, name, v1, v2);
	return number(text);
}

static int64_t read_keyed(struct cg_host *h, enum cg_controller c, const char *name, const char *v1, const char *v2,
			  const char *key)
{
	_cleanup_free_ char *text = read_of(h, c, name, v1, v2);
	return keyed(text, key);
}

/* v1 counts a refusal in the group of who was refused, never in the one above whose limit it was: of a pool, the sum over
 * its VEs. */
static int64_t sum_of_pool(struct cg_host *h, enum cg_controller c, const char *name, const char *file, const char *key)
{
	struct cg_hierarchy *hi = cg_hierarchy_of(h, c);
	_cleanup_close_ int pool = file_opendir(hi->base_fd, name);
	int again = pool < 0 ? -1 : openat(pool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	int64_t sum = dir ? 0 : -1;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char path[CG_FILE_MAX];
		if (e->d_type != DT_DIR || e->d_name[0] == '.' || strlen(e->d_name) > CG_NAME_MAX)
			continue;
		struct cg_place place = cg_place(name + 1, e->d_name);
		cg_file_name(place.path, file, path);
		_cleanup_free_ char *text = NULL;
		int64_t n = file_read(hi->base_fd, path, TEXT_MAX, &text, NULL) < 0 ? 0 : keyed(text, key);
		sum += n > 0 ? n : 0;
	}
	return sum;
}

static bool is_pool_on_v1(struct cg_host *h, enum cg_controller c, const char *name)
{
	struct cg_hierarchy *hi = cg_hierarchy_of(h, c);
	return hi && hi->version == 1 && name[0] == CG_POOL_MARK && !strchr(name, '/') && cg_base(h, hi, false, NULL) == 0;
}

/* ---- memory ---- */

static int64_t memory_kills(struct cg_host *h, const char *name)
{
	if (is_pool_on_v1(h, CG_MEMORY, name))
		return sum_of_pool(h, CG_MEMORY, name, "memory.oom_control", "oom_kill");
	return read_keyed(h, CG_MEMORY, name, "memory.oom_control", "memory.events", "oom_kill");
}

/* Of one size of pages. */
struct hugepage_files {
	const char *used[2];	/* v1, v2 */
	const char *failed[2];	/* v1: pages, and promises of pages (mmap(2)) */
	const char *events;	/* v2: both */
};

static int64_t hugepages_refused(struct cg_host *h, const char *name, int version, const struct hugepage_files *f)
{
	int64_t pages, promises;
	if (version == 2)
		return read_keyed(h, CG_HUGETLB, name, NULL, f->events, "max");
	pages = read_number(h, CG_HUGETLB, name, f->failed[0], NULL);
	promises = read_number(h, CG_HUGETLB, name, f->failed[1], NULL);
	return (pages > 0 ? pages : 0) + (promises > 0 ? promises : 0);
}

/* The sum over the sizes of pages; -1: none is counted. */
static void read_hugepages(struct cg_host *h, const char *name, struct cg_counters *c)
{
#define FILES(size) \
	{ { "hugetlb." size ".usage_in_bytes", "hugetlb." size ".current" }, \
	  { "hugetlb." size ".failcnt", "hugetlb." size ".rsvd.failcnt" }, \
	  "hugetlb." size ".events" },
	static const struct hugepage_files files[] = { CG_HUGEPAGE_SIZES(FILES) };
#undef FILES
	struct cg_hierarchy *hi = cg_hierarchy_of(h, CG_HUGETLB);
	for (size_t i = 0; hi && i < ARRAY_SIZE(files); i++) {
		int64_t used = read_number(h, CG_HUGETLB, name, files[i].used[0], files[i].used[1]);
		if (used < 0)
			continue;
		int64_t refused = hugepages_refused(h, name, hi->version, &files[i]);
		c->hugepages_bytes = used + (c->hugepages_bytes > 0 ? c->hugepages_bytes : 0);
		c->hugepages_refused = (refused > 0 ? refused : 0) + (c->hugepages_refused > 0 ? c->hugepages_refused : 0);
	}
}

/* ---- processes ---- */

/* Sums pids.events over the groups below DIR. A tenant may have built CG_GUEST_DESCENDANTS of them, CG_GUEST_DEPTH deep. */
static int64_t sum_refused_forks(int dir_fd, int depth)
{
	char text[64];
	int64_t sum = 0;
	if (file_read_line(dir_fd, "pids.events", text, sizeof(text)) > 0)
		sum = keyed(text, "max");
	int again = depth > CG_GUEST_DEPTH + 2 ? -1 : openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		_cleanup_close_ int sub = file_opendir(dir_fd, e->d_name);
		if (sub >= 0)
			sum += sum_refused_forks(sub, depth + 1);
	}
	return sum < 0 ? 0 : sum;
}

/* Since 6.11 a refusal is counted where the limit is; before, on cgroup2, where the process is that wanted to fork. */
static int64_t refused_forks(struct cg_host *h, const char *name)
{
	char path[CG_FILE_MAX];
	struct cg_hierarchy *hi = cg_hierarchy_of(h, CG_PIDS);
	if (!hi || cg_base(h, hi, false, NULL) < 0)
		return -1;
	if (is_pool_on_v1(h, CG_PIDS, name))
		return sum_of_pool(h, CG_PIDS, name, "pids.events", "max");
	cg_file_name(name, "pids.events.local", path);
	if (hi->version == 1 || faccessat(hi->base_fd, path, F_OK, 0) == 0)
		return read_keyed(h, CG_PIDS, name, "pids.events", "pids.events", "max");
	_cleanup_close_ int dir = file_opendir(hi->base_fd, name);
	return dir < 0 ? -1 : sum_refused_forks(dir, 0);
}

/* ---- disks ---- */

/* WORD's number in the line, or in v1 lines, of DISK. */
static int64_t of_disk(const char *text, int version, dev_t disk, const char *word)
{
	char begin[48];
	if (version == 1) {
		snprintf(begin, sizeof(begin), "%u:%u %s", major(disk), minor(disk), word);
		return keyed(text, begin);
	}
	int n = snprintf(begin, sizeof(begin), "%u:%u ", major(disk), minor(disk));
	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *end = line + strcspn(line, "\n"), *at = strstr(line, word);
		if (strncmp(line, begin, (size_t)n) == 0)
			return at && at < end ? number(at + strlen(word)) : -1;
	}
	return -1;
}

static void read_io(struct cg_host *h, const char *name, const dev_t *disks, unsigned n_disks, struct cg_counters *c)
{
	_cleanup_free_ char *bytes = read_of(h, CG_IO, name, "blkio.throttle.io_service_bytes_recursive", "io.stat");
	_cleanup_free_ char *calls = read_of(h, CG_IO, name, "blkio.throttle.io_serviced_recursive", "io.stat");
	if (!bytes || !calls || n_disks == 0)
		return;
	int version = cg_hierarchy_of(h, CG_IO)->version;
	const struct {
		const char *text, *v1, *v2;
		int64_t *sum;
	} all[] = {
		{ bytes, "Read", " rbytes=", &c->io_read_bytes },
		{ bytes, "Write", " wbytes=", &c->io_written_bytes },
		{ calls, "Read", " rios=", &c->io_reads },
		{ calls, "Write", " wios=", &c->io_writes },
	};
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i].sum = 0; /* a disk without a line was not used */
		for (unsigned d = 0; d < n_disks; d++) {
			int64_t n = of_disk(all[i].text, version, disks[d], version == 1 ? all[i].v1 : all[i].v2);
			*all[i].sum += n > 0 ? n : 0;
		}
	}
}

/* ---- all ---- */

static uint64_t life_of(struct cg_host *h, const char *name)
{
	struct stat st;
	struct cg_hierarchy *hi = h->keeper < 0 ? NULL : &h->hierarchies[h->keeper];
	if (!hi || cg_base(h, hi, false, NULL) < 0 || fstatat(hi->base_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_ino;
}

void cg_counters_init(struct cg_counters *c)
{
	memset(c, 0xFF, sizeof(*c)); /* -1 each */
	c->life = 0;
}

void cg_host_counters(struct cg_host *h, const char *name, const dev_t *disks, unsigned n_disks,
		      struct cg_counters *ret_counters)
{
	struct cg_counters c;
	struct cg_usage u;
	cg_counters_init(&c);
	c.life = life_of(h, name);
	if (c.life) {
		cg_host_usage(h, name, CG_USAGE_ALL, &u);
		c.memory_bytes = u.memory_bytes;
		c.memory_peak_bytes = u.memory_peak_bytes;
		c.swap_bytes = u.swap_bytes;
		c.pids = u.pids;
		c.cpu_ns = u.cpu_ns;
		c.memory_kills = memory_kills(h, name);
		c.swap_peak_bytes = read_number(h, CG_MEMORY, name, NULL, "memory.swap.peak");
		c.swap_refused = read_keyed(h, CG_MEMORY, name, NULL, "memory.swap.events", "fail");
		read_hugepages(h, name, &c);
		c.pids_peak = read_number(h, CG_PIDS, name, "pids.peak", "pids.peak");
		c.pids_refused = refused_forks(h, name);
		c.cpu_throttled = read_keyed(h, CG_CPU, name, "cpu.stat", "cpu.stat", "nr_throttled");
		read_io(h, name, disks, n_disks, &c);
		if (h->v2 >= 0) {
			char path[CG_FILE_MAX];
			_cleanup_free_ char *text = NULL;
			cg_file_name(name, "cgroup.stat", path);
			if (file_read(h->hierarchies[h->v2].base_fd, path, TEXT_MAX, &text, NULL) == 0)
				c.cgroups = keyed(text, "nr_descendants");
		}
	}
	*ret_counters = c;
}
