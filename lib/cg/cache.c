/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What discover.c found, kept in the run directory until the next boot:
 *
 *   vectl-cgroups 1 BOOTID
 *   VERSION MOUNTID DEV CONTROLLERS PATH      one line a hierarchy; CONTROLLERS is "-" or words with commas
 *
 * It holds as long as the boot id is the same and each path leads to the same mount (statx's mount id) of the
 * same superblock; a mount namespace of its own has other mount ids. Not seen is a controller that moves to
 * another hierarchy while all mounts stay: then a group's file is missing, and whoever misses it calls
 * cg_cache_drop().
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/bootid.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

#define CACHE_NAME "cgroups"
#define CACHE_HEAD "vectl-cgroups 1 "
enum { CACHE_MAX = 65536 };

void cg_hierarchies_done(struct cg_host *h)
{
	for (int i = 0; i < h->n; i++) {
		struct cg_hierarchy *hi = &h->hierarchies[i];
		close_fd(&hi->monitor_fd);
		close_fd(&hi->base_fd);
		if (hi->parent_fd != hi->root_fd)
			close_fd(&hi->parent_fd);
		close_fd(&hi->root_fd);
		free(hi->path);
	}
	h->n = 0;
}

static int hierarchy_open(struct cg_hierarchy *hi, bool check)
{
	hi->root_fd = open(hi->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx sx;
	if (hi->root_fd < 0 || statx(hi->root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0)
		return -errno;
	uint64_t dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
	if (check)
		return hi->mount_id == sx.stx_mnt_id && hi->dev == dev ? 0 : -ESTALE;
	hi->mount_id = sx.stx_mnt_id;
	hi->dev = dev;
	struct statfs sf;
	if (fstatfs(hi->root_fd, &sf) < 0)
		return -errno;
	hi->version = sf.f_type == CGROUP2_SUPER_MAGIC ? 2 : sf.f_type == CGROUP_SUPER_MAGIC ? 1 : 0;
	return hi->version ? 0 : -ESTALE;
}

int cg_hierarchies_open(struct cg_host *h, bool check)
{
	for (int i = 0; i < h->n; i++) {
		int r = hierarchy_open(&h->hierarchies[i], check);
		if (r < 0)
			return r;
	}
	return 0;
}

char *cg_cache_format(const struct cg_host *h, const char *boot_id)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	strbuf_addf(&b, CACHE_HEAD "%s\n", boot_id);
	for (int i = 0; i < h->n; i++) {
		const struct cg_hierarchy *hi = &h->hierarchies[i];
		if (strchr(hi->path, '\n'))
			return NULL; /* would be two lines */
		strbuf_addf(&b, "%d %" PRIu64 " %" PRIu64 " ", hi->version, hi->mount_id, hi->dev);
		const char *comma = "";
		for (int c = 0; c < CG_CONTROLLER_COUNT; c++)
			if (hi->controllers & CG_BIT(c)) {
				strbuf_addf(&b, "%s%s", comma, cg_controller_name(c, hi->version) ?: "-");
				comma = ",";
			}
		strbuf_addf(&b, "%s %s\n", hi->controllers ? "" : "-", hi->path);
	}
	return strbuf_steal(&b);
}

static int parse_line(struct cg_host *h, const char *line)
{
	struct cg_hierarchy hi = { .root_fd = -1, .parent_fd = -1, .base_fd = -1, .monitor_fd = -1 };
	char controllers[128];
	int path_at = 0;
	if (h->n == CG_MAX_HIERARCHIES ||
	    sscanf(line, "%d %" SCNu64 " %" SCNu64 " %127s %n", &hi.version, &hi.mount_id, &hi.dev, controllers,
		   &path_at) != 4 ||
	    line[path_at] != '/' || (hi.version != 1 && hi.version != 2))
		return -ESTALE;
	hi.controllers = cg_controllers_parse(controllers);
	hi.path = strdup(line + path_at);
	if (!hi.path)
		return -ENOMEM;
	h->hierarchies[h->n++] = hi;
	return 0;
}

int cg_cache_parse(struct cg_host *h, const char *text, const char *boot_id)
{
	size_t head = strlen(CACHE_HEAD), id = strlen(boot_id);
	if (!str_starts(text, CACHE_HEAD) || !str_starts(text + head, boot_id) || text[head + id] != '\n')
		return -ESTALE;
	_cleanup_strv_ char **lines = strv_split(text + head + id, "\n");
	if (!lines)
		return -ENOMEM;
	int r = 0;
	for (char **line = lines; *line && r == 0; line++)
		r = parse_line(h, *line);
	if (r == 0 && h->n == 0)
		r = -ESTALE;
	if (r < 0)
		cg_hierarchies_done(h);
	return r;
}

int cg_cache_load(struct cg_host *h)
{
	const char *id;
	_cleanup_free_ char *text = NULL;
	int r = h->run_fd >= 0 ? 0 : -ENOENT;
	if (r == 0)
		r = file_read(h->run_fd, CACHE_NAME, CACHE_MAX, &text, NULL);
	if (r == 0)
		r = boot_id(&id);
	if (r >= 0)
		r = cg_cache_parse(h, text, id);
	if (r == 0)
		r = cg_hierarchies_open(h, true);
	if (r < 0)
		cg_hierarchies_done(h);
	return r;
}

/* Best effort: without a cache everything works, a millisecond later. */
void cg_cache_save(const struct cg_host *h)
{
	const char *id;
	if (h->run_fd < 0 || boot_id(&id) < 0)
		return;
	_cleanup_free_ char *text = cg_cache_format(h, id);
	if (text)
		file_replace(h->run_fd, CACHE_NAME, text, strlen(text), 0644, false);
}

void cg_cache_drop(const struct cg_host *h)
{
	if (h->run_fd >= 0)
		unlinkat(h->run_fd, CACHE_NAME, 0);
}
