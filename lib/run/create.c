/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Creating a VE. The configuration is written last: until then the directory below ve/ is one that recover removes.
 *
 *   directory -> lock -> claims (name, ids, addresses) -> storage -> access (a trial of the root tree) -> config.json
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "base/undo.h"
#include "model/template.h"
#include "ns/idrange.h"
#include "run/audit.h"
#include "run/claims.h"
#include "run/create.h"
#include "run/credentials.h"
#include "run/disk.h"
#include "run/fault.h"
#include "run/hooks.h"
#include "run/launch.h"
#include "run/seed.h"
#include "run/sshkeys.h"
#include "run/tenantpool.h"
#include "run/verbs.h"
#include "run/volumes.h"
#include "sys/hash.h"

static int already_there(struct ve_ctx *ctx, const char *name, const struct ve_create_opts *o, struct ve **ret_ve,
			 ve_error **ret_error)
{
	char uuid[UUID_LENGTH + 1];
	if (store_claimed_by(ctx->store, CLAIM_NAME, name, uuid) < 0)
		return 0;
	struct ve *v;
	if (handle_open_uuid(ctx, uuid, &v, NULL) < 0)
		return 0; /* a dead claim: it is taken over */
	if (v->config && o->if_missing) {
		*ret_ve = v;
		return 1;
	}
	int r = v->config ? err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "create", "a VE called '%s' exists already", name) :
			    err_plain(ret_error, VE_ERR_EXISTS, EEXIST, "create",
				      "'%s' is being created, or its creation was interrupted", name);
	if (!v->config)
		err_hint(ret_error, "if nobody creates it now: vectl recover");
	handle_close(v);
	return r;
}

