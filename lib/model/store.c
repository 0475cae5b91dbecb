/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store's directories are opened once, as descriptors, and everything else is relative to them. The way to a
 * directory may lead over links (a provider's /var on another disk), the directory itself may not be one, and
 * nobody but root may have a say in it.
 */
#include "model/store.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/lock.h"
#include "base/str.h"
#include "model/config.h"

static const char *const claim_dirs[CLAIM_KIND_COUNT] = {
	[CLAIM_NAME] = "name", [CLAIM_IDS] = "ids", [CLAIM_ADDRESS] = "address", [CLAIM_LINK] = "link",
	[CLAIM_PREFIX] = "prefix",
	[CLAIM_PORT] = "port",
};

enum { TAKEOVER_TIMEOUT_MS = 10000 };

/* ---- the root ----------------------------------------------------------------------------------- */

static int root_resolve(const char *root, bool make, char **ret_root, ve_error **ret_error)
{
	if (!root || !*root)
		root = "/";
	_cleanup_free_ char *quoted = str_quote(root);
	if (!quoted)
		return err_nomem(ret_error);
	if (root[0] != '/')
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "store", "the root '%s' is no absolute path",
				 quoted);
	if (strlen(root) >= PATH_MAX - 256)
		return err_plain(ret_error, VE_ERR_USAGE, ENAMETOOLONG, "store", "the root's path is too long");
	char *resolved = realpath(root, NULL);
	if (!resolved && errno == ENOENT && make) {
		int r = file_mkdirs(AT_FDCWD, root, 0755);
		if (r < 0)
			return err_sys(ret_error, -r, "store", "cannot make the root '%s'", quoted);
		resolved = realpath(root, NULL);
	}
	if (!resolved && errno == ENOENT && !make)
		resolved = strdup(root); /* nothing there: everything below is missing, too */
	if (!resolved)
		return err_sys(ret_error, errno, "store", "cannot use the root '%s'", quoted);
	*ret_root = resolved;
	return 0;
}

/* FNV-1a, 32 bits: no secret, only short and the same every time. */
static void root_tag(const char *root, char tag[12])
{
	if (strcmp(root, "/") == 0) {
		tag[0] = '\0';
		return;
	}
	uint32_t h = 2166136261u;
	for (const unsigned char *p = (const unsigned char *)root; *p; p++)
		h = (h ^ *p) * 16777619u;
	snprintf(tag, 12, "-%08x", h);
}

/* ---- directories -------------------------------------------------------------------------------- */

