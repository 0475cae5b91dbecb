/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/tenantpool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/config_read.h"
#include "model/jsontext.h"
#include "model/name.h"

#define POOLS "pools"
enum { POOL_MAX_BYTES = 65536 };

/* Which keys a group above others can have. Not those that choose CPUs, which each VE does for itself, nor guarantees. */
static const char *const keys[] = { "cpu.limit", "cpu.weight", "memory.limit", "memory.swap", "pids.limit", "io.weight",
				    "io.read_bps", "io.write_bps", "io.read_iops", "io.write_iops" };

bool tenantpool_has_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_eq(key, keys[i]))
			return true;
	return false;
}

static int no_key(const char *key, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	_cleanup_free_ char *quoted = str_quote(key);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		strbuf_addf(&b, "%s%s", i ? " " : "", keys[i]);
	int r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "pool", "'%s' is no limit that VEs can share", quoted ? quoted : "");
	err_hint(ret_error, "a pool has: %s", b.data ? b.data : "");
	return r;
}

/* One file's name below etc/vectl, and its spelling for messages. */
struct place {
	char below[sizeof(POOLS) + 80], what[128];
};

static struct place place_of(const char *name)
{
	struct place p;
	snprintf(p.below, sizeof(p.below), POOLS "/%.64s.json", name);
	snprintf(p.what, sizeof(p.what), "/etc/vectl/" POOLS "/%.64s.json", name);
	return p;
}

int tenantpool_check_name(const char *name, ve_error **ret_error)
{
	return name_check("pool", name, ret_error);
}

static int refuse_foreign(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	(void)old_value;
	(void)new_value;
	return tenantpool_has_key(key) ? 0 : no_key(key, data);
}

static int parse(const char *text, size_t size, const char *what, struct config *limits, ve_error **ret_error)
{
	_cleanup_config_ struct config *none = NULL;
	json_t *root = NULL;
	int r = jsontext_parse(text, size, what, &root, ret_error);
	if (r < 0)
		return r;
	json_decref(limits->root);
	limits->root = root;
	r = config_read_members(schema_keys, root, text, size, what, ret_error);
	if (r == 0)
		r = config_new(NULL, &none, ret_error);
	if (r == 0 && (r = config_diff(none, limits, refuse_foreign, ret_error, ret_error)) < 0)
		err_wrap(ret_error, "%s", what);
	return r;
}

static int not_found(int etc_fd, const char *name, ve_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	int r = err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "pool", "there is no pool '%s'", name);
	if (tenantpool_names(etc_fd, &names, NULL) < 0)
		return r;
	for (char **n = names; n && *n; n++)
		if (str_distance(name, *n, 2) <= 2) {
			err_hint(ret_error, "did you mean '%s'?", *n);
			return r;
		}
	err_hint(ret_error, "make it: vectl pool set %s memory.limit=...", name);
	return r;
}

int tenantpool_load(int etc_fd, const char *name, struct config **ret_limits, ve_error **ret_error)
{
	_cleanup_config_ struct config *limits = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ ve_error *e = NULL;
	struct place place = place_of(name);
	size_t size;
	int r = tenantpool_check_name(name, ret_error);
	if (r == 0)
		r = config_new(NULL, &limits, ret_error);
	if (r < 0)
		return r;
	r = etc_fd < 0 ? -ENOENT : jsontext_read(etc_fd, place.below, place.what, POOL_MAX_BYTES, &text, &size, &e);
	if (r == -ENOENT)
		return not_found(etc_fd, name, ret_error);
	if (r < 0) {
		err_propagate(ret_error, &e);
		return r;
	}
	r = parse(text, size, place.what, limits, ret_error);
	if (r == 0)
		*ret_limits = steal_ptr(&limits);
	return r;
}

int tenantpool_save(int etc_fd, const char *name, const struct config *limits, ve_error **ret_error)
{
	struct place place = place_of(name);
	if (json_object_set_new(limits->root, "schema", json_integer(CONFIG_SCHEMA)) < 0)
		return err_nomem(ret_error);
	_cleanup_free_ char *json = json_dumps(limits->root, JSON_INDENT(2) | JSON_SORT_KEYS);
	_cleanup_free_ char *text = json ? str_printf("%s\n", json) : NULL;
	if (!text)
		return err_nomem(ret_error);
	int r = file_mkdirs(etc_fd, POOLS, 0755);
	if (r == 0)
		r = file_replace(etc_fd, place.below, text, strlen(text), 0644, true);
	return r < 0 ? err_sys(ret_error, -r, "pool", "cannot write '%s'", place.what) : 0;
}

int tenantpool_unlink(int etc_fd, const char *name, ve_error **ret_error)
{
	struct place place = place_of(name);
	if (unlinkat(etc_fd, place.below, 0) < 0 && errno != ENOENT)
		return err_sys(ret_error, errno, "pool", "cannot remove '%s'", place.what);
	unlinkat(etc_fd, POOLS, AT_REMOVEDIR); /* if it was the last one */
	return 0;
}

bool tenantpool_exists(int etc_fd, const char *name)
{
	struct place place = place_of(name);
	return etc_fd >= 0 && faccessat(etc_fd, place.below, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return str_natural_cmp(*(const char *const *)a, *(const char *const *)b);
}

int tenantpool_names(int etc_fd, char ***ret_names, ve_error **ret_error)
{
	_cleanup_strv_ char **names = calloc(1, sizeof(char *));
	int fd = etc_fd < 0 ? -1 : openat(etc_fd, POOLS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	for (struct dirent *e; names && dir && (e = readdir(dir));) {
		if (!str_ends(e->d_name, ".json"))
			continue;
		e->d_name[strlen(e->d_name) - strlen(".json")] = '\0';
		if (tenantpool_check_name(e->d_name, NULL) == 0 && strv_add(&names, e->d_name) < 0)
			return err_nomem(ret_error);
	}
	if (!names)
		return err_nomem(ret_error);
	qsort(names, strv_length((const char *const *)names), sizeof(*names), compare_names);
	*ret_names = steal_ptr(&names);
	return 0;
}

int tenantpool_assign(struct config *limits, const char *assignment, ve_error **ret_error)
{
	_cleanup_free_ char *key = strndup(assignment, strcspn(assignment, "=+-"));
	if (!key)
		return err_nomem(ret_error);
	if (schema_find(key) && !tenantpool_has_key(key))
		return no_key(key, ret_error);
	return config_assign(limits, assignment, ret_error);
}
