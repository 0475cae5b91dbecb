/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/lock.h"
#include "base/str.h"
#include "fs/treehash.h"
#include "model/config.h"
#include "model/image.h"
#include "run/image_priv.h"
#include "sys/syscalls.h"

static const char stage[] = "image";

/* ---- locks and leftovers ---------------------------------------------------------------------------- */

int image_lock(struct ve_ctx *ctx, const char *name, unsigned timeout_ms, const char *verb, int *ret_fd,
	       ve_error **ret_error)
{
	_cleanup_free_ char *path = str_printf(".%s.lock", name);
	_cleanup_free_ char *object = str_printf("image %s", name);
	if (!path || !object)
		return err_nomem(ret_error);
	if (ctx->dry_run)
		return 0;
	return lock_take(ctx->store->images_fd, path, timeout_ms, ctx->cancel_fd, object, verb, ret_fd, ret_error);
}

void image_unlock(struct ve_ctx *ctx, const char *name, int *fd)
{
	if (*fd < 0)
		return;
	unlinkat(ctx->store->images_fd, name, AT_REMOVEDIR);
	_cleanup_free_ char *path = str_printf(".%s.lock", name);
	if (path)
		unlinkat(ctx->store->images_fd, path, 0);
	close_fd(fd);
}

int image_temp_name(const char *prefix, char ret[IMAGE_TEMP_NAME], ve_error **ret_error)
{
	uint64_t random;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(ret_error, errno, stage, "cannot get random bytes");
	snprintf(ret, IMAGE_TEMP_NAME, ".%s-%016" PRIx64, prefix, random);
	return 0;
}

static bool is_leftover(const char *name)
{
	return str_starts(name, ".build-") || str_starts(name, ".removed-") || str_starts(name, ".current-");
}