int create_put_ips(struct config *c, const char *const *ips, ve_error **ret_error)
{
	for (const char *const *ip = ips; ip && *ip; ip++) {
		_cleanup_free_ char *a = str_printf("network.0.ips+=%s", *ip);
		int r = a ? config_assign(c, a, ret_error) : err_nomem(ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

int create_work_inside(struct ve *v, const struct file_change *changes, unsigned n, ve_error **ret_error)
{
	_cleanup_plan_ struct plan plan = { .storage = { .image_fd = -1, .writable_fd = -1 } };
	int r = plan_make(v, v->config, -1, &plan, ret_error);
	if (r == 0)
		r = plan_check_limits(v, &plan.limits, ret_error);
	return r < 0 ? r : launch_work(&plan, changes, n, ret_error);
}

/* What create works with. */
struct source {
	const struct image *image;
	const struct ve_create_opts *o;
};

/* Keys, password and seed are written, and a file system that cannot carry a VE is found now, not at the first start. */
static int give_access(struct ve *v, void *data, ve_error **ret_error)
{
	const struct ve_create_opts *o = ((const struct source *)data)->o;
	struct file_change changes[2 + SEED_CHANGES];
	unsigned n = 0;
	_cleanup_free_ char *keys = NULL, *hash = NULL, *text = NULL;
	int r = sshkeys_join(o->ssh_keys, &keys, ret_error);
	if (r == 0)
		r = seed_make(v, o, changes, &n, &text, ret_error);
	if (r < 0)
		return r;
	if (keys)
		changes[n++] = (struct file_change){ BF_ADD_LINES, "/root/.ssh/authorized_keys", keys, 0600 };
	if (o->password) {
		r = hash_password(o->password, &hash, ret_error);
		if (r < 0)
			return r;
		changes[n++] = (struct file_change){ BF_PASSWORD, "root", hash, 0 };
	}
	r = create_work_inside(v, changes, n, ret_error);
	if (hash)
		explicit_bzero(hash, strlen(hash));
	return r;
}

static int make_storage(struct ve *v, void *data, ve_error **ret_error)
{
	_cleanup_close_ int image_fd = -1;
	const struct source *from = data;
	int r = image_open_rootfs(v->ctx->store->images_fd, from->image, &image_fd, ret_error);
	if (r == 0)
		r = disk_prepare(v, image_fd, ret_error);
	if (r == 0)
		r = volumes_make(v, NULL, v->config, ret_error);
	return r < 0 ? r : credentials_save(v, from->o, ret_error);
}

/* A removal of the image takes its digest away first and looks for users then; we write the user first and look for the
 * digest then: one of the two sees the other, without a lock. */
static int image_still_there(struct ve *v, const struct image *image, ve_error **ret_error)
{
	_cleanup_image_ struct image *again = NULL;
	_cleanup_free_ char *reference = str_printf("%s@%s", image->name, image->digest);
	return reference ? image_open(v->ctx->store->images_fd, reference, &again, ret_error) : err_nomem(ret_error);
}

/* RET_HOOKED: hooks.create has done its part. */
static int build(struct ve *v, const struct image *image, const struct create_work *w, struct undo *undo, bool *ret_hooked,
		 ve_error **ret_error)
{
	int r = fault_point("claim", ret_error);
	if (r == 0)
		r = claims_take(v, undo, ret_error);
	if (r == 0)
		r = claims_probe(v, NULL, v->config, ret_error);
	if (r == 0 && ctx_ends_dry(v->ctx, STATE_STOPPED))
		return VE_CHANGED;
	if (r == 0)
		r = fault_point("storage", ret_error);
	if (r == 0)
		r = w->storage(v, w->data, ret_error);
	if (r == 0)
		r = fault_point("access", ret_error);
	if (r == 0)
		r = w->access(v, w->data, ret_error);
	if (r == 0)
		r = ctx_check_cancelled(v->ctx, ret_error);
	if (r == 0)
		r = hook_run(v, HOOK_CREATE, ret_error);
	*ret_hooked = r == 0;
	if (r == 0)
		r = fault_point("config", ret_error);
	if (r == 0)
		r = tenantpool_save_config(v, v->config, ret_error);
	if (r == 0)
		r = image_still_there(v, image, ret_error);
	return r;
}

int create_finish(struct ve *v, const struct image *image, const struct create_work *w, struct undo *undo, ve_error **ret_error)
{
	bool hooked = false;
	int r = build(v, image, w, undo, &hooked, ret_error);
	if (r < 0) {
		undo_run(undo);
		if (hooked)
			hook_tell(v, HOOK_DESTROYED);
		return r;
	}
	undo_commit(undo);
	event_log(v->ctx, "created", v->name, v->uuid, w->detail);
	return r;
}

static int start_created(struct ve *v, const struct ve_create_opts *o, ve_error **ret_error)
{
	int r = start_locked(v, ret_error);
	if (r >= 0 && o->wait) {
		handle_unlock(v);
		r = start_await_boot(v, o->wait_s, ret_error);
		/* A slow boot is no failure of the start: it is left running, as start --wait leaves it. */
		if (r == -ETIMEDOUT)
			return r;
	}
	if (r >= 0 || o->keep)
		return r;
	_cleanup_err_ ve_error *second = NULL;
	if (handle_lock(v, "create", &second) == 0) {
		kill_locked(v, NULL);
		destroy_locked(v, NULL);
	}
	return r;
}

int create_from_image(struct ve *v, const struct image *image, const struct ve_create_opts *o, struct undo *undo, ve_error **ret_error)
{
	struct source source = { image, o };
	const struct create_work work = { .storage = make_storage, .access = give_access, .data = &source };
	return create_finish(v, image, &work, undo, ret_error);
}

static int create(struct ve_ctx *ctx, const char *name, const struct ve_create_opts *o, const struct config *spec,
		  struct ve **ret_ve, ve_error **ret_error)
{
	_cleanup_config_ struct config *config = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_ve_ struct ve *v = NULL;
	_cleanup_undo_ struct undo undo = { 0 }; /* last, so that it runs first: it needs the handle */
	int r = name_check("VE", name, ret_error);
	if (r == 0)
		r = seed_check(o, ret_error);
	if (r == 0)
		r = credentials_check(o, ret_error);
	if (r == 0)
		r = ctx_open_to_change(ctx, ret_error);
	if (r == 0)
		r = already_there(ctx, name, o, ret_ve, ret_error);
	if (r != 0)
		return r == 1 ? VE_UNCHANGED : r;
	const struct newve_source from = { .template_name = o->template_name, .image = o->image, .spec = spec };
	r = newve_config(ctx, name, &from, &config, &image, ret_error);
	if (r == 0)
		r = create_put_ips(config, o->ips, ret_error);
	if (r == 0)
		r = newve_check_init(config, image, ret_error);
	if (r == 0 && o->n_credentials && config_has_command(config))
		r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "credentials", "credentials are for an init, which a VE with the key 'command' has not");
	if (r == 0)
		r = newve_defaults(ctx, config, ret_error);
	if (r == 0)
		r = newve_check(ctx, config, ret_error);
	if (r == 0)
		r = newve_directory(ctx, steal_ptr(&config), &undo, &v, ret_error);
	if (r == 0)
		r = create_from_image(v, image, o, &undo, ret_error);
	if (r < 0)
		return err_wrap(ret_error, "cannot create '%s'", name), r;
	if (o->start && !ctx_ends_dry(ctx, STATE_RUNNING))
		r = start_created(v, o, ret_error);
	handle_unlock(v);
	if (r < 0)
		return err_wrap(ret_error, "cannot start '%s'", name), r;
	*ret_ve = steal_ptr(&v);
	return VE_CHANGED;
}

static int note_key(const char *key, json_t *old_value, json_t *new_value, void *values)
{
	audit_note(values, key, old_value, new_value);
	return 0;
}

/* Of what was made, every key; of what was not, only that it was tried. */
static json_t *values_of(const struct ve *v)
{
	_cleanup_config_ struct config *nothing = NULL;
	json_t *values = NULL;
	if (v && v->config && config_new(NULL, &nothing, NULL) == 0)
		config_diff(nothing, v->config, note_key, &values, NULL);
	return values;
}

void create_audit(struct ve_ctx *ctx, const char *verb, const char *name, const struct ve *v, int64_t begun_ms, int r,
		  const ve_error *error)
{
	json_t *values = r > 0 ? values_of(v) : NULL;
	const struct audit a = { .verb = verb, .name = name, .uuid = v ? v->uuid : NULL, .begun_ms = begun_ms, .values = values };
	audit_write(ctx, &a, r, error);
	json_decref(values);
}

int verb_create(struct ve_ctx *ctx, const char *name, const struct ve_create_opts *o, const struct config *spec,
		struct ve **ret_ve, ve_error **ret_error)
{
	int64_t begun_ms = clock_ms();
	struct ve *v = NULL;
	int r = create(ctx, name, o, spec, &v, ret_error);
	create_audit(ctx, "create", name, v, begun_ms, r, ret_error ? *ret_error : NULL);
	if (r >= 0)
		*ret_ve = v;
	return r;
}
