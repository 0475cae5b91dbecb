/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/join.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/fault.h"
#include "run/plan.h"
#include "run/supervision.h"

enum { DEADLINE_MS = 20000 };

int join_freeze_security(struct ve *v, const struct config *c, struct blobber *b, ve_error **ret_error)
{
	_cleanup_plan_ struct plan p = { .ve = v, .config = c, .storage = { .image_fd = -1, .writable_fd = -1 } };
	plan_limits(c, &p.limits);
	int r = plan_security(&p, ret_error);
	if (r == 0)
		plan_freeze_security(b, &p);
	return r;
}

/* Spawns the joiner and moves its child into the VE's groups. */
static int spawn_and_place(struct ve *v, const struct config *c, struct cg *cg, int init, struct blobber *b,
			   struct spawn *ret_spawn, ve_error **ret_error)
{
	struct spawn s = { .control = -1 };
	struct msg cloned;
	int r = join_freeze_security(v, c, b, ret_error);
	if (r < 0)
		return r;
	b->head.fd_pidfd = blobber_fd(b, init);
	/* Where nobody answers there any more, what is joined goes on without quotas. */
	_cleanup_close_ int quota = b->head.flags & BLOB_USER_QUOTA ? supervision_connect(v->run_fd, "quota.sock", SOCK_DGRAM) : -1;
	b->head.fd_quota = blobber_fd(b, quota);
	fault_forward(b);
	r = spawn_monitor(b, v->ctx->cancel_fd, &s, ret_error);
	if (r < 0)
		return r;
	if (b->head.role == MON_JOIN) {
		r = spawn_expect(&s, MSG_CLONED, DEADLINE_MS, &cloned, NULL, NULL, ret_error);
		if (r == 0)
			r = cg_attach(cg, cloned.pid, ret_error);
		if (r == 0)
			r = spawn_tell(&s, MSG_GO, ret_error);
	}
	if (r < 0) {
		spawn_close(&s);
		return r;
	}
	*ret_spawn = s;
	return 0;
}

int join_spawn(struct ve *v, struct blobber *b, struct spawn *ret_spawn, ve_error **ret_error)
{
	_cleanup_config_ struct config *running = NULL;
	struct record rec;
	struct cg *cg = NULL;
	int r = record_read(v->run_fd, &rec, ret_error);
	if (r < 0)
		return r == -ENOENT ? err_plain(ret_error, VE_ERR_STATE, ESRCH, "join", "'%s' is not running", v->name) : r;
	_cleanup_close_ int init = record_init(&rec);
	if (init < 0)
		return err_plain(ret_error, VE_ERR_STATE, ESRCH, "join", "'%s' has just stopped", v->name);
	r = handle_running_config(v, &running, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	r = ctx_cgroups(v->ctx, ret_error);
	if (r == 0)
		r = cg_open(v->ctx->cg, handle_place(v).path, &cg, ret_error);
	if (r == -ENOENT)
		r = err_plain(ret_error, VE_ERR_STATE, ENOENT, "join", "the control groups of '%s' are gone", v->name);
	if (r == 0)
		r = spawn_and_place(v, running ? running : v->config, cg, init, b, ret_spawn, ret_error);
	cg_free(cg);
	return r;
}

int join_work(struct ve *v, struct blobber *b, ve_error **ret_error)
{
	struct spawn s = { .control = -1 };
	struct msg ended;
	int r = join_spawn(v, b, &s, ret_error);
	if (r < 0)
		return r;
	r = spawn_expect(&s, MSG_STARTED, DEADLINE_MS, NULL, NULL, NULL, ret_error);
	if (r == 0)
		r = spawn_expect(&s, MSG_ENDED, DEADLINE_MS, &ended, NULL, NULL, ret_error);
	spawn_close(&s);
	return r;
}
