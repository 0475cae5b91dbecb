/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pools: a group above those of several VEs, whose limits they share. The kernel holds a group to its own limits and to
 * those of every group above it, so all there is to do is to put it there, in each hierarchy: BASE/@POOL/NAME.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"

struct cg_place cg_place(const char *pool, const char *name)
{
	struct cg_place p;
	if (pool)
		snprintf(p.path, sizeof(p.path), "%c%s%s%s", CG_POOL_MARK, pool, name ? "/" : "", name ? name : "");
	else
		snprintf(p.path, sizeof(p.path), "%s", name ? name : "");
	return p;
}

static bool is_word(const char *word, size_t n)
{
	return n > 0 && n <= CG_NAME_MAX && word[0] != '.' && word[0] != CG_POOL_MARK;
}

int cg_place_check(const char *place, ve_error **ret_error)
{
	const char *slash = strchr(place, '/'), *name = slash ? slash + 1 : place;
	bool good = !strchr(name, '/') && !strchr(place, '\n') && is_word(name, strlen(name));
	if (slash)
		good = good && place[0] == CG_POOL_MARK && is_word(place + 1, (size_t)(slash - place - 1));
	return good ? 0 : err_plain(ret_error, VE_ERR_BUG, EINVAL, "cgroup", "'%s' cannot be the name of a cgroup", place);
}

bool cg_place_above(const char *place, struct cg_place *ret_pool)
{
	size_t n = strcspn(place, "/");
	if (!place[n] || n >= sizeof(ret_pool->path))
		return false;
	memcpy(ret_pool->path, place, n);
	ret_pool->path[n] = '\0';
	return true;
}

int cg_pool_create(struct cg_host *h, const char *pool, struct cg **ret_cg, ve_error **ret_error)
{
	_cleanup_cg_ struct cg *cg = cg_new(h, cg_place(pool, NULL).path);
	int r = cg ? 0 : err_nomem(ret_error);
	for (int i = 0; r == 0 && i < h->n; i++) {
		struct cg_hierarchy *hi = cg_in_order(h, i);
		r = hi ? cg_base(h, hi, true, ret_error) : 0;
		if (hi && r == 0)
			r = hi->backend->make_pool(cg, hi, ret_error);
	}
	if (r == 0)
		*ret_cg = steal_ptr(&cg);
	return r;
}

int cg_pool_open(struct cg_host *h, const char *pool, struct cg **ret_cg, ve_error **ret_error)
{
	struct cg_place place = cg_place(pool, NULL);
	bool found = false;
	for (int i = 0; i < h->n; i++) {
		struct cg_hierarchy *hi = cg_in_order(h, i);
		/* All of them: cg_apply() wants BASE open wherever it is. */
		if (hi && cg_base(h, hi, false, NULL) == 0)
			found |= faccessat(hi->base_fd, place.path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	struct cg *cg = found ? cg_new(h, place.path) : NULL;
	if (!cg)
		return found ? err_nomem(ret_error) : -ENOENT;
	*ret_cg = cg;
	return 0;
}

/* The keeper's last, in which every VE has a group: as long as that is there, the pool is in use. */
int cg_pool_remove(struct cg_host *h, const char *pool, ve_error **ret_error)
{
	struct cg_place place = cg_place(pool, NULL);
	for (int i = h->n - 1; i >= 0; i--) {
		struct cg_hierarchy *hi = cg_in_order(h, i);
		if (!hi || cg_base(h, hi, false, NULL) < 0)
			continue;
		if (unlinkat(hi->base_fd, place.path, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		return errno == EBUSY ? -EBUSY :
					err_sys(ret_error, errno, "cgroup", "cannot remove the cgroup '%s/%s' in '%s'", h->base,
						place.path, hi->path);
	}
	return 0;
}

/* Calls FN for the name of each pool's group in HI, until it returns something else than 0. */
static int each_pool(struct cg_hierarchy *hi, int (*fn)(struct cg_hierarchy *hi, const char *name, void *data), void *data)
{
	int fd = openat(hi->base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return -errno;
	for (struct dirent *e; r == 0 && (e = readdir(dir));)
		if (e->d_name[0] == CG_POOL_MARK)
			r = fn(hi, e->d_name + 1, data);
	return r;
}

static int add_name(struct cg_hierarchy *hi, const char *name, void *names)
{
	(void)hi;
	for (char **n = *(char ***)names; n && *n; n++)
		if (str_eq(*n, name))
			return 0;
	return strv_add(names, name);
}

int cg_pool_names(struct cg_host *h, char ***ret_names)
{
	_cleanup_strv_ char **names = NULL;
	int r = 0;
	for (int i = 0; i < h->n && r == 0; i++) {
		struct cg_hierarchy *hi = cg_in_order(h, i);
		if (hi && cg_base(h, hi, false, NULL) == 0)
			r = each_pool(hi, add_name, &names);
	}
	if (r == 0)
		*ret_names = steal_ptr(&names);
	return r;
}
