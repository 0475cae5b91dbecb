/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "run/change.h"
#include "run/fault.h"
#include "run/firstusers.h"
#include "run/hooks.h"
#include "run/launch.h"
#include "run/volumes.h"

/* How long an init must live before a start is called one. Nobody reports an init that cannot do its work but its end. */
enum { DEFAULT_BOOT_WAIT_S = 120, AT_ONCE_MS = 10, SETTLE_MS = 500 };

/* A VE that died with its host or its monitor left groups, links or files: they go first. */
static int clean_leftovers(struct ve *v, ve_error **ret_error)
{
	_cleanup_config_ struct config *old = NULL;
	if (handle_running_config(v, &old, NULL) < 0)
		return 0;
	int r = launch_clean(v, old, ret_error);
	hook_tell(v, HOOK_STOPPED);
	return r;
}

static int died_at_once(struct ve *v, ve_error **ret_error)
{
	_cleanup_free_ char *tail = console_tail(v, 10);
	return err_plain(ret_error, VE_ERR_KERNEL, ECHILD, "init", "the init of '%s' ended before it had booted%s%s", v->name,
			 tail ? "; its last words: " : "", tail ? tail : "");
}

static bool ended_within(struct ve *v, int ms)
{
	struct record rec;
	if (record_read(v->run_fd, &rec, NULL) < 0)
		return true;
	_cleanup_close_ int init = record_init(&rec);
	struct pollfd p = { .fd = init, .events = POLLIN };
	return init < 0 || poll(&p, 1, ms) > 0;
}

static int launch_planned(struct ve *v, int rootfs_fd, const struct launch_command *cmd, struct launched *ret_launched,
			  ve_error **ret_error)
{
	_cleanup_plan_ struct plan plan = { .storage = { .image_fd = -1, .writable_fd = -1 } };
	_cleanup_close_ int rootfs = rootfs_fd;
	int r = firstusers_make(v, ret_error);
	if (r == 0)
		r = fault_point("plan", ret_error);
	if (r == 0)
		r = plan_make(v, v->config, steal_fd(&rootfs), &plan, ret_error);
	return r < 0 ? r : launch(&plan, cmd, ret_launched, ret_error);
}

int start_launch(struct ve *v, int rootfs_fd, const struct launch_command *cmd, struct launched *ret_launched, ve_error **ret_error)
{
	_cleanup_close_ int rootfs = rootfs_fd;
	int r = clean_leftovers(v, ret_error);
	if (r == 0)
		volumes_sweep(v, v->config); /* those that went while it ran */
	/* Before the plan: it may mount what the plan opens. */
	if (r == 0)
		r = hook_run(v, HOOK_BEFORE_START, ret_error);
	if (r < 0)
		return r;
	r = launch_planned(v, steal_fd(&rootfs), cmd, ret_launched, ret_error);
	if (r < 0) {
		if (hook_is_set(v, HOOK_BEFORE_START))
			hook_tell(v, HOOK_STOPPED);
		return r;
	}
	laststate_write(v, LAST_STARTED, 0, NULL);
	event_log(v->ctx, "started", v->name, v->uuid, NULL);
	hook_tell(v, HOOK_STARTED);
	return VE_CHANGED;
}

int start_locked(struct ve *v, ve_error **ret_error)
{
	const struct launch_command cmd = { 0 };
	struct launched done;
	int r = start_launch(v, -1, &cmd, &done, ret_error);
	/* An init does not end. A command may, and be done. */
	if (r < 0 || config_has_command(v->config))
		return r;
	return ended_within(v, AT_ONCE_MS) ? died_at_once(v, ret_error) : VE_CHANGED;
}

