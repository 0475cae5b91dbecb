/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registering a VE's directory that was copied from another host: a create whose configuration and files come from there. It is
 * the same machine, and keeps its uuid, name and addresses; what it had of that host (ids, links, private addresses) is
 * allocated anew here, and what the file says of them is not read.
 *
 * The directory is not trusted: it is copied and never moved in, so that nothing in it, an open descriptor or a second name, leads
 * to the VE's files later. Only the host's root can reach into it, so that nobody changes it under our hands.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "base/undo.h"
#include "run/block.h"
#include "run/create.h"
#include "run/credentials.h"
#include "run/disk.h"
#include "run/privileged.h"
#include "run/verbs.h"
#include "run/volumes.h"

/* ---- the directory ---------------------------------------------------------------------------------------------- */

static int check_private(int fd, const char *dir, ve_error **ret_error)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(ret_error, errno, "register", "cannot look at '%s'", dir);
	if (st.st_uid == geteuid() && !(st.st_mode & 0077))
		return 0;
	int r = err_plain(ret_error, VE_ERR_PERMISSION, EPERM, "register",
			  "'%s' can be entered by others than root (user %u, mode %04o): they could change what is in it, and run its "
			  "setuid programs",
			  dir, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	err_hint(ret_error, "chown root %s; chmod 0700 %s", dir, dir);
	return r;
}

/* FROM: a handle on what is no VE of this store, for those who read in a VE's directory. DIR is quoted. */
static int open_directory(struct ve *from, const char *path, const char *dir, ve_error **ret_error)
{
	_cleanup_free_ char *what = str_printf("%s/config.json", dir);
	from->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (from->dir_fd < 0 && errno == ENOTDIR)
		return err_make(ret_error, VE_ERR_USAGE, errno, "register", "cannot take '%s' for a VE's directory", dir);
	if (from->dir_fd < 0)
		return err_sys(ret_error, errno, "register", "cannot open the directory '%s'", dir);
	int r = what ? check_private(from->dir_fd, dir, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = config_load(from->dir_fd, "config.json", what, &from->config, ret_error);
	if (r == -ENOENT)
		err_hint(ret_error, "DIR is a copy of one VE's directory, var/lib/vectl/ve/UUID");
	return r;
}

/* ---- its configuration ------------------------------------------------------------------------------------------ */

static int check_uuid(struct ve *from, bool new_uuid, ve_error **ret_error)
{
	struct store *s = from->ctx->store;
	const char *uuid = config_uuid(from->config);
	struct stat mine, own;
	if (!store_has_ve(s, uuid))
		return 0;
	bool is_own = fstat(from->dir_fd, &mine) == 0 && fstatat(s->ve_fd, uuid, &own, AT_SYMLINK_NOFOLLOW) == 0 &&
		      mine.st_dev == own.st_dev && mine.st_ino == own.st_ino;
	if (new_uuid && !is_own)
		return 0;
	int r = err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "register", "a VE with the uuid %s exists already", uuid);
	err_hint(ret_error, is_own ? "this is its directory; 'vectl clone' makes a second one" : "--new-uuid registers a second one like it");
	return r;
}

static int check_name(struct ve *from, const char *name, ve_error **ret_error)
{
	char uuid[UUID_LENGTH + 1];
	int r = name_check("VE", name, ret_error);
	if (r < 0 || store_claimed_by(from->ctx->store, CLAIM_NAME, name, uuid) < 0)
		return r;
	r = err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "register", "a VE called '%s' exists already", name);
	err_hint(ret_error, "--name registers it by another name");
	return r;
}

/* The one that it was made from, and no newer one of that name: its files are what differs from it. */
static int take_image(struct ve *from, struct config *c, struct image **ret_image, ve_error **ret_error)
{
	const char *name = config_string(from->config, "image"), *digest = config_identity_string(from->config, "image_digest");
	if (!name || !digest)
		return err_plain(ret_error, VE_ERR_DATA, EINVAL, "register", "config.json does not say which image the VE is made from");
	_cleanup_free_ char *reference = str_printf("%s@%s", name, digest);
	int r = reference ? newve_take_image(from->ctx, c, reference, ret_image, ret_error) : err_nomem(ret_error);
	if (r == -ENOENT)
		err_hint(ret_error, "copy var/lib/vectl/images/%s/%s from its host, as its directory was; then: vectl image verify %s", name, digest,
			 reference);
	return r;
}