/* PRIVATE: nobody else may even pass through. */
static int check_owner(int fd, const char *root, const char *path, bool private, ve_error **ret_error)
{
	const char *slash = root[1] ? "/" : "";
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(ret_error, errno, "store", "cannot look at '%s%s%s'", root, slash, path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_plain(ret_error, VE_ERR_PERMISSION, EPERM, "store",
				 "'%s%s%s' belongs to user %u: a store is used only where it is root's", root,
				 slash, path, (unsigned)st.st_uid);
	mode_t others = st.st_mode & (private ? 0077 : 0022);
	if (!others)
		return 0;
	int r = err_plain(ret_error, VE_ERR_PERMISSION, EPERM, "store", "others may %s '%s%s%s' (mode %04o)",
			  private ? "enter" : "write to", root, slash, path, (unsigned)(st.st_mode & 07777));
	err_hint(ret_error, "chmod %s %s%s%s", private ? "0700" : "go-w", root, slash, path);
	return r;
}

struct place {
	const char *path; /* below the root */
	mode_t mode;
	size_t fd_offset; /* in struct store */
};

/* In the order of making. What holds root trees or tenants' output is closed to everybody but root. */
static const struct place places[] = {
	{ "etc/vectl", 0755, offsetof(struct store, etc_fd) },
	{ "var/lib/vectl", 0755, offsetof(struct store, lib_fd) },
	{ "var/lib/vectl/images", 0700, offsetof(struct store, images_fd) },
	{ "var/lib/vectl/ve", 0700, offsetof(struct store, ve_fd) },
	{ "var/lib/vectl/claims", 0755, offsetof(struct store, claims_fd) },
	{ "run/vectl", 0755, offsetof(struct store, run_fd) },
	{ "run/vectl/jails", 0700, offsetof(struct store, jails_fd) },
	{ "var/log/vectl", 0750, offsetof(struct store, log_fd) },
};

/* The parents of a place are the system's own (0755); the place itself gets its mode exactly, whatever the
 * caller's umask is. */
static int place_make(int root_fd, const struct place *p)
{
	_cleanup_free_ char *parent = strndup(p->path, (size_t)(strrchr(p->path, '/') - p->path));
	if (!parent)
		return -ENOMEM;
	int r = file_mkdirs(root_fd, parent, 0755);
	if (r < 0)
		return r;
	if (mkdirat(root_fd, p->path, p->mode) == 0)
		return fchmodat(root_fd, p->path, p->mode, 0) < 0 ? -errno : 0;
	return errno == EEXIST ? 0 : -errno;
}

static int place_open(struct store *s, int root_fd, const struct place *p, bool make, ve_error **ret_error)
{
	const char *slash = s->root[1] ? "/" : "";
	_cleanup_close_ int fd = file_opendir(root_fd, p->path);
	if (fd == -ENOENT && make) {
		int r = place_make(root_fd, p);
		if (r < 0)
			return err_sys(ret_error, -r, "store", "cannot make '%s%s%s'", s->root, slash, p->path);
		fd = file_opendir(root_fd, p->path);
	}
	if (fd == -ENOENT && !make)
		return 0;
	if (fd < 0)
		return err_sys(ret_error, -fd, "store", "cannot open '%s%s%s'", s->root, slash, p->path);
	int r = check_owner(fd, s->root, p->path, p->mode == 0700, ret_error);
	if (r < 0)
		return r;
	*(int *)(void *)((char *)s + p->fd_offset) = steal_fd(&fd);
	return 0;
}

static int claims_make(struct store *s, ve_error **ret_error)
{
	for (unsigned k = 0; k < CLAIM_KIND_COUNT; k++)
		if (mkdirat(s->claims_fd, claim_dirs[k], 0755) < 0 && errno != EEXIST)
			return err_sys(ret_error, errno, "store", "cannot make the directory of claims '%s'",
				       claim_dirs[k]);
	return 0;
}

static int template_dirs_make(struct store *s)
{
	_cleanup_free_ char *own = str_printf("%s/etc/vectl/templates", s->root[1] ? s->root : "");
	_cleanup_free_ char *shipped = str_printf("%s/ve", store_data_dir());
	if (!own || !shipped || strv_add(&s->template_dirs, own) < 0 || strv_add(&s->template_dirs, shipped) < 0)
		return -ENOMEM;
	return 0;
}

static int open_places(struct store *s, bool make, ve_error **ret_error)
{
	_cleanup_close_ int root_fd = open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0 && errno == ENOENT && !make)
		return 0;
	if (root_fd < 0)
		return err_sys(ret_error, errno, "store", "cannot open the root '%s'", s->root);
	int r = check_owner(root_fd, s->root, "", false, ret_error);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
		r = place_open(s, root_fd, &places[i], make, ret_error);
	return r == 0 && make ? claims_make(s, ret_error) : r;
}

int store_open(const char *root, bool make, struct store **ret_store, ve_error **ret_error)
{
	_cleanup_store_ struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(ret_error);
	s->etc_fd = s->lib_fd = s->run_fd = s->log_fd = s->images_fd = s->ve_fd = s->jails_fd = s->claims_fd = -1;
	int r = root_resolve(root, make, &s->root, ret_error);
	if (r < 0)
		return r;
	root_tag(s->root, s->tag);
	if (template_dirs_make(s) < 0)
		return err_nomem(ret_error);
	r = open_places(s, make, ret_error);
	if (r < 0)
		return r;
	*ret_store = steal_ptr(&s);
	return 0;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	int *fds[] = { &s->etc_fd, &s->lib_fd, &s->run_fd, &s->log_fd, &s->images_fd, &s->ve_fd, &s->jails_fd, &s->claims_fd };
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close_fd(fds[i]);
	strv_free(s->template_dirs);
	free(s->root);
	free(s);
}

void store_freep(struct store **s)
{
	store_free(*s);
}

/* ---- claims ------------------------------------------------------------------------------------- */

static int claim_path(enum claim_kind kind, const char *key, char ret_path[128], ve_error **ret_error)
{
	bool good = *key && *key != '.' && strlen(key) < 100;
	for (const char *p = key; good && *p; p++)
		good = isalnum((unsigned char)*p) || strchr("._:-", *p);
	if (!good)
		return err_plain(ret_error, VE_ERR_BUG, EINVAL, "store", "a claim's key of %zu bytes is malformed",
				 strlen(key));
	snprintf(ret_path, 128, "%s/%s", claim_dirs[kind], key);
	return 0;
}