int image_clean_leftovers(int name_fd, const char *name, ve_error **ret_error)
{
	_cleanup_close_ int fd = openat(name_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(ret_error, errno, stage, "cannot read the directory of image '%s'", name);
	steal_fd(&fd);
	for (struct dirent *e; (e = readdir(dir));) {
		int r = is_leftover(e->d_name) ? file_remove_tree(name_fd, e->d_name) : 0;
		if (r < 0)
			return err_sys(ret_error, -r, stage, "cannot remove '%s' of image '%s'", e->d_name, name);
	}
	return 0;
}

static int recover_one(struct ve_ctx *ctx, const char *name, ve_error **ret_error)
{
	int lock = -1;
	int r = image_lock(ctx, name, 0, "recover", &lock, NULL);
	if (r < 0)
		return r == -ETIMEDOUT ? 0 /* somebody is at work there: nothing is left over */
				       : err_sys(ret_error, -r, stage, "cannot lock image '%s'", name);
	_cleanup_close_ int fd = file_opendir(ctx->store->images_fd, name);
	if (fd >= 0)
		r = image_clean_leftovers(fd, name, ret_error);
	else if (fd != -ENOENT)
		r = err_sys(ret_error, -fd, stage, "cannot open the directory of image '%s'", name);
	image_unlock(ctx, name, &lock);
	return r;
}

/* The image that an entry of the images' directory belongs to: NAME itself, or .NAME.lock of a killed verb. */
static char *name_of_entry(const char *entry)
{
	bool is_lock = entry[0] == '.' && str_ends(entry, ".lock");
	char *name = is_lock ? strndup(entry + 1, strlen(entry + 1) - strlen(".lock")) : strdup(entry);
	if (name && name_check("image", name, NULL) == 0)
		return name;
	free(name);
	return NULL;
}

int image_recover(struct ve_ctx *ctx, ve_error **ret_error)
{
	if (ctx->store->images_fd < 0)
		return 0;
	_cleanup_close_ int fd = openat(ctx->store->images_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(ret_error, errno, stage, "cannot read the images");
	steal_fd(&fd);
	int r = 0;
	for (struct dirent *e; r == 0 && (e = readdir(dir));) {
		_cleanup_free_ char *name = name_of_entry(e->d_name);
		if (name)
			r = recover_one(ctx, name, ret_error);
	}
	return r;
}

/* ---- users ------------------------------------------------------------------------------------------ */

/* The name of the VE UUID if its configuration speaks of DIGEST, else NULL. A configuration that cannot be
 * parsed counts by its text alone: better an image too many than a VE without a root. */
static char *user_of(struct store *s, const char *uuid, const char *digest)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t size;
	if (store_open_ve(s, uuid, &fd, NULL) < 0 ||
	    file_read(fd, "config.json", CONFIG_MAX_BYTES, &text, &size) < 0 ||
	    !memmem(text, size, digest, strlen(digest)))
		return NULL;
	_cleanup_config_ struct config *config = NULL;
	if (config_parse(text, size, "config.json", &config, NULL) < 0)
		return strdup(uuid);
	return str_eq(config_identity_string(config, "image_digest"), digest) ? strdup(config_name(config)) : NULL;
}

static int find_users(struct store *s, const char *digest, char ***ret_names, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL, **names = NULL;
	int r = store_uuids(s, &uuids, ret_error);
	if (r < 0)
		return r;
	for (char **uuid = uuids; uuid && *uuid; uuid++) {
		_cleanup_free_ char *user = user_of(s, *uuid, digest);
		if (user && strv_add(&names, user) < 0)
			return err_nomem(ret_error);
	}
	*ret_names = steal_ptr(&names);
	return 0;
}

static int check_unused(struct store *s, const char *name, const char *digest, ve_error **ret_error)
{
	_cleanup_strv_ char **users = NULL;
	int r = find_users(s, digest, &users, ret_error);
	size_t n = strv_length((const char *const *)users);
	if (r < 0 || n == 0)
		return r;
	if (n == 1)
		return err_plain(ret_error, VE_ERR_STATE, EBUSY, stage,
				 "cannot remove image '%s' (%.12s): VE '%s' uses it", name, digest, users[0]);
	return err_plain(ret_error, VE_ERR_STATE, EBUSY, stage,
			 "cannot remove image '%s' (%.12s): VE '%s' and %zu more use it", name, digest, users[0],
			 n - 1);
}

/* ---- remove ----------------------------------------------------------------------------------------- */

/* See image.h for the order. What was renamed is gone for everybody; its files follow. */
static int remove_digest(struct ve_ctx *ctx, int name_fd, const char *name, const char *digest,
			 ve_error **ret_error)
{
	char temporary[IMAGE_TEMP_NAME];
	int r = image_temp_name("removed", temporary, ret_error);
	if (r < 0)
		return r;
	if (renameat(name_fd, digest, name_fd, temporary) < 0)
		return err_sys(ret_error, errno, stage, "cannot remove image '%s'", name);
	r = check_unused(ctx->store, name, digest, ret_error);
	if (r < 0) {
		renameat(name_fd, temporary, name_fd, digest);
		return r;
	}
	r = file_remove_tree(name_fd, temporary);
	return r < 0 ? err_sys(ret_error, -r, stage, "cannot remove the files of image '%s'", name) : 0;
}

static int list_digests(int name_fd, char ***ret, ve_error **ret_error)
{
	_cleanup_close_ int fd = openat(name_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	_cleanup_strv_ char **digests = NULL;
	if (!dir)
		return err_sys(ret_error, errno, stage, "cannot read the directory of an image");
	steal_fd(&fd);
	for (struct dirent *e; (e = readdir(dir));)
		if (image_is_digest(e->d_name) && strv_add(&digests, e->d_name) < 0)
			return err_nomem(ret_error);
	*ret = steal_ptr(&digests);
	return 0;
}

/* Takes `current` away; RET: what it was, or "". */
static int unlink_current(int name_fd, const char *name, char ret[IMAGE_DIGEST_LENGTH + 1],
			  ve_error **ret_error)
{
	ssize_t n = readlinkat(name_fd, "current", ret, IMAGE_DIGEST_LENGTH);
	ret[n > 0 ? n : 0] = '\0';
	if (unlinkat(name_fd, "current", 0) < 0 && errno != ENOENT)
		return err_sys(ret_error, errno, stage, "cannot remove image '%s'", name);
	return 0;
}

static int remove_all(struct ve_ctx *ctx, int name_fd, const char *name, ve_error **ret_error)
{
	_cleanup_strv_ char **digests = NULL;
	char current[IMAGE_DIGEST_LENGTH + 1] = "";
	int r = ctx->dry_run ? 0 : image_clean_leftovers(name_fd, name, ret_error);
	if (r == 0)
		r = list_digests(name_fd, &digests, ret_error);
	for (char **d = digests; d && *d && r == 0; d++)
		r = check_unused(ctx->store, name, *d, ret_error);
	if (r == 0 && ctx_ends_dry(ctx, CTX_AS_IT_IS))
		return VE_CHANGED;
	/* The name goes first: an interrupted removal leaves digests, but no name that leads nowhere. */
	if (r == 0)
		r = unlink_current(name_fd, name, current, ret_error);
	for (char **d = digests; d && *d && r == 0; d++) {
		r = ctx_check_cancelled(ctx, ret_error);
		if (r == 0)
			r = remove_digest(ctx, name_fd, name, *d, ret_error);
	}
	if (r < 0 && current[0] && faccessat(name_fd, current, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		(void)!symlinkat(current, name_fd, "current");
	return r;
}

static int remove_one(struct ve_ctx *ctx, int name_fd, const char *name, const char *digest,
		      ve_error **ret_error)
{
	char current[IMAGE_DIGEST_LENGTH + 2] = "";
	ssize_t n = readlinkat(name_fd, "current", current, sizeof(current) - 1);
	if (n > 0 && str_eq(current, digest)) {
		_cleanup_strv_ char **digests = NULL;
		int r = list_digests(name_fd, &digests, ret_error);
		if (r < 0)
			return r;
		if (strv_length((const char *const *)digests) == 1)
			return remove_all(ctx, name_fd, name, ret_error);
		r = err_plain(ret_error, VE_ERR_STATE, EBUSY, stage,
			      "cannot remove digest %.12s: it is what image '%s' means now", digest, name);
		err_hint(ret_error, "remove '%s' to remove all its digests", name);
		return r;
	}
	if (faccessat(name_fd, digest, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, stage, "image '%s' has no digest '%s'", name,
				 digest);
	int r = check_unused(ctx->store, name, digest, ret_error);
	if (r == 0 && ctx_ends_dry(ctx, CTX_AS_IT_IS))
		return VE_CHANGED;
	return r < 0 ? r : remove_digest(ctx, name_fd, name, digest, ret_error);
}

int image_remove(struct ve_ctx *ctx, const char *reference, ve_error **ret_error)
{
	_cleanup_free_ char *name = NULL;
	const char *digest = NULL;
	int lock = -1;
	int r = image_refer(ctx->store->images_fd, reference, &name, &digest, ret_error);
	if (r == 0)
		r = image_lock(ctx, name, ctx->lock_timeout_ms, "image remove", &lock, ret_error);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = file_opendir(ctx->store->images_fd, name);
	if (fd < 0)
		r = err_sys(ret_error, -fd, stage, "cannot open the directory of image '%s'", name);
	else
		r = digest ? remove_one(ctx, fd, name, digest, ret_error) : remove_all(ctx, fd, name, ret_error);
	image_unlock(ctx, name, &lock);
	return r;
}

/* ---- verify ----------------------------------------------------------------------------------------- */

static int open_manifest(int dir_fd, const struct image *image, const char *what, int *ret_fd,
			 ve_error **ret_error)
{
	_cleanup_close_ int fd = openat(dir_fd, "manifest", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char digest[TREEHASH_DIGEST_LENGTH + 1];
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_make(ret_error, VE_ERR_DATA, errno, "verify", "%s is damaged: cannot open its manifest",
				what);
	int r = S_ISREG(st.st_mode) ? treehash_file(fd, digest) : -EBADMSG;
	if (r < 0)
		return err_make(ret_error, VE_ERR_DATA, -r, "verify", "%s is damaged: cannot read its manifest",
				what);
	if (!str_eq(digest, json_string_value(json_object_get(image->doc, "tree"))) || lseek(fd, 0, SEEK_SET) < 0)
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, "verify",
				 "%s is damaged: its manifest was changed", what);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int image_verify(struct ve_ctx *ctx, const char *reference, ve_error **ret_error)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_close_ int dir = -1, manifest = -1;
	int r = image_open(ctx->store->images_fd, reference, &image, ret_error);
	if (r < 0)
		return r;
	_cleanup_free_ char *what = str_printf("image '%s' (%.12s)", image->name, image->digest);
	if (!what)
		return err_nomem(ret_error);
	r = image_open_dir(ctx->store->images_fd, image, &dir, ret_error);
	if (r == 0)
		r = open_manifest(dir, image, what, &manifest, ret_error);
	if (r < 0)
		return r;
	_cleanup_close_ int rootfs = file_opendir(dir, "rootfs");
	if (rootfs < 0)
		return err_make(ret_error, VE_ERR_DATA, -rootfs, "verify", "%s is damaged: cannot open its rootfs",
				what);
	struct treehash_opts opts = {
		.progress = ctx->progress,
		.progress_data = ctx->progress_data,
		.what = "reading files",
		.n_expected = (uint64_t)json_integer_value(json_object_get(image->doc, "files")),
		.cancel_fd = ctx->cancel_fd,
	};
	return treehash_check(rootfs, manifest, what, &opts, ret_error);
}

/* ---- show ------------------------------------------------------------------------------------------- */

/* Would a VE of the image let somebody in by ssh? */
static bool has_sshd(int images_fd, const struct image *image)
{
	_cleanup_free_ char *path = str_printf("%s/%s/rootfs", image->name, image->digest);
	_cleanup_close_ int root = path ? openat(images_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	_cleanup_close_ int sshd = root >= 0 ? sys_openat2(root, "usr/sbin/sshd", O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT) : -1;
	return sshd >= 0;
}

int image_show(struct ve_ctx *ctx, const char *reference, json_t **ret_doc, ve_error **ret_error)
{
	_cleanup_image_ struct image *image = NULL, *current = NULL;
	_cleanup_strv_ char **users = NULL;
	int r = image_open(ctx->store->images_fd, reference, &image, ret_error);
	if (r == 0)
		r = find_users(ctx->store, image->digest, &users, ret_error);
	if (r < 0)
		return r;
	bool is_current = image_open(ctx->store->images_fd, image->name, &current, NULL) == 0 &&
			  str_eq(current->digest, image->digest);
	_cleanup_free_ char *path =
		str_printf("%s/var/lib/vectl/images/%s/%s/rootfs",
			   str_eq(ctx->store->root, "/") ? "" : ctx->store->root, image->name, image->digest);
	json_auto_t *doc = json_copy(image->doc), *used_by = json_array();
	for (char **user = users; user && *user && used_by; user++)
		if (json_array_append_new(used_by, json_string(*user)) < 0)
			return err_nomem(ret_error);
	if (!path || !doc || json_object_set_new(doc, "current", json_boolean(is_current)) < 0 ||
	    json_object_set_new(doc, "sshd", json_boolean(has_sshd(ctx->store->images_fd, image))) < 0 ||
	    json_object_set_new(doc, "path", json_string(path)) < 0 ||
	    json_object_set(doc, "used_by", used_by) < 0)
		return err_nomem(ret_error);
	*ret_doc = steal_ptr(&doc);
	return 0;
}
