/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recovering: what an interrupted verb, a killed monitor or a crashed host left is mended. A running VE is never stopped,
 * restarted or reconfigured.
 *
 *   directory without configuration     an interrupted create or destroy: removed
 *   ephemeral VE whose caller is gone   removed
 *   record of a dead init               groups, links and run files removed
 *   running VE without a monitor        a new monitor adopts it
 *   rules that are not the files'       loaded anew
 *   running VE without its elements, routes, proxies: they are put back
 *   claims of no VE                     removed; missing claims made again
 *   names that their VE is not called by  given back
 *   empty groups of a store without VE  removed
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "base/undo.h"
#include "run/block.h"
#include "run/claims.h"
#include "run/heal.h"
#include "run/hooks.h"
#include "run/image.h"
#include "run/join.h"
#include "run/launch.h"
#include "run/notice.h"
#include "run/plan.h"
#include "run/supervision.h"
#include "run/tenantpool.h"
#include "run/verbs.h"
#include "run/volumes.h"

static void note(json_t *doc, const struct ve *v, const char *what)
{
	if (doc)
		json_array_append_new(doc, json_pack("{s:s,s:s,s:s}", "name", v->name, "uuid", v->uuid, "mended", what));
	event_log(v->ctx, "recovered", v->name, v->uuid, what);
}

static int adopt(struct ve *v, const struct record *rec, ve_error **ret_error)
{
	struct record fresh;
	pid_t monitor;
	int r = supervision_adopt(v, rec, &monitor, ret_error);
	if (r == 0)
		r = record_make(rec->init_pid, monitor, &fresh, ret_error);
	if (r < 0)
		return r;
	fresh.started_at = rec->started_at;
	r = record_write(v->run_fd, &fresh, ret_error);
	notice_write(v); /* what nobody has watched */
	return r;
}

static int clean_dead(struct ve *v, ve_error **ret_error)
{
	_cleanup_config_ struct config *old = NULL;
	handle_running_config(v, &old, NULL);
	int r = launch_clean(v, old ? old : v->config, ret_error);
	hook_tell(v, HOOK_STOPPED);
	return r;
}

