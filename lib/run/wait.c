/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/verbs.h"

static bool is_reached(struct ve *v, const char *state)
{
	enum ve_state s = handle_state(v, NULL);
	if (str_eq(state, "booted"))
		return s == STATE_RUNNING && (handle_has_mark(v, "ready") || faccessat(v->run_fd, "notify/socket", F_OK, 0) < 0 ||
					      !str_eq(config_identity_string(v->config, "init_system"), "systemd"));
	/* Whoever waits for its end has it, also where it may not be started again. */
	return str_eq(state, state_name(s == STATE_BLOCKED ? STATE_STOPPED : s)) || str_eq(state, state_name(s));
}

/* Everything that changes a state writes into the run directory, except init's own end: that is a pidfd. */
static int wait_change(struct ve *v, int watch, int64_t left)
{
	struct record rec;
	char events[4096];
	_cleanup_close_ int init = record_read(v->run_fd, &rec, NULL) == 0 ? record_init(&rec) : -1;
	struct pollfd p[3] = { { .fd = watch, .events = POLLIN }, { .fd = init, .events = POLLIN },
			       { .fd = v->ctx->cancel_fd, .events = POLLIN } };
	poll(p, 3, left > 1000 || left < 0 ? 1000 : (int)left);
	(void)!read(watch, events, sizeof(events));
	return p[2].revents ? -EINTR : 0;
}

int verb_wait(struct ve *v, const char *state, int timeout_ms, ve_error **ret_error)
{
	enum ve_state unused;
	if (!str_eq(state, "booted") && state_from_name(state, &unused) < 0)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "wait", "there is no state '%s': running, booted, stopped, frozen",
				 state);
	int64_t until = timeout_ms < 0 ? INT64_MAX : clock_ms() + timeout_ms;
	int r = ctx_open(v->ctx, true, ret_error);
	if (r == 0 && v->run_fd < 0)
		r = store_open_run(v->ctx->store, v->uuid, true, &v->run_fd, ret_error);
	if (r < 0)
		return r;
	char path[48];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", v->run_fd);
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, path, IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_DELETE_SELF) < 0)
		return err_sys(ret_error, errno, "wait", "cannot watch '%s'", v->name);
	while (!is_reached(v, state)) {
		int64_t left = timeout_ms < 0 ? -1 : until - clock_ms();
		if (timeout_ms >= 0 && left <= 0)
			return err_plain(ret_error, VE_ERR_BUSY, ETIMEDOUT, "wait", "'%s' is %s, not %s, after %d s", v->name,
					 state_name(handle_state(v, NULL)), state, timeout_ms / 1000);
		if (!store_has_ve(v->ctx->store, v->uuid))
			return err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "wait", "'%s' was destroyed meanwhile", v->name);
		if (wait_change(v, watch, left) == -EINTR)
			return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted");
	}
	return 0;
}