static int configure(struct ve *from, const struct ve_register_opts *o, struct config **ret_config, struct image **ret_image,
		     ve_error **ret_error)
{
	_cleanup_config_ struct config *c = NULL;
	const char *name = o->name ? o->name : config_name(from->config);
	int r = check_uuid(from, o->new_uuid, ret_error);
	if (r == 0)
		r = check_name(from, name, ret_error);
	if (r == 0)
		r = config_new(name, &c, ret_error);
	if (r == 0 && !o->new_uuid && json_object_set_new(c->root, "uuid", json_string(config_uuid(from->config))) < 0)
		r = err_nomem(ret_error);
	if (r == 0)
		r = config_merge(c, from->config, ret_error);
	if (r == 0 && newve_stamp(c) < 0)
		r = err_nomem(ret_error);
	if (r == 0)
		r = take_image(from, c, ret_image, ret_error);
	if (r == 0)
		r = newve_check_init(c, *ret_image, ret_error);
	if (r == 0)
		r = newve_defaults(from->ctx, c, ret_error);
	if (r == 0)
		r = newve_check(from->ctx, c, ret_error);
	if (r == 0)
		*ret_config = steal_ptr(&c);
	return r;
}

/* ---- its files -------------------------------------------------------------------------------------------------- */

static int adopt_disks(struct ve *v, const struct ve *from, ve_error **ret_error)
{
	int r = disk_adopt(from->dir_fd, v, ret_error);
	return r < 0 ? r : volumes_adopt(from->dir_fd, v, ret_error);
}

static int copy_directory(struct ve *v, void *data, ve_error **ret_error)
{
	struct ve *from = data;
	int r = adopt_disks(v, from, ret_error);
	if (r == 0)
		r = credentials_adopt(v, from->dir_fd, ret_error);
	if (r == 0)
		r = block_adopt(v, from->dir_fd, ret_error);
	/* Its users are made. */
	if (r == 0 && laststate_was_started(from))
		r = laststate_write(v, LAST_STOPPED, 0, ret_error);
	return r;
}

static int try_files(struct ve *v, void *data, ve_error **ret_error)
{
	(void)data;
	return create_work_inside(v, NULL, 0, ret_error);
}

/* ---- the verb --------------------------------------------------------------------------------------------------- */

static void tell(struct ve *from, const struct ve *v)
{
	privileged_tell(v->ctx, v->name, v->config);
	if (laststate_wanted(from) && !block_forbids_start(from))
		ctx_warn(v->ctx, "'%s' was running when it was copied, or its host had crashed: its files are as after a power cut", v->name);
}

static int register_from(struct ve *from, const char *path, const struct ve_register_opts *o, struct ve **ret_ve, ve_error **ret_error)
{
	_cleanup_config_ struct config *config = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_ve_ struct ve *v = NULL;
	_cleanup_undo_ struct undo undo = { 0 }; /* last, so that it runs first: it needs the handle */
	_cleanup_free_ char *dir = str_quote(path), *detail = dir ? str_printf("registered from %s", dir) : NULL;
	const struct create_work work = { .storage = copy_directory, .access = try_files, .data = from, .detail = detail };
	int r = detail ? open_directory(from, path, dir, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = configure(from, o, &config, &image, ret_error);
	if (r == 0)
		r = newve_directory(from->ctx, steal_ptr(&config), &undo, &v, ret_error);
	if (r == 0 && from->ctx->dry_run)
		r = adopt_disks(v, from, ret_error);
	if (r == 0)
		r = create_finish(v, image, &work, &undo, ret_error);
	if (r < 0)
		return dir ? err_wrap(ret_error, "cannot register '%s'", dir) : r;
	tell(from, v);
	handle_unlock(v);
	*ret_ve = steal_ptr(&v);
	return VE_CHANGED;
}

int verb_register(struct ve_ctx *ctx, const char *path, const struct ve_register_opts *o, struct ve **ret_ve, ve_error **ret_error)
{
	int64_t begun_ms = clock_ms();
	struct ve from = { .ctx = ctx, .dir_fd = -1, .run_fd = -1, .lock_fd = -1 }, *v = NULL;
	int r = ctx_open_to_change(ctx, ret_error);
	if (r == 0)
		r = ctx_host(ctx, ret_error);
	if (r == 0)
		r = register_from(&from, path, o, &v, ret_error);
	create_audit(ctx, "register", v ? v->name : o->name ? o->name : from.config ? config_name(from.config) : NULL, v, begun_ms, r,
		     ret_error ? *ret_error : NULL);
	config_free(from.config);
	close_fd(&from.dir_fd);
	if (r >= 0)
		*ret_ve = v;
	return r;
}
