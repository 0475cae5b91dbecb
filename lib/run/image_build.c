/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One build, from recipe to `current`:
 *
 *   lock                images/.NAME.lock; leftovers of killed builds go
 *   .build-X/rootfs     the builder fills it, the recipe's steps adapt it
 *   .build-X/manifest   the walk over the tree; its SHA-256 and image.json's fields make the digest
 *   syncfs              all of it on disk, before a name says that it is there
 *   rename .build-X     to DIGEST; `current` is replaced by a link to it
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "fs/treehash.h"
#include "model/image.h"
#include "run/builders.h"
#include "run/image.h"
#include "run/image_priv.h"
#include "run/image_tree.h"
#include "run/ornull.h"
#include "run/recipe.h"

static const char stage[] = "build";

struct build {
	struct ve_ctx *ctx;
	struct recipe *recipe;
	int lock_fd, name_fd, dir_fd, root_fd;
	char temporary[IMAGE_TEMP_NAME]; /* "": nothing to remove */
	char *version;
	struct treehash tree;
	json_t *doc;
};

/* ---- the directory ---------------------------------------------------------------------------------- */

static int open_name(struct build *b, ve_error **ret_error)
{
	const char *name = b->recipe->name;
	int r = image_lock(b->ctx, name, b->ctx->lock_timeout_ms, "image build", &b->lock_fd, ret_error);
	if (r < 0)
		return r;
	if (mkdirat(b->ctx->store->images_fd, name, 0700) < 0 && errno != EEXIST)
		return err_sys(ret_error, errno, stage, "cannot make the directory of image '%s'", name);
	b->name_fd = file_opendir(b->ctx->store->images_fd, name);
	if (b->name_fd < 0)
		return err_sys(ret_error, -b->name_fd, stage, "cannot open the directory of image '%s'", name);
	return image_clean_leftovers(b->name_fd, name, ret_error);
}

static int make_directory(struct build *b, ve_error **ret_error)
{
	char temporary[IMAGE_TEMP_NAME];
	int r = image_temp_name("build", temporary, ret_error);
	if (r < 0)
		return r;
	if (mkdirat(b->name_fd, temporary, 0700) < 0)
		return err_sys(ret_error, errno, stage, "cannot make a directory for image '%s'", b->recipe->name);
	memcpy(b->temporary, temporary, sizeof(temporary));
	b->dir_fd = file_opendir(b->name_fd, temporary);
	if (b->dir_fd < 0 || mkdirat(b->dir_fd, "rootfs", 0755) < 0)
		return err_sys(ret_error, errno, stage, "cannot make a directory for image '%s'", b->recipe->name);
	b->root_fd = file_opendir(b->dir_fd, "rootfs");
	if (b->root_fd < 0 || fchmod(b->root_fd, 0755) < 0) /* whatever the caller's umask is */
		return err_sys(ret_error, errno, stage, "cannot make a directory for image '%s'", b->recipe->name);
	return 0;
}

static void build_done(struct build *b)
{
	if (b->temporary[0])
		file_remove_tree(b->name_fd, b->temporary);
	close_fd(&b->root_fd);
	close_fd(&b->dir_fd);
	close_fd(&b->name_fd);
	if (b->recipe)
		image_unlock(b->ctx, b->recipe->name, &b->lock_fd);
	recipe_free(b->recipe);
	free(b->version);
	json_decref(b->doc);
}
#define _cleanup_build_ __attribute__((cleanup(build_done)))

/* ---- the tree --------------------------------------------------------------------------------------- */

static int make_tree(struct build *b, ve_error **ret_error)
{
	static const builder_fn builders[RECIPE_BUILDER_COUNT] = {
		[RECIPE_MMDEBSTRAP] = build_mmdebstrap,
		[RECIPE_BUSYBOX] = build_busybox,
	};
	const char *root = b->ctx->store->root;
	_cleanup_free_ char *path = str_printf("%s/var/lib/vectl/images/%s/%s/rootfs",
					       str_eq(root, "/") ? "" : root, b->recipe->name, b->temporary);
	if (!path)
		return err_nomem(ret_error);
	int r = builders[b->recipe->builder](b->ctx, b->recipe, b->root_fd, path, &b->version, ret_error);
	if (r < 0)
		return r;
	ctx_progress(b->ctx, "adapting", BUILD_TREE_STEPS, BUILD_STEPS);
	/* The tree's own root is what a VE sees as "/": a builder must not have made it anything else. */
	if (fchown(b->root_fd, 0, 0) < 0 || fchmod(b->root_fd, 0755) < 0)
		return err_sys(ret_error, errno, stage, "cannot set the mode of the root of image '%s'",
			       b->recipe->name);
	r = image_tree_adapt(b->root_fd, b->recipe, ret_error);
	return r < 0 ? err_wrap(ret_error, "recipe '%s'", b->recipe->name)
		     : ctx_check_cancelled(b->ctx, ret_error);
}

