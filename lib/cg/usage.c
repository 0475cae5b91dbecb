/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a VE uses. `list` asks this of hundreds of VEs: only the files asked for are read, below held descriptors
 * of BASE.
 *
 * CPU time comes from cgroup2 wherever it is mounted: every group of it counts, with or without the cpu
 * controller.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

static int read_text(struct cg_host *h, struct cg_hierarchy *hi, const char *name, const char *file, char *buf,
		     size_t size)
{
	char path[CG_FILE_MAX];
	if (!hi)
		return -ENOENT;
	cg_file_name(name, file, path);
	int r = hi->base_fd < 0 ? -ENOENT : file_read_line(hi->base_fd, path, buf, size);
	/* Whether BASE itself is still there is a question only for what is not. */
	if (r < 0 && cg_base(h, hi, false, NULL) == 0)
		r = file_read_line(hi->base_fd, path, buf, size);
	return r;
}

static int64_t read_number(struct cg_host *h, enum cg_controller c, const char *name, const char *v1,
			   const char *v2)
{
	char text[32];
	struct cg_hierarchy *hi = cg_hierarchy_of(h, c);
	if (!hi || read_text(h, hi, name, hi->version == 1 ? v1 : v2, text, sizeof(text)) <= 0)
		return -1;
	char *end;
	errno = 0;
	int64_t value = strtoll(text, &end, 10);
	return errno || *end || end == text ? -1 : value;
}

static void read_memory(struct cg_host *h, const char *name, bool all, struct cg_usage *u)
{
	struct cg_hierarchy *hi = cg_hierarchy_of(h, CG_MEMORY);
	u->memory_bytes = read_number(h, CG_MEMORY, name, "memory.usage_in_bytes", "memory.current");
	if (u->memory_bytes < 0 || !all)
		return;
	u->memory_peak_bytes = read_number(h, CG_MEMORY, name, "memory.max_usage_in_bytes", "memory.peak");
	u->swap_bytes = read_number(h, CG_MEMORY, name, "memory.memsw.usage_in_bytes", "memory.swap.current");
	/* v1 counts both together, and the two numbers are not of the same instant. */
	if (hi->version == 1 && u->swap_bytes >= 0)
		u->swap_bytes = u->swap_bytes > u->memory_bytes ? u->swap_bytes - u->memory_bytes : 0;
}

static int64_t read_cpu(struct cg_host *h, const char *name)
{
	static const char key[] = "usage_usec ";
	char text[1024];
	if (h->v2 < 0)
		return read_number(h, CG_CPUACCT, name, "cpuacct.usage", NULL);
	if (read_text(h, &h->hierarchies[h->v2], name, "cpu.stat", text, sizeof(text)) <= 0 ||
	    !str_starts(text, key))
		return -1;
	return strtoll(text + strlen(key), NULL, 10) * 1000;
}

void cg_host_usage(struct cg_host *h, const char *name, unsigned what, struct cg_usage *ret_usage)
{
	struct cg_usage u = {
		.memory_bytes = -1, .memory_peak_bytes = -1, .swap_bytes = -1, .pids = -1, .cpu_ns = -1
	};
	if (what & (CG_USAGE_MEMORY | CG_USAGE_MEMORY_ALL))
		read_memory(h, name, what & CG_USAGE_MEMORY_ALL, &u);
	if (what & CG_USAGE_PIDS)
		u.pids = read_number(h, CG_PIDS, name, "pids.current", "pids.current");
	if (what & CG_USAGE_CPU)
		u.cpu_ns = read_cpu(h, name);
	*ret_usage = u;
}

void cg_usage(const struct cg *cg, struct cg_usage *ret_usage)
{
	cg_host_usage(cg->host, cg->place.path, CG_USAGE_ALL, ret_usage);
}
