/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cloning a stopped VE: a create whose configuration and files come from another VE. The clone is another machine. What it is
 * known by (name, addresses, MAC) is made anew here; what it would pass for the other one with, or share secrets by, goes from
 * its files, from inside its own namespaces, and is made anew by its own system at the first start. Ids on disk are those
 * seen inside, so that no file changes its owner.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "base/undo.h"
#include "model/image.h"
#include "model/ownkeys.h"
#include "run/create.h"
#include "run/disk.h"
#include "run/seed.h"
#include "run/verbs.h"
#include "run/volumes.h"

/* ---- its configuration ------------------------------------------------------------------------------------------ */

/* What has no place in a second VE: names and addresses are unique on the host, and so are ports that lead to it. */
static int strip(struct config *c, bool with_ips)
{
	static const char *const own[] = { "hostname", "aliases", "protect" };
	int r = ownkeys_strip_addresses(c, with_ips);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(own); i++)
		r = config_put(c, own[i], NULL);
	return r;
}

/* Of what create found out about the image and the template, all that still holds. */
static int copy_facts(const struct config *from, struct config *to)
{
	static const char *const kept[] = { "image_digest", "template_digest", "init_system" };
	int r = config_set_identity(to, "stop_signal", json_integer(config_identity_int(from, "stop_signal")));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kept); i++) {
		const char *text = config_identity_string(from, kept[i]);
		r = text ? config_set_identity(to, kept[i], json_string(text)) : 0;
	}
	return r == 0 ? newve_stamp(to) : r;
}

static int check_spec(const struct ve *old, const struct config *spec, ve_error **ret_error)
{
	static const char *const fixed[] = { "image", "template", "disk.backend", "pool" };
	for (size_t i = 0; spec && i < ARRAY_SIZE(fixed); i++)
		if (config_raw(spec, fixed[i]))
			return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "clone", "%s: a clone has that of '%s'", fixed[i], old->name);
	return 0;
}

static int configure(struct ve *old, const char *name, const struct ve_clone_opts *o, const struct config *spec,
		     struct config **ret_config, ve_error **ret_error)
{
	_cleanup_config_ struct config *c = NULL;
	int r = check_spec(old, spec, ret_error);
	if (r == 0)
		r = config_new(name, &c, ret_error);
	if (r == 0)
		r = config_merge(c, old->config, ret_error);
	/* They are among its files, as far as they are still there. */
	if (r == 0 && laststate_was_started(old) && config_put(c, "users", NULL) < 0)
		r = err_nomem(ret_error);
	if (r == 0 && (strip(c, o->ips && *o->ips) < 0 || copy_facts(old->config, c) < 0))
		r = err_nomem(ret_error);
	if (r == 0 && spec)
		r = config_merge(c, spec, ret_error);
	if (r == 0)
		r = create_put_ips(c, o->ips, ret_error);
	if (r == 0)
		r = newve_defaults(old->ctx, c, ret_error);
	if (r == 0)
		r = newve_check(old->ctx, c, ret_error);
	if (r == 0)
		*ret_config = steal_ptr(&c);
	return r;
}

/* ---- its files -------------------------------------------------------------------------------------------------- */

static int copy_storage(struct ve *v, void *old, ve_error **ret_error)
{
	int r = disk_clone(old, v, ret_error);
	return r < 0 ? r : volumes_clone(old, v, ret_error);
}

static int renew_identity(struct ve *v, void *old, ve_error **ret_error)
{
	static const struct file_change own[] = {
#define HOST_KEY(kind) { BF_REMOVE, "/etc/ssh/ssh_host_" kind "_key", "", 0 }, { BF_REMOVE, "/etc/ssh/ssh_host_" kind "_key.pub", "", 0 }
		HOST_KEY("rsa"), HOST_KEY("ecdsa"), HOST_KEY("ed25519"), HOST_KEY("dsa"),
		/* Empty and not missing: that would be a first boot to systemd, which then presets all units anew. */
		{ BF_EMPTY, "/etc/machine-id", "", 0444 },
		{ BF_REMOVE, "/var/lib/dbus/machine-id", "", 0 },
		/* A name in there overrides the one that is set from outside. */
		{ BF_EMPTY, "/etc/hostname", "", 0644 },
		{ BF_REMOVE, "/var/lib/systemd/random-seed", "", 0 },
		{ BF_REMOVE, "/var/lib/systemd/credential.secret", "", 0 },
		{ BF_REMOVE, "/var/lib/urandom/random-seed", "", 0 },
		{ BF_REMOVE, "/var/lib/seedrng/seed.credit", "", 0 },
		{ BF_REMOVE, "/var/lib/seedrng/seed.no-credit", "", 0 },
		/* By which Docker's engines tell each other apart. */
		{ BF_REMOVE, "/var/lib/docker/engine-id", "", 0 },
	};
	struct file_change changes[ARRAY_SIZE(own) + SEED_CHANGES];
	unsigned n = 0;
	_cleanup_free_ char *text = NULL;
	(void)old;
	for (; n < ARRAY_SIZE(own); n++)
		changes[n] = own[n];
	int r = seed_renew(v, changes, &n, &text, ret_error);
	return r < 0 ? r : create_work_inside(v, changes, n, ret_error);
}

/* ---- the verb --------------------------------------------------------------------------------------------------- */

static int clone_locked(struct ve *old, const char *name, const struct ve_clone_opts *o, const struct config *spec,
			struct ve **ret_ve, ve_error **ret_error)
{
	_cleanup_config_ struct config *config = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_ve_ struct ve *v = NULL;
	_cleanup_undo_ struct undo undo = { 0 }; /* last, so that it runs first: it needs the handle */
	_cleanup_free_ char *detail = str_printf("cloned from %s", old->name);
	const struct create_work work = { .storage = copy_storage, .access = renew_identity, .data = old, .detail = detail };
	int r = detail ? handle_ask(old, VERB_CLONE, NULL, ret_error) : err_nomem(ret_error);
	/* What a crash of the host left of its last run. */
	if (r == 0)
		r = launch_clean(old, old->config, ret_error);
	if (r == 0)
		r = configure(old, name, o, spec, &config, ret_error);
	if (r == 0)
		r = plan_image(old, old->config, &image, ret_error);
	if (r == 0)
		r = newve_directory(old->ctx, steal_ptr(&config), &undo, &v, ret_error);
	if (r == 0)
		r = create_finish(v, image, &work, &undo, ret_error);
	if (r < 0)
		return r;
	handle_unlock(v);
	*ret_ve = steal_ptr(&v);
	return VE_CHANGED;
}

/* The locks are taken in the order old, new; nobody waits for the new one's and has the old one's. */
int verb_clone(struct ve *old, const char *name, const struct ve_clone_opts *o, const struct config *spec, struct ve **ret_ve,
	       ve_error **ret_error)
{
	int64_t begun_ms = clock_ms();
	struct ve *v = NULL;
	int r = name_check("VE", name, ret_error);
	if (r == 0)
		r = ctx_host(old->ctx, ret_error);
	if (r == 0)
		r = handle_lock(old, "clone", ret_error);
	if (r == 0)
		r = clone_locked(old, name, o, spec, &v, ret_error);
	handle_unlock(old);
	if (r < 0)
		err_wrap(ret_error, "cannot clone '%s' as '%s'", old->name, name);
	create_audit(old->ctx, "clone", name, v, begun_ms, r, ret_error ? *ret_error : NULL);
	if (r >= 0)
		*ret_ve = v;
	return r;
}
