/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Destroying a VE. config.json goes first: what is left after a crash is a directory without it, which recover removes.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "fs/storage.h"
#include "run/change.h"
#include "run/claims.h"
#include "run/hooks.h"
#include "run/launch.h"
#include "run/verbs.h"

static void remove_logs(struct ve *v)
{
	char name[64];
	snprintf(name, sizeof(name), "%s.console.log", v->uuid);
	unlinkat(v->ctx->store->log_fd, name, 0);
	snprintf(name, sizeof(name), "%s.console.log.1", v->uuid);
	unlinkat(v->ctx->store->log_fd, name, 0);
}

int destroy_locked(struct ve *v, ve_error **ret_error)
{
	struct store *s = v->ctx->store;
	int r = 0;
	if (ctx_ends_dry(v->ctx, CTX_GONE))
		return VE_CHANGED;
	if (v->config)
		r = launch_clean(v, v->config, ret_error);
	if (r < 0)
		return r;
	if (unlinkat(v->dir_fd, "config.json", 0) < 0 && errno != ENOENT)
		return err_sys(ret_error, errno, "destroy", "cannot remove the configuration of '%s'", v->name);
	/* While the directory is there nobody takes these claims over, so that ours are what is removed. */
	claims_release_all(v->ctx, v->uuid);
	ctx_progress(v->ctx, "removing files", 0, 0);
	r = storage_destroy(v->dir_fd, ret_error);
	if (r < 0)
		return err_hint(ret_error, "vectl recover goes on where this ended"), r;
	r = store_remove_ve(s, v->uuid);
	if (r < 0) {
		r = err_sys(ret_error, -r, "destroy", "cannot remove the files of '%s'", v->name);
		err_hint(ret_error, "vectl recover goes on where this ended");
		return r;
	}
	remove_logs(v);
	file_remove_tree(s->run_fd, v->uuid);
	event_log(v->ctx, "destroyed", v->name, v->uuid, NULL);
	hook_tell(v, HOOK_DESTROYED);
	return VE_CHANGED;
}

int verb_destroy(struct ve *v, bool force, ve_error **ret_error)
{
	struct change c = { 0 };
	int r = change_begin(&c, v, "destroy", CHANGE_ALTERS, ret_error);
	bool up = !state_is_at_rest(c.before);
	if (r == 0 && force && up)
		r = kill_locked(v, ret_error);
	/* One that would have been killed is running still. */
	if (r == VE_UNCHANGED || (r == VE_CHANGED && !ctx_ends_dry(v->ctx, CTX_GONE)))
		r = handle_ask(v, VERB_DESTROY, NULL, ret_error);
	if (r == 0)
		r = destroy_locked(v, ret_error);
	c.gone = r > 0;
	if (r < 0)
		err_wrap(ret_error, "cannot destroy '%s'", v->name);
	return change_end(&c, r, ret_error);
}
