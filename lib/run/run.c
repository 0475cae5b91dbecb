/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * run: one command in a VE made for it. The VE is an ordinary one, with a name, ids and groups of its own. What differs:
 *
 *                  files                 who waits                           at its end
 *   (nothing)      in memory             we do; the monitor kills the VE     we take it away
 *                                        when we are gone
 *   detached       in memory             its monitor                         the monitor, or who stopped it, takes it away
 *   keep           a store's             one of the two                      it is a stopped VE
 *
 * In the first case nothing is synced to disk, and nothing is written down: it is over in some milliseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "base/undo.h"
#include "run/claims.h"
#include "run/create.h"
#include "run/jail.h"
#include "run/join.h"
#include "run/terminal.h"
#include "run/verbs.h"

static int open_rootfs(const struct ve_run_opts *o, int *ret_fd, ve_error **ret_error)
{
	if (!o->rootfs)
		return 0;
	*ret_fd = open(o->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(ret_error, errno, "rootfs", "cannot open the directory '%s'", o->rootfs) : 0;
}

/* ---- the wait ---- */

struct attended {
	const struct ve_run_opts *o;
	struct launched l;
};

/* What the caller got in our place. */
static void pass_signal(void *data)
{
	const struct attended *a = data;
	unsigned char signal;
	if (read(a->o->signal_fd, &signal, 1) == 1)
		pidfd_send_signal(a->l.init_pidfd, signal, NULL, 0);
}

static int await_end(struct attended *a, int *ret_status, ve_error **ret_error)
{
	const struct ve_run_opts *o = a->o;
	bool passes = o->signal_fd > 0;
	struct msg ended;
	if (o->tty && a->l.terminal_fd >= 0) {
		const struct terminal t = { .in = 0, .out = 1, .far = a->l.terminal_fd, .until_fd = a->l.spawn.control,
					    .wake = passes ? pass_signal : NULL, .wake_fd = o->signal_fd, .data = a };
		int r = terminal_join(&t, ret_error);
		if (r < 0)
			return r;
	}
	while (passes) {
		struct pollfd p[2] = { { .fd = a->l.spawn.control, .events = POLLIN }, { .fd = o->signal_fd, .events = POLLIN } };
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents & POLLIN)
			pass_signal(a);
		passes = !p[0].revents && !(p[1].revents & (POLLHUP | POLLERR | POLLNVAL));
	}
	int r = spawn_expect(&a->l.spawn, MSG_ENDED, -1, &ended, NULL, NULL, ret_error);
	if (r == 0)
		*ret_status = ended.status;
	return r;
}

/* Until the command's end. RET_STATUS: as wait(2) gives it. A signal that is the command's ends nothing of ours. */
static int attend(struct ve *v, struct attended *a, int *ret_status, ve_error **ret_error)
{
	int cancel_fd = v->ctx->cancel_fd;
	if (a->o->signal_fd > 0)
		v->ctx->cancel_fd = -1;
	int r = await_end(a, ret_status, ret_error);
	v->ctx->cancel_fd = cancel_fd;
	close_fd(&a->l.terminal_fd);
	close_fd(&a->l.init_pidfd);
	return r;
}

static struct launch_command command_for(const struct ve_run_opts *o, bool attended)
{
	static const int own[3] = { 0, 1, 2 };
	struct launch_command cmd = { .attended = attended, .reaper = o->init || !attended };
	if (!o->keep) {
		cmd.argv = jail_command(o);
		cmd.env = o->env;
		cmd.cwd = o->cwd;
		cmd.user = o->user;
	}
	if (attended) {
		cmd.hands_on = o->signal_fd > 0;
		cmd.tty = o->tty;
		cmd.stdio = o->tty ? NULL : o->stdio[0] || o->stdio[1] || o->stdio[2] ? o->stdio : own;
	}
	return cmd;
}

/* ---- one that goes with its command ---- */

static int run_command(struct ve *v, const struct ve_run_opts *o, int rootfs_fd, struct spawn *ret_monitor, int *ret_status,
		       ve_error **ret_error)
{
	_cleanup_plan_ struct plan plan = { .storage = { .image_fd = -1, .writable_fd = -1 } };
	struct attended a = { .o = o, .l = { .spawn = { .control = -1 }, .terminal_fd = -1, .init_pidfd = -1 } };
	const struct launch_command cmd = command_for(o, true);
	int status, r = plan_make(v, v->config, rootfs_fd, &plan, ret_error);
	if (r == 0)
		r = launch(&plan, &cmd, &a.l, ret_error);
	if (r < 0)
		return r;
	r = attend(v, &a, &status, ret_error);
	if (r < 0)
		spawn_close(&a.l.spawn); /* kills the VE: we were interrupted */
	else
		*ret_status = join_shell_status(status);
	_cleanup_err_ ve_error *trouble = NULL;
	if (launch_clean(v, v->config, &trouble) < 0 && r == 0)
		ctx_warn(v->ctx, "%s", ve_error_message(trouble));
	*ret_monitor = a.l.spawn;
	return r;
}

