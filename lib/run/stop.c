/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/image.h"
#include "ns/idrange.h"
#include "run/change.h"
#include "run/hooks.h"
#include "run/launch.h"
#include "sys/fuseconn.h"

/* A VE that is killed usually ends within the first of these, and nobody looks for connections of its own. */
enum { KILL_USUAL_MS = 100, KILL_DEADLINE_S = 30, MONITOR_DEADLINE_MS = 5000 };

/* 1 when the process behind PIDFD has ended, 0 at the deadline, -EINTR when the caller wants the verb to end. */
static int await_end(const struct ve *v, int pidfd, int64_t deadline_ms, const char *what)
{
	int64_t begun = clock_ms(), until = begun + deadline_ms;
	for (;;) {
		struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN }, { .fd = v->ctx->cancel_fd, .events = POLLIN } };
		int64_t left = until - clock_ms();
		poll(p, 2, left <= 0 ? 0 : left < 1000 ? (int)left : 1000);
		if (p[0].revents)
			return 1;
		if (p[1].revents)
			return -EINTR;
		if (left <= 0)
			return 0;
		if (what)
			ctx_progress(v->ctx, what, (uint64_t)(clock_ms() - begun), (uint64_t)deadline_ms);
	}
}

static int open_groups(struct ve *v, struct cg **ret_cg, ve_error **ret_error)
{
	int r = ctx_cgroups(v->ctx, ret_error);
	return r < 0 ? r : cg_open(v->ctx->cg, handle_place(v).path, ret_cg, ret_error);
}

static void thaw(struct ve *v)
{
	struct cg *cg = NULL;
	if (handle_has_mark(v, "frozen") && open_groups(v, &cg, NULL) == 0) {
		cg_freeze(cg, false, NULL);
		unlinkat(v->run_fd, "frozen", 0);
	}
	cg_free(cg);
}

/* The monitor ends by itself once init has; until then it may look for our mark. */
static void await_monitor(struct ve *v, const struct record *rec)
{
	_cleanup_close_ int fd = pidfd_open(rec->monitor_pid, 0);
	if (fd >= 0 && record_monitor_alive(rec))
		await_end(v, fd, MONITOR_DEADLINE_MS, NULL);
}

/* Written first: nobody who sees it stopped shall be told of an earlier end. */
static void write_down(struct ve *v, enum last_reason reason)
{
	laststate_write(v, reason, 0, NULL);
	event_log(v->ctx, reason == LAST_KILLED ? "killed" : "stopped", v->name, v->uuid, NULL);
}

