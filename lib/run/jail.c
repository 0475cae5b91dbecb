/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in a jail's configuration depends on how long it lasts. One that goes with its command is "ephemeral": a VE of memory
 * below run/vectl/jails, and what it runs is told to its start alone. One that is kept is a VE like others, and its keys say all
 * that a start needs to run the same again.
 */
#include "run/jail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"
#include "run/hooks.h"
#include "run/newve.h"
#include "run/privileged.h"
#include "run/tenantpool.h"

const char *const *jail_command(const struct ve_run_opts *o)
{
	static const char *const shell[] = { "/bin/sh", NULL };
	return o->argv && o->argv[0] ? o->argv : shell;
}

/* What cannot be asked for together. */
static int check_options(const struct ve_run_opts *o, const struct config *spec, ve_error **ret_error)
{
	if (o->keep && o->rootfs)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "run",
				 "a VE that is kept is made from an image: its tree would be the directory '%s'", o->rootfs);
	if (!o->keep && spec && (config_raw(spec, "disk") || config_raw(spec, "volumes")))
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "run", "a jail's files are kept in memory: %s is not for run",
				 config_raw(spec, "disk") ? "disk.*" : "volumes");
	return o->name ? name_check("VE", o->name, ret_error) : 0;
}

/* Checked like one that is typed: what is saved is read again. */
static int put_checked(struct config *c, const char *key, json_t *stolen, ve_error **ret_error)
{
	json_t *value = NULL;
	int r = stolen ? schema_check(schema_find(key), key, stolen, &value, ret_error) : err_nomem(ret_error);
	json_decref(stolen);
	if (r == 0 && config_put(c, key, value) < 0)
		r = err_nomem(ret_error);
	return r;
}

static json_t *list_of(const json_t *first, const char *const *more)
{
	json_t *list = first ? json_copy((json_t *)first) : json_array();
	for (; list && more && *more; more++)
		json_array_append_new(list, json_string(*more));
	return list;
}

static int put_kept(struct config *c, const struct ve_run_opts *o, ve_error **ret_error)
{
	int r = put_checked(c, "command", list_of(NULL, jail_command(o)), ret_error);
	if (r == 0 && o->env && o->env[0])
		r = put_checked(c, "environment", list_of(config_list(c, "environment"), o->env), ret_error);
	if (r == 0 && o->user)
		r = put_checked(c, "run.user", json_string(o->user), ret_error);
	if (r == 0 && o->cwd)
		r = put_checked(c, "run.cwd", json_string(o->cwd), ret_error);
	return r == 0 ? hooks_check(NULL, c, ret_error) : r;
}

static int put_ephemeral(struct config *c, bool detached, ve_error **ret_error)
{
	if (config_raw(c, "hooks"))
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "run", "hooks.*: a jail that goes with its command has no hooks");
	if (config_raw(c, "users"))
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "run", "users: in a jail that goes with its command none are made");
	int r = config_set_identity(c, "ephemeral", json_integer(1));
	if (r == 0 && detached)
		r = config_set_identity(c, "detached", json_integer(1));
	if (r == 0)
		r = config_put(c, "disk.backend", json_string("overlay"));
	return r < 0 ? err_nomem(ret_error) : 0;
}

static int put_options(struct config *c, const struct ve_run_opts *o, bool detached, ve_error **ret_error)
{
	/* Without a name its own is its uuid's beginning: nobody has to think of one. */
	_cleanup_free_ char *name = o->name ? strdup(o->name) : str_printf("run-%.8s", config_uuid(c));
	int r = name ? config_put(c, "name", json_string(name)) : -ENOMEM;
	if (r == 0 && o->read_only)
		r = config_put(c, "run.read_only", json_true());
	if (r == 0 && o->no_network)
		r = config_put(c, "network", json_pack("{s:{s:s}}", "0", "type", "none"));
	if (r < 0)
		return err_nomem(ret_error);
	return o->keep ? put_kept(c, o, ret_error) : put_ephemeral(c, detached, ret_error);
}

int jail_configure(struct ve_ctx *ctx, const struct ve_run_opts *o, bool detached, const struct config *spec,
		   struct config **ret_config, struct image **ret_image, ve_error **ret_error)
{
	_cleanup_config_ struct config *c = NULL;
	_cleanup_image_ struct image *image = NULL;
	const struct newve_source from = { .template_name = o->template_name ? o->template_name : "jail", .image = o->image,
					   .spec = spec, .no_image = o->rootfs };
	int r = check_options(o, spec, ret_error);
	/* The template, which fences a jail off, is the host's own; a caller's words on top of it are not. */
	if (r == 0 && spec)
		r = privileged_check(ctx, NULL, spec, ret_error);
	if (r == 0)
		r = newve_config(ctx, "run", &from, &c, &image, ret_error);
	if (r == 0)
		r = put_options(c, o, detached, ret_error);
	if (r == 0)
		r = newve_defaults(ctx, c, ret_error);
	if (r == 0)
		r = config_check_whole(c, ret_error);
	if (r == 0 && o->keep)
		r = tenantpool_check(ctx, c, ret_error);
	if (r == 0) {
		*ret_config = steal_ptr(&c);
		*ret_image = steal_ptr(&image);
	}
	return r;
}