/* Not durable: it is in memory, and goes with us. */
static int save(struct ve *v, ve_error **ret_error)
{
	struct stat st;
	int r = config_save(v->config, v->dir_fd, "config.json", false, ret_error);
	if (r == 0 && fstatat(v->dir_fd, "config.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
		v->saved = st.st_ino;
	return r;
}

/* CONFIG and IMAGE are taken over. */
static int make_ephemeral(struct ve_ctx *ctx, struct config *config, struct image *image, struct undo *undo, struct ve **ret_ve,
			  ve_error **ret_error)
{
	_cleanup_image_ struct image *mine = image;
	int r = newve_directory(ctx, config, undo, ret_ve, ret_error);
	if (r == 0)
		r = claims_take(*ret_ve, undo, ret_error);
	if (r == 0)
		r = save(*ret_ve, ret_error);
	if (r == 0)
		(*ret_ve)->image = steal_ptr(&mine);
	return r;
}

/* ---- one that lasts longer ---- */

static int make_kept(struct ve_ctx *ctx, struct config *config, const struct image *image, struct undo *undo, struct ve **ret_ve,
		     ve_error **ret_error)
{
	const struct ve_create_opts nothing = { .size = sizeof(nothing) };
	int r = newve_directory(ctx, config, undo, ret_ve, ret_error);
	return r == 0 ? create_from_image(*ret_ve, image, &nothing, undo, ret_error) : r;
}

/* A VE that is in the store, or will be as long as its command runs, and the start of its command; V's lock is held. What could not be
 * started is gone. */
static int make_and_start(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec, bool attended,
			  struct launched *ret_launched, struct ve **ret_ve, ve_error **ret_error)
{
	_cleanup_config_ struct config *config = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_ve_ struct ve *v = NULL;
	_cleanup_undo_ struct undo undo = { 0 }; /* last, so that it runs first: it needs the handle */
	_cleanup_close_ int rootfs = -1;
	const struct launch_command cmd = command_for(o, attended);
	int r = ctx_open(ctx, true, ret_error);
	if (r == 0)
		r = open_rootfs(o, &rootfs, ret_error);
	if (r == 0)
		r = jail_configure(ctx, o, !attended, spec, &config, &image, ret_error);
	if (r == 0 && o->keep)
		r = make_kept(ctx, steal_ptr(&config), image, &undo, &v, ret_error);
	else if (r == 0)
		r = make_ephemeral(ctx, steal_ptr(&config), steal_ptr(&image), &undo, &v, ret_error);
	if (r < 0)
		return r;
	r = start_launch(v, steal_fd(&rootfs), &cmd, ret_launched, ret_error);
	if (r < 0 && o->keep)
		destroy_locked(v, NULL);
	if (r < 0)
		return r;
	undo_commit(&undo);
	*ret_ve = steal_ptr(&v);
	return 0;
}

static int start_audited(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec, bool attended,
			 struct launched *ret_launched, struct ve **ret_ve, ve_error **ret_error)
{
	int64_t begun_ms = clock_ms();
	_cleanup_err_ ve_error *e = NULL;
	int r = make_and_start(ctx, o, spec, attended, ret_launched, ret_ve, &e);
	create_audit(ctx, "run", r == 0 ? (*ret_ve)->name : o->name, r == 0 ? *ret_ve : NULL, begun_ms, r == 0 ? VE_CHANGED : r, e);
	if (r < 0)
		err_propagate(ret_error, &e);
	else
		handle_unlock(*ret_ve);
	return r;
}

static int run_kept(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec, int *ret_status, ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = NULL;
	struct attended a = { .o = o };
	int status = -1, r = start_audited(ctx, o, spec, true, &a.l, &v, ret_error);
	if (r < 0)
		return r;
	r = attend(v, &a, &status, ret_error);
	spawn_close(&a.l.spawn);
	if (r == 0)
		*ret_status = join_shell_status(status);
	_cleanup_err_ ve_error *trouble = NULL;
	/* Somebody else may have stopped it, or even destroyed it by now. */
	int cleaned = handle_lock(v, "run", &trouble);
	if (cleaned == 0)
		cleaned = ended_locked(v, status, false, &trouble);
	if (cleaned < 0 && ve_error_category(trouble) != VE_ERR_NOT_FOUND)
		ctx_warn(ctx, "%s", ve_error_message(trouble));
	if (!o->name)
		ctx_warn(ctx, "'%s' is kept: vectl start %s, or vectl destroy %s", v->name, v->name, v->name);
	return r;
}

/* ---- the verbs ---- */

static int run_ephemeral(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec, int *ret_status,
			 ve_error **ret_error)
{
	_cleanup_config_ struct config *config = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_ve_ struct ve *v = NULL;
	/* A monitor that has reported the end takes its namespaces apart while we take away what was made. */
	_cleanup_spawn_ struct spawn monitor = { .control = -1 };
	_cleanup_undo_ struct undo undo = { 0 }; /* always run: the VE goes in success as well */
	_cleanup_close_ int rootfs = -1;
	int r = ctx_open(ctx, true, ret_error);
	if (r == 0)
		r = open_rootfs(o, &rootfs, ret_error);
	if (r == 0)
		r = jail_configure(ctx, o, false, spec, &config, &image, ret_error);
	if (r == 0)
		r = make_ephemeral(ctx, steal_ptr(&config), steal_ptr(&image), &undo, &v, ret_error);
	if (r < 0)
		return r;
	handle_unlock(v);
	return run_command(v, o, steal_fd(&rootfs), &monitor, ret_status, ret_error);
}

int verb_run(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec, int *ret_status, ve_error **ret_error)
{
	return o->keep ? run_kept(ctx, o, spec, ret_status, ret_error) : run_ephemeral(ctx, o, spec, ret_status, ret_error);
}

int verb_run_detached(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec, struct ve **ret_ve,
		      ve_error **ret_error)
{
	struct launched done;
	int r = start_audited(ctx, o, spec, false, &done, ret_ve, ret_error);
	return r < 0 ? r : VE_CHANGED;
}
