/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/guard.h"
#include "run/block.h"
#include "run/change.h"

/* The mark tells a freeze of the provider's from one that the VE's own systemd does to a unit. */
static int set_mark(struct ve *v, bool frozen, ve_error **ret_error)
{
	if (!frozen) {
		unlinkat(v->run_fd, "frozen", 0);
		return 0;
	}
	return handle_mark(v, "frozen", ret_error);
}

int freeze_locked(struct ve *v, bool frozen, ve_error **ret_error)
{
	struct cg *cg = NULL;
	int r = handle_ask(v, frozen ? VERB_FREEZE : VERB_THAW, NULL, ret_error);
	if (r != 0)
		return r == 1 ? VE_UNCHANGED : r;
	if (!frozen && block_keeps_frozen(v)) {
		r = err_plain(ret_error, VE_ERR_STATE, EINVAL, "state", "cannot thaw '%s': it is blocked by the provider",
			      v->name);
		block_explain(v, ret_error);
		err_hint(ret_error, "vectl unblock %s", v->name);
		return r;
	}
	if (ctx_ends_dry(v->ctx, frozen ? STATE_FROZEN : STATE_RUNNING))
		return VE_CHANGED;
	r = ctx_cgroups(v->ctx, ret_error);
	if (r == 0)
		r = cg_open(v->ctx->cg, handle_place(v).path, &cg, ret_error);
	if (r == 0 && frozen)
		r = set_mark(v, true, ret_error);
	if (r == 0)
		r = cg_freeze(cg, frozen, ret_error);
	if ((r == 0) != frozen)
		set_mark(v, false, NULL);
	cg_free(cg);
	if (r < 0)
		return r;
	event_log(v->ctx, frozen ? "frozen" : "thawed", v->name, v->uuid, NULL);
	return VE_CHANGED;
}

int verb_freeze(struct ve *v, bool frozen, ve_error **ret_error)
{
	const char *verb = frozen ? "freeze" : "thaw";
	struct change c = { 0 };
	int r = change_begin(&c, v, verb, frozen ? CHANGE_STOPS : 0, ret_error);
	if (r == 0)
		r = freeze_locked(v, frozen, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot %s '%s'", verb, v->name);
	return change_end(&c, r, ret_error);
}