static bool is_directory(int dir_fd, const char *name)
{
	struct stat st;
	return dir_fd >= 0 && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

bool store_has_ve(const struct store *s, const char *uuid)
{
	return uuid_is(uuid) && (is_directory(s->ve_fd, uuid) || is_directory(s->jails_fd, uuid));
}

/* The target of a claim; what is no uuid (somebody's own link) comes out as "". -ENOENT: no such claim. */
static int claim_read(const struct store *s, const char *path, char ret_uuid[UUID_LENGTH + 1])
{
	char target[UUID_LENGTH + 2];
	if (s->claims_fd < 0)
		return -ENOENT;
	ssize_t n = readlinkat(s->claims_fd, path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	memcpy(ret_uuid, uuid_is(target) ? target : "", uuid_is(target) ? sizeof(target) - 1 : 1);
	return 0;
}

/* The name of VE UUID for a message; its uuid where the name is not to be had. */
static char *ve_title(const struct store *s, const char *uuid)
{
	_cleanup_config_ struct config *c = NULL;
	_cleanup_free_ char *path = str_printf("%s/config.json", uuid);
	const int homes[] = { s->ve_fd, s->jails_fd };
	for (size_t i = 0; path && i < ARRAY_SIZE(homes); i++)
		if (homes[i] >= 0 && config_load(homes[i], path, path, &c, NULL) == 0)
			return strdup(config_name(c));
	return strdup(uuid);
}

static int taken(struct store *s, enum claim_kind kind, const char *key, const char *owner, ve_error **ret_error)
{
	if (!ret_error) /* whoever tries keys one after the other wants no sentences */
		return -EEXIST;
	if (kind == CLAIM_NAME)
		return err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "store", "a VE called '%s' exists already",
				 key);
	_cleanup_free_ char *title = ve_title(s, owner);
	static const char *const words[CLAIM_KIND_COUNT] = {
		[CLAIM_IDS] = "id range", [CLAIM_ADDRESS] = "address", [CLAIM_LINK] = "link id",
		[CLAIM_PREFIX] = "prefix",
		[CLAIM_PORT] = "port of the host's",
	};
	return err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "store", "the %s '%s' belongs to VE '%s'", words[kind],
			 key, title ? title : owner);
}