static bool has_leftovers(struct ve *v)
{
	struct cg *cg = NULL;
	if (v->run_fd >= 0 && (faccessat(v->run_fd, "record.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
			       faccessat(v->run_fd, "running.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0))
		return true;
	if (ctx_cgroups(v->ctx, NULL) < 0 || cg_open(v->ctx->cg, handle_place(v).path, &cg, NULL) < 0)
		return false;
	cg_free(cg);
	return true;
}

static int remake_claims(struct ve *v, ve_error **ret_error)
{
	struct undo undo = { 0 };
	int r = claims_take(v, &undo, ret_error);
	undo_commit(&undo);
	return r;
}

static int recover_locked(struct ve *v, json_t *doc, ve_error **ret_error)
{
	struct record rec;
	enum ve_state s = handle_state(v, &rec);
	if (s == STATE_CREATING) {
		int r = destroy_locked(v, ret_error);
		if (r >= 0)
			note(doc, v, "an interrupted create or destroy was undone");
		return r;
	}
	if (state_is_up(s)) {
		unlinkat(v->run_fd, "stopping", 0);
		bool mended;
		int r = heal_network(v, &mended, ret_error);
		if (r == 0 && mended)
			note(doc, v, "its part of the host's network was put back");
		if (r < 0 || record_monitor_alive(&rec))
			return r;
		r = adopt(v, &rec, ret_error);
		if (r == 0)
			note(doc, v, "a new monitor adopted it");
		return r;
	}
	if (config_identity_int(v->config, "ephemeral")) {
		int r = destroy_locked(v, ret_error);
		if (r >= 0)
			note(doc, v, "a jail whose caller is gone was removed");
		return r;
	}
	if (has_leftovers(v)) {
		int r = clean_dead(v, ret_error);
		if (r < 0)
			return r;
		note(doc, v, "what it left when it ended was removed");
	}
	volumes_sweep(v, v->config);
	return remake_claims(v, ret_error);
}

static int recover_one(struct ve *v, json_t *doc, ve_error **ret_error)
{
	int r = handle_lock(v, "recover", ret_error);
	if (r == 0)
		r = recover_locked(v, doc, ret_error);
	handle_unlock(v);
	return r < 0 ? r : 0;
}

/* The groups that all VEs of the store share stay when the last VE goes, for the next one. Where there is none, whoever
 * takes a store away wants them gone. A create that begins at this moment makes them again, or fails and leaves nothing:
 * a group that has one below it is not removed. */
static void remove_base_groups(struct ve_ctx *ctx)
{
	_cleanup_strv_ char **uuids = NULL;
	if (ctx_cgroups(ctx, NULL) == 0 && store_uuids(ctx->store, &uuids, NULL) == 0 && (!uuids || !*uuids))
		cg_host_remove(ctx->cg);
}

int verb_recover(struct ve_ctx *ctx, struct ve *only, json_t **ret_doc, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	json_t *doc = json_array();
	int first = 0, r = ctx_open(ctx, true, ret_error);
	if (r == 0)
		r = heal_rules(ctx, ret_error);
	if (r == 0 && only)
		first = recover_one(only, doc, ret_error);
	if (r == 0 && !only)
		r = store_uuids(ctx->store, &uuids, ret_error);
	for (char **u = uuids; r == 0 && u && *u; u++) {
		_cleanup_ve_ struct ve *v = NULL;
		_cleanup_err_ ve_error *e = NULL;
		int one = handle_open_uuid(ctx, *u, &v, &e);
		if (one == 0)
			one = recover_one(v, doc, &e);
		/* Gone while we looked at it or waited for it: somebody else has mended it. */
		if (one == 0 || ve_error_category(e) == VE_ERR_NOT_FOUND)
			continue;
		/* One VE that cannot be mended must not keep the others from it. */
		ctx_warn(ctx, "'%s': %s", v ? v->name : *u, ve_error_message(e));
		if (first == 0) {
			first = one;
			err_propagate(ret_error, &e);
		}
	}
	if (r == 0 && !only) {
		r = store_sweep_claims(ctx->store, ret_error);
		if (r == 0)
			r = claims_sweep_names(ctx, ret_error);
		if (r == 0)
			r = image_recover(ctx, ret_error);
		tenantpool_sweep(ctx);
		remove_base_groups(ctx);
	}
	if (r == 0)
		r = first;
	if (r == 0 && ret_doc)
		*ret_doc = json_incref(doc);
	json_decref(doc);
	return r;
}

/* ---- the end of an init ---- */

static enum last_reason reason_of(const struct ve *v, int status)
{
	/* reboot(2) in a pid namespace ends its init by SIGHUP (restart) or SIGINT (halt, power off): pid_namespaces(7). */
	/* Of an adopted VE an older kernel tells nothing, and only what its init said in time is known. */
	if (status == -1)
		return handle_has_mark(v, "reboot")   ? LAST_REBOOT :
		       handle_has_mark(v, "poweroff") ? LAST_POWEROFF :
							LAST_UNKNOWN;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP)
		return LAST_REBOOT;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		return LAST_POWEROFF;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? LAST_POWEROFF : LAST_CRASHED;
}

static bool shall_restart(const struct ve *v, enum last_reason reason)
{
	const char *policy = config_string(v->config, "boot.restart");
	if (block_forbids_start(v))
		return false;
	if (reason == LAST_REBOOT || str_eq(policy, "always"))
		return true;
	/* What may have been a failure is taken for one. */
	return (reason == LAST_CRASHED || reason == LAST_UNKNOWN) && str_eq(policy, "on-failure");
}

static const char *ended_event(enum last_reason reason)
{
	return reason == LAST_REBOOT ? "rebooted" : reason == LAST_CRASHED ? "crashed" : "stopped";
}

int ended_locked(struct ve *v, int status, bool may_restart, ve_error **ret_error)
{
	struct record rec;
	/* While we waited for the lock another verb may have cleaned up, or started it again. */
	if (!v->config || record_read(v->run_fd, &rec, NULL) < 0 || record_init_alive(&rec))
		return 0;
	enum last_reason reason = reason_of(v, status);
	bool ephemeral = config_identity_int(v->config, "ephemeral");
	/* First, so that nobody sees it stopped who is told of an earlier end. */
	if (!ephemeral) {
		laststate_write(v, reason, status == -1 ? -1 : join_shell_status(status), NULL);
		event_log(v->ctx, ended_event(reason), v->name, v->uuid, NULL);
	}
	int r = clean_dead(v, ret_error);
	if (r < 0)
		return r;
	if (ephemeral)
		return destroy_locked(v, ret_error);
	return may_restart && shall_restart(v, reason) ? start_locked(v, ret_error) : 0;
}

int verb_ended(struct ve_ctx *ctx, const char *uuid, int status, ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = NULL;
	int r = handle_take(ctx, uuid, "ended", &v, ret_error);
	return r < 0 ? r : ended_locked(v, status, true, ret_error);
}