/* An init that is not there would be found out by the first start only. */
static int check_init(struct build *b, ve_error **ret_error)
{
	const char *init = recipe_string(b->recipe, "init");
	struct stat st;
	if (!init)
		return 0;
	/* O_PATH and below the root: /sbin/init is a link to ../lib/systemd/systemd, and that may be anything. */
	int r = image_tree_stat(b->root_fd, init, &st);
	if (r == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0100))
		return 0;
	return err_plain(ret_error, VE_ERR_DATA, r < 0 ? -r : ENOEXEC, stage,
			 "image '%s' has no init: '%s' is missing or is no program", b->recipe->name, init);
}

static int hash_tree(struct build *b, ve_error **ret_error)
{
	ctx_progress(b->ctx, "hashing", BUILD_TREE_STEPS + 1, BUILD_STEPS);
	_cleanup_free_ char *what = str_printf("image '%s'", b->recipe->name);
	_cleanup_close_ int manifest =
		openat(b->dir_fd, "manifest", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!what || manifest < 0)
		return err_sys(ret_error, what ? errno : ENOMEM, stage, "cannot make the manifest of image '%s'",
			       b->recipe->name);
	struct treehash_opts opts = { .cancel_fd = b->ctx->cancel_fd };
	return treehash_write(b->root_fd, manifest, what, &opts, &b->tree, ret_error);
}

/* ---- image.json ------------------------------------------------------------------------------------- */

static int make_document(struct build *b, ve_error **ret_error)
{
	const struct recipe *recipe = b->recipe;
	char created[CLOCK_TEXT_SIZE], digest[IMAGE_DIGEST_LENGTH + 1];
	clock_text(time(NULL), created);
	b->doc = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:I, s:I, s:s, s:{s:s, s:s}}",
			   "schema", IMAGE_SCHEMA, "name", recipe->name,
			   "distribution", recipe_string(recipe, "distribution"), "version", b->version,
			   "architecture", recipe_string(recipe, "architecture"),
			   "init", string_or_null(recipe_string(recipe, "init")),
			   "init_system", recipe_string(recipe, "init_system"),
			   "stop_signal", string_or_null(recipe_string(recipe, "stop_signal")),
			   "tree", b->tree.digest, "size_bytes", (json_int_t)b->tree.size_bytes,
			   "files", (json_int_t)b->tree.n_files, "created_at", created,
			   "recipe", "name", recipe->name, "digest", recipe->digest);
	if (!b->doc || image_digest(b->doc, digest) < 0 ||
	    json_object_set_new(b->doc, "digest", json_string(digest)) < 0)
		return err_nomem(ret_error);
	/* What we are about to write must be readable. */
	return image_parse(b->doc, "image.json", NULL, ret_error);
}

static int write_document(struct build *b, ve_error **ret_error)
{
	_cleanup_free_ char *text = json_dumps(b->doc, JSON_INDENT(2));
	if (!text)
		return err_nomem(ret_error);
	int r = file_replace(b->dir_fd, "image.json", text, strlen(text), 0600, false);
	return r < 0 ? err_sys(ret_error, -r, stage, "cannot write image.json of image '%s'", b->recipe->name) : 0;
}

/* ---- into the store --------------------------------------------------------------------------------- */

static const char *digest_of(const struct build *b)
{
	return json_string_value(json_object_get(b->doc, "digest"));
}

/* The same content may be there already: then ours goes. One that was damaged since is not replaced, for VEs may stand on its
 * files. RET_THERE: it is. */