/* Under the store's lock, so that two that find the same dead claim do not remove each other's new one. */
static int take_over(struct store *s, const char *path, const char *uuid, ve_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	char owner[UUID_LENGTH + 1];
	int r = lock_take(s->lib_fd, "lock", TAKEOVER_TIMEOUT_MS, -1, "the store", "claim", &lock, ret_error);
	if (r < 0)
		return r;
	r = claim_read(s, path, owner);
	if (r == 0 && store_has_ve(s, owner))
		return 0; /* somebody was quicker: the caller looks again */
	if (r == 0 && unlinkat(s->claims_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(ret_error, errno, "store", "cannot remove the dead claim '%s'", path);
	if (symlinkat(uuid, s->claims_fd, path) < 0 && errno != EEXIST)
		return err_sys(ret_error, errno, "store", "cannot make the claim '%s'", path);
	return 0;
}

/* Could UUID have it? */
static int look_at_claim(struct store *s, enum claim_kind kind, const char *key, const char *uuid, ve_error **ret_error)
{
	char owner[UUID_LENGTH + 1];
	if (store_claimed_by(s, kind, key, owner) < 0 || str_eq(owner, uuid))
		return 0;
	return taken(s, kind, key, owner, ret_error);
}

int store_claim(struct store *s, enum claim_kind kind, const char *key, const char *uuid, ve_error **ret_error)
{
	char path[128], owner[UUID_LENGTH + 1];
	int r = claim_path(kind, key, path, ret_error);
	if (r < 0 || s->look_only)
		return r < 0 ? r : look_at_claim(s, kind, key, uuid, ret_error);
	if (!uuid_is(uuid) || s->claims_fd < 0)
		return err_plain(ret_error, VE_ERR_BUG, EINVAL, "store", "claim of '%s' without a store or a uuid",
				 key);
	for (unsigned tries = 0; tries < 16; tries++) {
		if (symlinkat(uuid, s->claims_fd, path) == 0)
			return 0;
		if (errno != EEXIST)
			return err_sys(ret_error, errno, "store", "cannot make the claim '%s'", path);
		r = claim_read(s, path, owner);
		if (r == -ENOENT)
			continue; /* released between the two calls */
		if (r < 0)
			return err_sys(ret_error, -r, "store", "cannot read the claim '%s'", path);
		if (str_eq(owner, uuid))
			return 0;
		if (store_has_ve(s, owner))
			return taken(s, kind, key, owner, ret_error);
		r = take_over(s, path, uuid, ret_error);
		if (r < 0)
			return r;
	}
	return err_plain(ret_error, VE_ERR_BUSY, EBUSY, "store", "the claim '%s' keeps changing hands", path);
}

void store_unclaim(struct store *s, enum claim_kind kind, const char *key, const char *uuid)
{
	char path[128], owner[UUID_LENGTH + 1];
	_cleanup_close_ int lock = -1;
	if (s->look_only || claim_path(kind, key, path, NULL) < 0)
		return;
	/* A live claim changes hands only by its owner, who is the caller. A dead one may be in the hands of
	 * take_over(), which would take a new owner's for it if it went and came back meanwhile. */
	if (!store_has_ve(s, uuid) &&
	    lock_take(s->lib_fd, "lock", TAKEOVER_TIMEOUT_MS, -1, "the store", "release", &lock, NULL) < 0)
		return;
	if (claim_read(s, path, owner) == 0 && str_eq(owner, uuid))
		unlinkat(s->claims_fd, path, 0);
}

int store_claimed_by(struct store *s, enum claim_kind kind, const char *key, char ret_uuid[UUID_LENGTH + 1])
{
	char path[128], owner[UUID_LENGTH + 1];
	if (claim_path(kind, key, path, NULL) < 0 || claim_read(s, path, owner) < 0 || !store_has_ve(s, owner))
		return -ENOENT;
	memcpy(ret_uuid, owner, sizeof(owner));
	return 0;
}

/* Names of the entries of directory PATH below DIR_FD that WANTED says yes to (NULL: all but dot files). */
static int list_names(int dir_fd, const char *path, bool (*wanted)(const char *), char ***ret_names)
{
	_cleanup_strv_ char **names = calloc(1, sizeof(char *));
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = dir_fd >= 0 ? file_opendir(dir_fd, path) : -ENOENT;
	if (fd >= 0 && !(dir = fdopendir(fd))) {
		int e = errno;
		close(fd);
		return -e;
	}
	if (!names || (fd < 0 && fd != -ENOENT))
		return names ? fd : -ENOMEM;
	for (struct dirent *e; dir && (e = readdir(dir));)
		if ((wanted ? wanted(e->d_name) : e->d_name[0] != '.') && strv_add(&names, e->d_name) < 0)
			return -ENOMEM;
	*ret_names = steal_ptr(&names);
	return 0;
}

int store_claim_keys(struct store *s, enum claim_kind kind, char ***ret_keys, ve_error **ret_error)
{
	int r = list_names(s->claims_fd, claim_dirs[kind], NULL, ret_keys);
	return r < 0 ? err_sys(ret_error, -r, "store", "cannot read the claims '%s'", claim_dirs[kind]) : 0;
}

static bool is_dead(const struct store *s, const char *path)
{
	char owner[UUID_LENGTH + 1];
	return claim_read(s, path, owner) == 0 && !store_has_ve(s, owner);
}

int store_sweep_claims(struct store *s, ve_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	int r = 0;
	for (int kind = 0; r == 0 && kind < CLAIM_KIND_COUNT; kind++) {
		_cleanup_strv_ char **keys = NULL;
		r = store_claim_keys(s, (enum claim_kind)kind, &keys, ret_error);
		for (char **k = keys; r == 0 && k && *k; k++) {
			char path[128];
			if (claim_path((enum claim_kind)kind, *k, path, NULL) < 0 || !is_dead(s, path))
				continue;
			if (lock < 0)
				r = lock_take(s->lib_fd, "lock", TAKEOVER_TIMEOUT_MS, -1, "the store", "sweep", &lock, ret_error);
			/* Again: it may have been taken over before we had the lock. */
			if (r == 0 && is_dead(s, path))
				unlinkat(s->claims_fd, path, 0);
		}
	}
	return r;
}

/* ---- finding VEs -------------------------------------------------------------------------------- */

static int not_found(struct store *s, const char *name, ve_error **ret_error)
{
	_cleanup_free_ char *head = strndup(name, 100);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	_cleanup_strv_ char **names = NULL;
	if (!quoted)
		return err_nomem(ret_error);
	int r = err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "store", "there is no VE '%s'", quoted);
	if (!ret_error || list_names(s->claims_fd, claim_dirs[CLAIM_NAME], NULL, &names) < 0)
		return r;
	const char *nearest = NULL;
	unsigned best = strlen(name) > 4 ? 2 : 1; /* farther away it is another word */
	for (char **n = names; *n; n++) {
		unsigned d = str_distance(name, *n, best);
		if (d > best || (nearest && d == best))
			continue;
		nearest = *n;
		best = d;
	}
	if (nearest)
		err_hint(ret_error, "did you mean '%s'?", nearest);
	return r;
}

int store_find(struct store *s, const char *name_or_uuid, char ret_uuid[UUID_LENGTH + 1], ve_error **ret_error)
{
	if (uuid_is(name_or_uuid) && store_has_ve(s, name_or_uuid)) {
		memcpy(ret_uuid, name_or_uuid, UUID_LENGTH + 1);
		return 0;
	}
	if (name_check("VE", name_or_uuid, NULL) == 0 &&
	    store_claimed_by(s, CLAIM_NAME, name_or_uuid, ret_uuid) == 0)
		return 0;
	return not_found(s, name_or_uuid, ret_error);
}

int store_uuids(struct store *s, char ***ret_uuids, ve_error **ret_error)
{
	_cleanup_strv_ char **jails = NULL;
	int r = list_names(s->ve_fd, ".", uuid_is, ret_uuids);
	if (r == 0)
		r = list_names(s->jails_fd, ".", uuid_is, &jails);
	for (char **j = jails; r == 0 && j && *j; j++)
		r = strv_add(ret_uuids, *j);
	return r < 0 ? err_sys(ret_error, -r, "store", "cannot read the list of VEs") : 0;
}

int store_open_ve(struct store *s, const char *uuid, int *ret_fd, ve_error **ret_error)
{
	if (!uuid_is(uuid))
		return err_plain(ret_error, VE_ERR_BUG, EINVAL, "store", "no uuid where one is needed");
	int fd = s->ve_fd >= 0 ? file_opendir(s->ve_fd, uuid) : -ENOENT;
	if (fd == -ENOENT && s->jails_fd >= 0)
		fd = file_opendir(s->jails_fd, uuid);
	if (fd < 0)
		return err_sys(ret_error, -fd, "store", "cannot open the directory of VE '%s'", uuid);
	*ret_fd = fd;
	return 0;
}

int store_make_ve(struct store *s, const char *uuid, bool ephemeral, ve_error **ret_error)
{
	if (mkdirat(ephemeral ? s->jails_fd : s->ve_fd, uuid, 0700) == 0)
		return 0;
	return err_sys(ret_error, errno, "store", "cannot make the directory of VE '%s'", uuid);
}

int store_remove_ve(struct store *s, const char *uuid)
{
	int r = file_remove_tree(s->ve_fd, uuid);
	return r < 0 ? r : file_remove_tree(s->jails_fd, uuid);
}

int store_open_run(struct store *s, const char *uuid, bool make, int *ret_fd, ve_error **ret_error)
{
	if (!uuid_is(uuid))
		return err_plain(ret_error, VE_ERR_BUG, EINVAL, "store", "no uuid where one is needed");
	if (make && s->run_fd >= 0 && mkdirat(s->run_fd, uuid, 0700) < 0 && errno != EEXIST)
		return err_sys(ret_error, errno, "store", "cannot make the running directory of VE '%s'", uuid);
	int fd = s->run_fd >= 0 ? file_opendir(s->run_fd, uuid) : -ENOENT;
	if (fd == -ENOENT && !make)
		return -ENOENT;
	if (fd < 0)
		return err_sys(ret_error, -fd, "store", "cannot open the running directory of VE '%s'", uuid);
	*ret_fd = fd;
	return 0;
}

/* ---- the installation --------------------------------------------------------------------------- */

/* secure_getenv: a program that runs with more rights than its caller takes no directories from them. */
const char *store_data_dir(void)
{
	const char *dir = secure_getenv("VECTL_DATADIR");
	return dir && dir[0] == '/' ? dir : VE_DATADIR;
}

const char *store_libexec_dir(void)
{
	const char *dir = secure_getenv("VECTL_LIBEXECDIR");
	return dir && dir[0] == '/' ? dir : VE_LIBEXECDIR;
}
