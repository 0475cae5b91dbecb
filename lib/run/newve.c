/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/newve.h"

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
#include "fs/storage.h"
#include "model/template.h"
#include "run/change.h"
#include "run/disk.h"
#include "run/tenantpool.h"

static bool is_template(struct ve_ctx *ctx, const char *name)
{
	_cleanup_template_ struct template *t = NULL;
	return template_open((const char *const *)ctx->store->template_dirs, name, &t, NULL) == 0;
}

static bool is_image(struct ve_ctx *ctx, const char *name)
{
	_cleanup_image_ struct image *i = NULL;
	return image_open(ctx->store->images_fd, name, &i, NULL) == 0;
}

static int merge_template(struct ve_ctx *ctx, struct config *c, const char *name, ve_error **ret_error)
{
	_cleanup_template_ struct template *t = NULL;
	_cleanup_err_ ve_error *e = NULL;
	int r = template_open((const char *const *)ctx->store->template_dirs, name, &t, &e);
	if (r == -ENOENT && is_image(ctx, name))
		return err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "template", "'%s' is an image, not a template: --image %s",
				 name, name);
	if (r < 0) {
		err_propagate(ret_error, &e);
		return r;
	}
	r = config_merge(c, t->keys, ret_error);
	if (r == 0)
		r = config_put(c, "template", json_string(t->name));
	if (r == 0)
		r = config_set_identity(c, "template_digest", json_string(t->digest));
	return r;
}

int newve_take_image(struct ve_ctx *ctx, struct config *c, const char *name, struct image **ret_image, ve_error **ret_error)
{
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_image_ struct image *image = NULL;
	int r = image_open(ctx->store->images_fd, name, &image, &e);
	if (r == -ENOENT && is_template(ctx, name))
		return err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "image", "'%s' is a template, not an image: --template %s",
				 name, name);
	if (r < 0) {
		err_propagate(ret_error, &e);
		return r;
	}
	/* What a stop and a start ask of the image is kept with the VE: the image is not read again for it. */
	if (config_put(c, "image", json_string(image->name)) < 0 ||
	    config_set_identity(c, "image_digest", json_string(image->digest)) < 0 ||
	    config_set_identity(c, "stop_signal", json_integer(image->stop_signal)) < 0 ||
	    config_set_identity(c, "init_system", json_string(image->init_system ? image->init_system : "none")) < 0)
		return err_nomem(ret_error);
	*ret_image = steal_ptr(&image);
	return 0;
}

int newve_stamp(struct config *c)
{
	char when[CLOCK_TEXT_SIZE];
	return config_set_identity(c, "created_at", json_string(clock_text(time(NULL), when)));
}

int newve_config(struct ve_ctx *ctx, const char *name, const struct newve_source *from, struct config **ret_config,
		 struct image **ret_image, ve_error **ret_error)
{
	_cleanup_config_ struct config *c = NULL;
	int r = ctx_host(ctx, ret_error);
	if (r == 0)
		r = config_new(name, &c, ret_error);
	const char *own = from->spec ? config_string(from->spec, "template") : NULL;
	const char *template_name = from->template_name ? from->template_name : own ? own : r == 0 ? ctx->host->default_template : NULL;
	if (r == 0)
		r = merge_template(ctx, c, template_name, ret_error);
	if (r == 0 && from->spec)
		r = config_merge(c, from->spec, ret_error);
	/* A document may come from a VE of another one. */
	if (r == 0 && config_put(c, "template", json_string(template_name)) < 0)
		r = err_nomem(ret_error);
	if (r == 0)
		r = newve_stamp(c);
	const char *image = from->image ? from->image : config_raw(c, "image") ? config_string(c, "image") : NULL;
	if (r == 0 && !from->no_image)
		r = newve_take_image(ctx, c, image ? image : ctx->host->default_image, ret_image, ret_error);
	if (r < 0)
		return r;
	*ret_config = steal_ptr(&c);
	return 0;
}