static int find_same(struct build *b, bool *ret_there, ve_error **ret_error)
{
	_cleanup_free_ char *reference = str_printf("%s@%s", b->recipe->name, digest_of(b));
	_cleanup_image_ struct image *image = NULL;
	_cleanup_err_ ve_error *error = NULL;
	if (!reference)
		return err_nomem(ret_error);
	if (image_open(b->ctx->store->images_fd, reference, &image, &error) == 0 &&
	    image_verify(b->ctx, reference, &error) == 0) {
		json_decref(b->doc);
		b->doc = json_incref(image->doc); /* when it was made, and from what recipe */
		*ret_there = true;
		return 0;
	}
	*ret_there = false;
	if (ve_error_category(error) == VE_ERR_NOT_FOUND)
		return 0;
	if (ve_error_category(error) == VE_ERR_BUSY) { /* interrupted */
		err_propagate(ret_error, &error);
		return -EINTR;
	}
	int r = err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage, "cannot replace the damaged image '%s': %s",
			  reference, ve_error_message(error));
	err_hint(ret_error, "remove it first: vectl image remove %s", b->recipe->name);
	return r;
}

static int add_digest(struct build *b, ve_error **ret_error)
{
	ctx_progress(b->ctx, "writing to disk", BUILD_TREE_STEPS + 2, BUILD_STEPS);
	/* One call for thousands of files: an fsync each would take minutes. */
	if (syncfs(b->dir_fd) < 0 || renameat(b->name_fd, b->temporary, b->name_fd, digest_of(b)) < 0)
		return err_sys(ret_error, errno, stage, "cannot store image '%s'", b->recipe->name);
	b->temporary[0] = '\0';
	return 0;
}

/* NAME means DIGEST from here on. RET_MOVED: it meant something else before. */
static int move_current(struct build *b, bool *ret_moved, ve_error **ret_error)
{
	char present[IMAGE_DIGEST_LENGTH + 2] = "", temporary[IMAGE_TEMP_NAME];
	ssize_t n = readlinkat(b->name_fd, "current", present, sizeof(present) - 1);
	*ret_moved = n < 0 || !str_eq(present, digest_of(b));
	if (!*ret_moved)
		return 0;
	int r = image_temp_name("current", temporary, ret_error);
	if (r < 0)
		return r;
	if (symlinkat(digest_of(b), b->name_fd, temporary) < 0 ||
	    renameat(b->name_fd, temporary, b->name_fd, "current") < 0 || fsync(b->name_fd) < 0 ||
	    fsync(b->ctx->store->images_fd) < 0) {
		r = err_sys(ret_error, errno, stage, "cannot make digest %.12s the current one of image '%s'",
			    digest_of(b), b->recipe->name);
		unlinkat(b->name_fd, temporary, 0);
	}
	return r;
}

static int store_image(struct build *b, bool *ret_changed, ve_error **ret_error)
{
	bool there = false, moved = false;
	int r = find_same(b, &there, ret_error);
	if (r == 0 && !there)
		r = add_digest(b, ret_error);
	if (r == 0)
		r = move_current(b, &moved, ret_error);
	*ret_changed = moved || !there; /* the current one may have lost its files */
	return r;
}

/* ---------------------------------------------------------------------------------------------------- */

static int result(struct build *b, bool changed, json_t **ret_doc, ve_error **ret_error)
{
	json_auto_t *doc = json_copy(b->doc);
	json_t *warnings = b->ctx->warnings ? json_incref(b->ctx->warnings) : json_array();
	if (!doc || json_object_set_new(doc, "changed", json_boolean(changed)) < 0 ||
	    json_object_set_new(doc, "warnings", warnings) < 0)
		return err_nomem(ret_error);
	*ret_doc = steal_ptr(&doc);
	return 0;
}

int image_build(struct ve_ctx *ctx, const char *recipe, json_t **ret_doc, ve_error **ret_error)
{
	static int (*const steps[])(struct build *b, ve_error **ret_error) = {
		open_name, make_directory, make_tree, check_init, hash_tree, make_document, write_document,
	};
	_cleanup_build_ struct build b = { .ctx = ctx, .lock_fd = -1, .name_fd = -1, .dir_fd = -1, .root_fd = -1 };
	int r = recipe_open(ctx->store->etc_fd, store_data_dir(), recipe, &b.recipe, ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++)
		r = steps[i](&b, ret_error);
	bool changed = false;
	if (r == 0)
		r = store_image(&b, &changed, ret_error);
	return r < 0 ? r : result(&b, changed, ret_doc, ret_error);
}
