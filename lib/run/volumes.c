/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/volumes.h"

#include <errno.h>

#include "base/guard.h"
#include "fs/volume.h"
#include "run/fault.h"

/* Those of a configuration. */
struct listed {
	struct volume of[VOLUMES_MAX];
	unsigned n;
};

static struct listed listed(const struct config *c)
{
	struct listed l = { .n = 0 };
	if (c)
		l.n = volume_list(config_list(c, "volumes"), l.of);
	return l;
}

static const struct volume *find(const struct listed *l, const char *name)
{
	return volume_find(l->of, l->n, name);
}

static int make_missing(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	const struct listed old = listed(from), fresh = listed(to);
	int r = 0;
	for (unsigned i = 0; r == 0 && i < fresh.n; i++)
		if (!find(&old, fresh.of[i].name))
			r = volume_make(v->dir_fd, fresh.of[i].name, fresh.of[i].bytes, ret_error);
	return r == 0 ? fault_point("volumes", ret_error) : r;
}

int volumes_make(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	int r = make_missing(v, from, to, ret_error);
	if (r == 0 && !from)
		volumes_sweep(v, to); /* they go with a VE whose create fails */
	return r;
}

static void tell_copied(uint64_t bytes, uint64_t total, void *data)
{
	ctx_progress(data, "copying its volumes", total && bytes > total ? total : bytes, total);
}

int volumes_clone(struct ve *old, struct ve *v, ve_error **ret_error)
{
	const struct listed from = listed(old->config), to = listed(v->config);
	const struct storage_watch watch = { .cancel_fd = v->ctx->cancel_fd, .progress = tell_copied, .data = v->ctx };
	int r = 0;
	for (unsigned i = 0; r == 0 && i < to.n; i++)
		if (find(&from, to.of[i].name))
			r = volume_clone(old->dir_fd, v->dir_fd, to.of[i].name, to.of[i].bytes, &watch, ret_error);
	return r == 0 ? volumes_make(v, NULL, v->config, ret_error) : r;
}

int volumes_adopt(int from_fd, struct ve *v, ve_error **ret_error)
{
	const struct listed to = listed(v->config);
	const struct storage_watch watch = { .cancel_fd = v->ctx->cancel_fd, .progress = tell_copied, .data = v->ctx };
	int r = 0;
	for (unsigned i = 0; r == 0 && i < to.n; i++)
		r = volume_adopt(from_fd, v->dir_fd, to.of[i].name, to.of[i].bytes, &watch, ret_error);
	return r;
}

int volumes_open(struct ve *v, const struct config *c, struct volumes *ret, ve_error **ret_error)
{
	const struct listed l = listed(c);
	struct volumes all = { .n = 0 };
	int r = fault_point("volumes", ret_error);
	for (; r == 0 && all.n < l.n; all.n++) {
		all.of[all.n] = l.of[all.n];
		all.fds[all.n] = -1;
		r = volume_open(v->dir_fd, l.of[all.n].name, l.of[all.n].bytes, &all.fds[all.n], ret_error);
	}
	if (r < 0)
		volumes_close(&all);
	else
		*ret = all;
	return r;
}

void volumes_close(struct volumes *all)
{
	while (all->n > 0)
		close_fd(&all->fds[--all->n]);
}

static int resize(struct ve *v, const struct volume *from, const struct listed *to, bool running, ve_error **ret_error)
{
	const struct volume *b = find(to, from->name);
	return !b || b->bytes == from->bytes ? 0 : volume_resize(v->dir_fd, b->name, from->bytes, b->bytes, running, ret_error);
}

int volumes_resize(struct ve *v, const struct config *from, const struct config *to, bool running, ve_error **ret_error)
{
	const struct listed a = listed(from), b = listed(to);
	unsigned done = 0;
	int r = 0;
	while (done < a.n && (r = resize(v, &a.of[done], &b, running, ret_error)) == 0)
		done++;
	while (r < 0 && done > 0) {
		const struct volume *changed = find(&b, a.of[--done].name);
		if (changed)
			resize(v, changed, &a, running, NULL);
	}
	return r;
}

int volumes_let_go(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	const struct listed old = listed(from), fresh = listed(to);
	int r = 0;
	for (unsigned i = 0; r == 0 && i < old.n; i++)
		if (!find(&fresh, old.of[i].name))
			r = volume_unsettle(v->dir_fd, old.of[i].name, ret_error);
	return r;
}

struct users {
	struct listed configured, running;
};

static enum volume_use use_of(const char *name, void *data)
{
	const struct users *u = data;
	return find(&u->configured, name) ? VOLUME_WANTED : find(&u->running, name) ? VOLUME_IN_USE : VOLUME_UNUSED;
}

void volumes_sweep(struct ve *v, const struct config *c)
{
	_cleanup_config_ struct config *running = NULL;
	int r = handle_running_config(v, &running, NULL);
	if (r < 0 && r != -ENOENT)
		return; /* it runs, and nobody knows with what */
	struct users u = { .configured = listed(c), .running = listed(running) };
	volume_sweep(v->dir_fd, use_of, &u);
}

int volumes_check_kept(const json_t *old, const json_t *fresh, ve_error **ret_error)
{
	struct volume a[VOLUMES_MAX], b[VOLUMES_MAX];
	unsigned n_old = volume_list(old, a), n_fresh = volume_list(fresh, b);
	for (unsigned i = 0; i < n_old; i++) {
		const char *name = a[i].name;
		if (volume_find(b, n_fresh, name))
			continue;
		int r = err_plain(ret_error, VE_ERR_STATE, EPERM, "volumes", "the volume '%s' would go, with all that is in it", name);
		err_hint(ret_error, "volumes-=%s is how that is said", name);
		return r;
	}
	return 0;
}

void volumes_warn_gone(struct ve *v, const struct config *old, const struct config *fresh)
{
	const struct listed a = listed(old), b = listed(fresh);
	for (unsigned i = 0; i < a.n; i++)
		if (!find(&b, a.of[i].name))
			ctx_warn(v->ctx, "the volume '%s' of '%s' goes, with all that is in it", a.of[i].name, v->name);
}

void volumes_usage(struct ve *v, const char *name, struct storage_usage *ret_usage)
{
	*ret_usage = (struct storage_usage){ -1, -1, -1, -1 };
	volume_usage(v->dir_fd, name, handle_monitor(v), ret_usage, NULL);
}

void volumes_look(struct ve *v, const char *name, int *ret_mount_fd)
{
	*ret_mount_fd = -1;
	volume_look(v->dir_fd, name, ret_mount_fd, NULL);
}
