/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which CPUs a VE with fewer cores than the host gets: those that the fewest VEs are bound to.
 *
 * Asking all VEs' cpusets would make the 500th start dearer than the first, so the counts stand in a file of
 * the run directory, "cpu-load": one uint16_t a CPU, changed by atomic operations in a shared mapping (two starts
 * at once may choose alike, none is lost). It is advice: a killed verb leaves a count too high, the boot clears
 * it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

#define LOAD_NAME "cpu-load"
enum { LOAD_SIZE = CG_MAX_CPUS * sizeof(uint16_t), LIST_MAX = 65536 };

unsigned cg_cpus_count(const struct cg_cpus *c)
{
	unsigned n = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(c->bits); i++)
		n += (unsigned)__builtin_popcountll(c->bits[i]);
	return n;
}

int cg_cpus_parse(const char *list, struct cg_cpus *ret_cpus)
{
	struct cg_cpus c = { 0 };
	for (const char *p = list; *p && *p != '\n';) {
		char *end;
		if (*p < '0' || *p > '9')
			return -EINVAL;
		unsigned long first = strtoul(p, &end, 10), last = first;
		if (*end == '-') {
			p = end + 1;
			if (*p < '0' || *p > '9')
				return -EINVAL;
			last = strtoul(p, &end, 10);
		}
		if (last >= CG_MAX_CPUS || first > last || (*end && *end != ',' && *end != '\n'))
			return -EINVAL;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			cg_cpus_add(&c, (unsigned)cpu);
		p = *end == ',' ? end + 1 : end;
	}
	*ret_cpus = c;
	return 0;
}

char *cg_cpus_format(const struct cg_cpus *c)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (unsigned cpu = 0; cpu < CG_MAX_CPUS; cpu++) {
		if (!cg_cpus_has(c, cpu))
			continue;
		unsigned last = cpu;
		while (last + 1 < CG_MAX_CPUS && cg_cpus_has(c, last + 1))
			last++;
		strbuf_addf(&b, last > cpu ? "%s%u-%u" : "%s%u", b.len ? "," : "", cpu, last);
		cpu = last;
	}
	return strbuf_steal(&b);
}

void cg_cpus_choose(const struct cg_cpus *online, const uint16_t *load, unsigned wanted, struct cg_cpus *ret_cpus)
{
	struct cg_cpus chosen = { 0 };
	while (wanted-- > 0) {
		int best = -1;
		for (unsigned cpu = 0; cpu < CG_MAX_CPUS; cpu++) {
			if (!online->bits[cpu / 64]) {
				cpu |= 63; /* most of the set is empty */
				continue;
			}
			if (cg_cpus_has(online, cpu) && !cg_cpus_has(&chosen, cpu) &&
			    (best < 0 || load[cpu] < load[best]))
				best = (int)cpu;
		}
		if (best < 0)
			break;
		cg_cpus_add(&chosen, (unsigned)best);
	}
	*ret_cpus = chosen;
}

/* The counts, mapped; NULL where there is no run directory. MAKE: the file is made. */
static uint16_t *load_map(struct cg_host *h, bool make)
{
	if (h->run_fd < 0)
		return NULL;
	_cleanup_close_ int fd =
		openat(h->run_fd, LOAD_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	/* A shorter file would kill us by SIGBUS. */
	if (st.st_size < LOAD_SIZE && ftruncate(fd, LOAD_SIZE) < 0)
		return NULL;
	void *p = mmap(NULL, LOAD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void count(uint16_t *load, const struct cg_cpus *c, int by)
{
	for (unsigned cpu = 0; cpu < CG_MAX_CPUS; cpu++) {
		if (!c->bits[cpu / 64])
			cpu |= 63;
		else if (cg_cpus_has(c, cpu) && (by > 0 || __atomic_load_n(&load[cpu], __ATOMIC_RELAXED) > 0))
			__atomic_fetch_add(&load[cpu], (uint16_t)by, __ATOMIC_RELAXED);
	}
}

void cg_cpus_take(struct cg_host *h, const struct cg_cpus *online, unsigned wanted,
		  const struct cg_cpus *give_back, struct cg_cpus *ret_cpus)
{
	static const uint16_t no_load[CG_MAX_CPUS];
	uint16_t *load = load_map(h, wanted > 0);
	if (load && give_back)
		count(load, give_back, -1);
	if (wanted > 0) {
		cg_cpus_choose(online, load ? load : no_load, wanted, ret_cpus);
		if (load)
			count(load, ret_cpus, 1);
	}
	if (load)
		munmap(load, LOAD_SIZE);
}

int cg_cpus_bound(struct cg *cg, struct cg_cpus *ret_online, struct cg_cpus *ret_bound)
{
	struct cg_hierarchy *hi = cg_hierarchy_of(cg->host, CG_CPUSET);
	if (!hi || hi->base_fd < 0)
		return -ENOENT;
	char path[CG_FILE_MAX];
	cg_file_name(cg->place.path, "cpuset.cpus", path);
	_cleanup_free_ char *online = NULL, *bound = NULL;
	struct cg_cpus all, own;
	int r = file_read(hi->base_fd, hi->version == 2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus",
			  LIST_MAX, &online, NULL);
	if (r == 0)
		r = file_read(hi->base_fd, path, LIST_MAX, &bound, NULL);
	if (r == 0)
		r = cg_cpus_parse(online, &all);
	if (r == 0)
		r = cg_cpus_parse(bound, &own);
	if (r < 0)
		return r;
	*ret_online = all;
	/* On v1 a group that was given none has all. */
	*ret_bound = memcmp(&own, &all, sizeof(own)) == 0 ? (struct cg_cpus){ 0 } : own;
	return 0;
}

void cg_cpus_release(struct cg *cg)
{
	if (cg->host->run_fd < 0 || faccessat(cg->host->run_fd, LOAD_NAME, F_OK, 0) < 0)
		return; /* nobody is bound */
	struct cg_cpus online, bound;
	if (cg_cpus_bound(cg, &online, &bound) == 0 && cg_cpus_count(&bound) > 0)
		cg_cpus_take(cg->host, &online, 0, &bound, NULL);
}