static int settle(struct ve *v, const struct record *rec, enum last_reason reason, ve_error **ret_error)
{
	_cleanup_config_ struct config *running = NULL;
	write_down(v, reason);
	await_monitor(v, rec);
	int r = handle_running_config(v, &running, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	r = launch_clean(v, running ? running : v->config, ret_error);
	hook_tell(v, HOOK_STOPPED);
	return r;
}

/* Its init has ended by itself, and the monitor waits for our lock to clean up and perhaps to start it anew: it finds
 * nothing to do. */
static int settle_stopped(struct ve *v, ve_error **ret_error)
{
	_cleanup_config_ struct config *ended = NULL;
	if (handle_running_config(v, &ended, NULL) < 0)
		return VE_UNCHANGED;
	if (ctx_ends_dry(v->ctx, STATE_STOPPED))
		return VE_CHANGED;
	write_down(v, LAST_STOPPED);
	int r = launch_clean(v, ended, ret_error);
	hook_tell(v, HOOK_STOPPED);
	return r < 0 ? r : VE_CHANGED;
}

static int stop_signal(const struct ve *v)
{
	const char *name = config_raw(v->config, "stop.signal") ? config_string(v->config, "stop.signal") : NULL;
	int64_t from_image = config_identity_int(v->config, "stop_signal");
	/* What the image says is for its init. */
	if (!name)
		return from_image && !config_is_jail(v->config) ? (int)from_image : SIGTERM;
	if (str_starts(name, "SIG"))
		name += 3;
	if (str_starts(name, "RTMIN+"))
		return SIGRTMIN + atoi(name + 6);
	for (int s = 1; s < SIGRTMIN; s++)
		if (str_eq(sigabbrev_np(s), name))
			return s;
	return atoi(name) ? atoi(name) : SIGTERM;
}

/* As await_end(). A process that waits for a file system in user space may not end by the signal, and its server neither. */
static int await_killed(const struct ve *v, int init)
{
	int r = await_end(v, init, KILL_USUAL_MS, NULL);
	for (int i = 0; r == 0 && i < KILL_DEADLINE_S; i++) {
		fuseconn_abort((uint32_t)config_identity_int(v->config, "id_base"), IDRANGE_SIZE);
		r = await_end(v, init, 1000, NULL);
	}
	return r;
}

static int kill_all(struct ve *v, int init, ve_error **ret_error)
{
	struct cg *cg = NULL;
	/* The end of pid 1 is the end of its pid namespace; the group takes what joined from outside. */
	if (pidfd_send_signal(init, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(ret_error, errno, "kill", "cannot kill the init of '%s'", v->name);
	if (open_groups(v, &cg, NULL) == 0)
		cg_kill(cg, NULL);
	cg_free(cg);
	int r = await_killed(v, init);
	if (r == 0)
		return err_plain(ret_error, VE_ERR_KERNEL, ETIMEDOUT, "kill",
				 "the init of '%s' was killed but does not end: a process of it hangs in the kernel", v->name);
	return r < 0 ? await_killed(v, init) : 0;
}

int kill_locked(struct ve *v, ve_error **ret_error)
{
	struct record rec;
	int r = handle_ask(v, VERB_KILL, &rec, ret_error);
	if (r != 0)
		return r == 1 ? settle_stopped(v, ret_error) : r;
	if (ctx_ends_dry(v->ctx, STATE_STOPPED))
		return VE_CHANGED;
	_cleanup_close_ int init = record_init(&rec);
	r = handle_mark(v, "stopping", ret_error);
	if (r == 0 && init >= 0)
		r = kill_all(v, init, ret_error);
	if (r >= 0)
		r = settle(v, &rec, LAST_KILLED, ret_error);
	return r < 0 ? r : VE_CHANGED;
}

/* As handle_ask(). It may end by itself while its hook runs. */
static int ask_and_tell(struct ve *v, struct record *rec, ve_error **ret_error)
{
	int r = handle_ask(v, VERB_STOP, rec, ret_error);
	if (r != 0 || !hook_tell(v, HOOK_STOPPING))
		return r;
	r = ctx_check_cancelled(v->ctx, ret_error);
	return r < 0 ? r : handle_ask(v, VERB_STOP, rec, ret_error);
}

int stop_locked(struct ve *v, int timeout_s, ve_error **ret_error)
{
	struct record rec;
	int r = ask_and_tell(v, &rec, ret_error);
	if (r != 0)
		return r == 1 ? settle_stopped(v, ret_error) : r;
	if (ctx_ends_dry(v->ctx, STATE_STOPPED))
		return VE_CHANGED;
	r = ctx_host(v->ctx, ret_error);
	if (r < 0)
		return r;
	int64_t timeout = timeout_s >= 0		     ? timeout_s :
			  config_raw(v->config, "stop.timeout") ? config_int(v->config, "stop.timeout") :
								  v->ctx->host->stop_timeout_s;
	_cleanup_close_ int init = record_init(&rec);
	r = handle_mark(v, "stopping", ret_error);
	if (r < 0)
		return r;
	thaw(v);
	if (init >= 0 && timeout > 0 && pidfd_send_signal(init, stop_signal(v), NULL, 0) == 0)
		r = await_end(v, init, timeout * 1000, "stopping");
	if (r == -EINTR) {
		unlinkat(v->run_fd, "stopping", 0);
		return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted",
				 "interrupted; '%s' was asked to stop and may still do so", v->name);
	}
	bool killed = init >= 0 && r == 0;
	if (killed) {
		ctx_warn(v->ctx, "'%s' did not stop within %lld s and was killed", v->name, (long long)timeout);
		r = kill_all(v, init, ret_error);
	}
	if (r >= 0)
		r = settle(v, &rec, killed ? LAST_KILLED : LAST_STOPPED, ret_error);
	return r < 0 ? r : VE_CHANGED;
}

/* A detached jail goes with its end, whoever brought that about; of any other there is somebody who waits for it. */
static int go_if_detached(struct ve *v, int r, struct change *c, ve_error **ret_error)
{
	if (r < 0 || !v->config || !config_identity_int(v->config, "detached"))
		return r;
	c->gone = true;
	return destroy_locked(v, ret_error);
}

int verb_stop(struct ve *v, const struct ve_stop_opts *opts, ve_error **ret_error)
{
	struct change c = { 0 };
	int r = change_begin(&c, v, "stop", CHANGE_STOPS, ret_error);
	if (r == 0)
		r = stop_locked(v, opts ? opts->timeout_s : -1, ret_error);
	r = go_if_detached(v, r, &c, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot stop '%s'", v->name);
	return change_end(&c, r, ret_error);
}

int verb_kill(struct ve *v, ve_error **ret_error)
{
	struct change c = { 0 };
	int r = change_begin(&c, v, "kill", CHANGE_STOPS, ret_error);
	if (r == 0)
		r = kill_locked(v, ret_error);
	r = go_if_detached(v, r, &c, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot kill '%s'", v->name);
	return change_end(&c, r, ret_error);
}
