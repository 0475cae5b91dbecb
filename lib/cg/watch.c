/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes readable when a VE was refused something: the event files of its groups, which the kernel notifies, and for
 * v1's memory controller an eventfd, which it raises when memory runs out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "cg/backend.h"

static void add(struct cg_watched *ret, unsigned *n, int fd, const char *key, bool silent)
{
	if (fd >= 0 && *n < CG_WATCHED_MAX)
		ret[(*n)++] = (struct cg_watched){ fd, key, silent };
}

static int open_file(struct cg_hierarchy *hi, const char *name, const char *file)
{
	char path[CG_FILE_MAX];
	cg_file_name(name, file, path);
	return openat(hi->base_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static int oom_eventfd(struct cg_hierarchy *hi, const char *name)
{
	char path[CG_FILE_MAX], text[32];
	_cleanup_close_ int control = open_file(hi, name, "memory.oom_control");
	_cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(text, sizeof(text), "%d %d", fd, control);
	cg_file_name(name, "cgroup.event_control", path);
	if (fd < 0 || control < 0 || file_poke(hi->base_fd, path, text) < 0)
		return -1;
	return steal_fd(&fd);
}

unsigned cg_watch(struct cg *cg, struct cg_watched ret_watched[CG_WATCHED_MAX])
{
	unsigned n = 0;
	struct cg_hierarchy *memory = cg_hierarchy_of(cg->host, CG_MEMORY), *pids = cg_hierarchy_of(cg->host, CG_PIDS);
	if (memory && memory->version == 2)
		add(ret_watched, &n, open_file(memory, cg->place.path, "memory.events"), "oom_kill", false);
	else if (memory)
		add(ret_watched, &n, oom_eventfd(memory, cg->place.path), NULL, false);
	/* On v1 the kernel notifies another file than the one that it shows (6.18: tried). */
	if (pids)
		add(ret_watched, &n, open_file(pids, cg->place.path, "pids.events"), "max", pids->version == 1);
	/* Kernels before 6.11 count a refusal where the process is; a plain init and its children are here. */
	if (pids && pids->version == 2)
		add(ret_watched, &n, open_file(pids, cg->place.path, "guest/pids.events"), "max", false);
	return n;
}