/* The type of each interface is written down: one that is implied would change with the last address. */
static int fix_network_types(struct config *c)
{
	unsigned labels[16];
	char ips[32];
	int n = config_networks(c, labels, 16), r = 0;
	if (n == 0)
		return config_put(c, "network.0.type", json_string("nat"));
	for (int i = 0; r == 0 && i < n; i++) {
		_cleanup_free_ char *key = str_printf("network.%u.type", labels[i]);
		if (!key)
			return -ENOMEM;
		if (!config_raw(c, key))
			r = config_put(c, key, json_string(config_network_type(c, labels[i])));
		/* A list that only held its place (model/ownkeys.h). */
		snprintf(ips, sizeof(ips), "network.%u.ips", labels[i]);
		if (r == 0 && config_raw(c, ips) && json_array_size(config_raw(c, ips)) == 0)
			r = config_put(c, ips, NULL);
	}
	return r;
}

int newve_defaults(struct ve_ctx *ctx, struct config *c, ve_error **ret_error)
{
	int r = fix_network_types(c);
	if (r == 0 && !config_raw(c, "disk.backend"))
		r = config_put(c, "disk.backend", json_string(ctx->host->default_backend));
	return r < 0 ? err_nomem(ret_error) : 0;
}

int newve_check(struct ve_ctx *ctx, const struct config *c, ve_error **ret_error)
{
	int r = change_check_config(ctx, NULL, c, ret_error);
	if (r == 0)
		r = disk_check_host(c, ret_error);
	return r < 0 ? r : tenantpool_check(ctx, c, ret_error);
}

int newve_check_init(const struct config *c, const struct image *image, ve_error **ret_error)
{
	if (image->init || config_has_command(c) || config_raw(c, "init"))
		return 0;
	return err_plain(ret_error, VE_ERR_DATA, ENOEXEC, "image", "the image '%s' has no init: it is for jails (vectl run)", image->name);
}

static void undo_directory(void *data)
{
	struct ve *v = data;
	if (v->dir_fd >= 0)
		storage_destroy(v->dir_fd, NULL);
	store_remove_ve(v->ctx->store, v->uuid);
	file_remove_tree(v->ctx->store->run_fd, v->uuid);
}

int newve_directory(struct ve_ctx *ctx, struct config *config, struct undo *undo, struct ve **ret_ve,
		    ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = calloc(1, sizeof(*v));
	if (!v) {
		config_free(config);
		return err_nomem(ret_error);
	}
	*v = (struct ve){ .ctx = ctx, .config = config, .dir_fd = -1, .run_fd = -1, .lock_fd = -1 };
	memcpy(v->uuid, config_uuid(config), UUID_LENGTH + 1);
	v->name = strdup(config_name(config));
	if (!v->name || undo_reserve(undo, 1) < 0)
		return err_nomem(ret_error);
	if (ctx->dry_run) {
		v->config = config;
		*ret_ve = steal_ptr(&v);
		return 0;
	}
	/* The lock before the directory: recover takes it before it removes a directory without configuration. */
	int r = store_open_run(ctx->store, v->uuid, true, &v->run_fd, ret_error);
	struct config *mine = v->config;
	v->config = NULL; /* the file is not there yet: handle_lock() must not look for it */
	if (r == 0)
		r = store_make_ve(ctx->store, v->uuid, config_identity_int(config, "ephemeral"), ret_error);
	bool made = r == 0;
	if (r == 0)
		r = store_open_ve(ctx->store, v->uuid, &v->dir_fd, ret_error);
	if (r == 0)
		r = handle_lock(v, "create", ret_error);
	v->config = mine;
	if (r < 0) {
		/* What somebody else was quicker to make is his. */
		if (made)
			undo_directory(v);
		else
			unlinkat(ctx->store->run_fd, v->uuid, AT_REMOVEDIR);
		return r;
	}
	undo_push(undo, undo_directory, v);
	*ret_ve = steal_ptr(&v);
	return 0;
}