/* Does the VE's init say when it has booted? Only systemd does; for others a running init is all there is to know. */
static bool reports_readiness(const struct ve *v)
{
	return faccessat(v->run_fd, "notify/socket", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       config_identity_string(v->config, "init_system") &&
	       __builtin_strcmp(config_identity_string(v->config, "init_system"), "systemd") == 0;
}

int start_await_boot(struct ve *v, unsigned wait_s, ve_error **ret_error)
{
	struct record rec;
	unsigned s = wait_s ? wait_s : DEFAULT_BOOT_WAIT_S;
	int64_t until = clock_ms() + (int64_t)s * 1000;
	char path[48];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", v->run_fd);
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, path, IN_CREATE) < 0)
		return err_sys(ret_error, errno, "wait", "cannot watch '%s'", v->name);
	int r = record_read(v->run_fd, &rec, ret_error);
	if (r < 0)
		return r == -ENOENT ? died_at_once(v, ret_error) : r;
	_cleanup_close_ int init = record_init(&rec);
	if (init < 0)
		return died_at_once(v, ret_error);
	if (!reports_readiness(v))
		return ended_within(v, SETTLE_MS) ? died_at_once(v, ret_error) : 0;
	while (!handle_has_mark(v, "ready")) {
		struct pollfd p[3] = { { .fd = watch, .events = POLLIN }, { .fd = init, .events = POLLIN },
				       { .fd = v->ctx->cancel_fd, .events = POLLIN } };
		int64_t left = until - clock_ms();
		char events[1024];
		if (left <= 0) {
			r = err_plain(ret_error, VE_ERR_BUSY, ETIMEDOUT, "wait", "'%s' runs but has not booted within %u s",
				      v->name, s);
			err_hint(ret_error, "look at its console: vectl logs %s", v->name);
			return r;
		}
		ctx_progress(v->ctx, "booting", (uint64_t)(s * 1000 - (unsigned)left), 0);
		/* A second at most, so that progress can be shown. */
		poll(p, 3, left < 1000 ? (int)left : 1000);
		if (p[1].revents && !handle_has_mark(v, "ready"))
			return died_at_once(v, ret_error);
		if (p[2].revents)
			return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted; '%s' is left running", v->name);
		(void)!read(watch, events, sizeof(events));
	}
	return 0;
}

/* What of its plan can be asked for without opening its disk. */
static int check_plan(struct ve *v, ve_error **ret_error)
{
	_cleanup_image_ struct image *image = NULL;
	int r = plan_image(v, v->config, &image, ret_error);
	return r < 0 ? r : plan_check(v, v->config, ret_error);
}

static int start_if_stopped(struct ve *v, ve_error **ret_error)
{
	int r = handle_ask(v, VERB_START, NULL, ret_error);
	if (r == 1)
		return VE_UNCHANGED;
	if (r == 0 && ctx_ends_dry(v->ctx, STATE_RUNNING)) {
		r = check_plan(v, ret_error);
		return r < 0 ? r : VE_CHANGED;
	}
	return r == 0 ? start_locked(v, ret_error) : r;
}

/* Booting takes long, and is the VE's own affair: nobody holds its lock. */
static int await_if_asked(struct ve *v, int changed, const struct ve_start_opts *opts, ve_error **ret_error)
{
	if (changed < 0 || !opts || !opts->wait || v->ctx->dry_run)
		return changed;
	int r = start_await_boot(v, opts->wait_s, ret_error);
	return r < 0 ? r : changed;
}

int verb_start(struct ve *v, const struct ve_start_opts *opts, ve_error **ret_error)
{
	struct change c = { 0 };
	int r = change_begin(&c, v, "start", 0, ret_error);
	if (r == 0)
		r = start_if_stopped(v, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot start '%s'", v->name);
	r = change_end(&c, r, ret_error);
	return await_if_asked(v, r, opts, ret_error);
}

/* One that goes with its command is not there any more to be started. */
static int check_lasts(const struct ve *v, ve_error **ret_error)
{
	if (!v->config || !config_identity_int(v->config, "ephemeral"))
		return 0;
	return err_plain(ret_error, VE_ERR_STATE, EPERM, "state", "it is a jail that goes with its command: run it anew (one of run --keep stays)");
}

int verb_restart(struct ve *v, const struct ve_stop_opts *stop, const struct ve_start_opts *start, ve_error **ret_error)
{
	struct change c = { 0 };
	int r = change_begin(&c, v, "restart", CHANGE_STOPS, ret_error);
	if (r == 0)
		r = check_lasts(v, ret_error);
	if (r == 0)
		r = stop_locked(v, stop->timeout_s, ret_error);
	/* One that would have been stopped is running still. */
	if (r == VE_UNCHANGED || (r == VE_CHANGED && !ctx_ends_dry(v->ctx, STATE_RUNNING)))
		r = start_if_stopped(v, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot restart '%s'", v->name);
	r = change_end(&c, r, ret_error);
	return await_if_asked(v, r, start, ret_error);
}
