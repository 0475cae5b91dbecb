/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verbs: what lib/api calls, one call each. A verb takes the VE's lock itself and gives it back; those called
 * *_locked expect it held. They return enum ve_changed or a negative errno.
 */
#ifndef RUN_VERBS_H
#define RUN_VERBS_H

#include "run/handle.h"
#include "run/record.h"

/* start.c */
int verb_start(struct ve *v, const struct ve_start_opts *opts, ve_error **ret_error);
int verb_restart(struct ve *v, const struct ve_stop_opts *stop, const struct ve_start_opts *start, ve_error **ret_error);
int start_locked(struct ve *v, ve_error **ret_error);
int start_await_boot(struct ve *v, unsigned wait_s, ve_error **ret_error);

/* stop.c */
int verb_stop(struct ve *v, const struct ve_stop_opts *opts, ve_error **ret_error);
int verb_kill(struct ve *v, ve_error **ret_error);
int stop_locked(struct ve *v, int timeout_s, ve_error **ret_error);
int kill_locked(struct ve *v, ve_error **ret_error);

/* freeze.c */
int verb_freeze(struct ve *v, bool frozen, ve_error **ret_error);
int freeze_locked(struct ve *v, bool frozen, ve_error **ret_error);

/* block.c */
int verb_block(struct ve *v, const struct ve_block_opts *opts, ve_error **ret_error);
int verb_unblock(struct ve *v, ve_error **ret_error);

/* adminlock.c */
int verb_lock(struct ve *v, const struct ve_lock_opts *opts, ve_error **ret_error);
int verb_unlock(struct ve *v, bool force, ve_error **ret_error);

/* create.c, destroy.c */
int verb_create(struct ve_ctx *ctx, const char *name, const struct ve_create_opts *opts, const struct config *spec,
		struct ve **ret_ve, ve_error **ret_error);
int verb_destroy(struct ve *v, bool force, ve_error **ret_error);
int destroy_locked(struct ve *v, ve_error **ret_error);

/* clone.c */
int verb_clone(struct ve *old, const char *name, const struct ve_clone_opts *opts, const struct config *spec, struct ve **ret_ve,
	       ve_error **ret_error);

/* register.c */
int verb_register(struct ve_ctx *ctx, const char *path, const struct ve_register_opts *opts, struct ve **ret_ve, ve_error **ret_error);

/* exec.c, run.c: RET_STATUS as a shell would report it. */
int verb_exec(struct ve *v, const struct ve_exec_opts *opts, int *ret_status, ve_error **ret_error);
int verb_run(struct ve_ctx *ctx, const struct ve_run_opts *opts, const struct config *spec, int *ret_status,
	     ve_error **ret_error);

int verb_run_detached(struct ve_ctx *ctx, const struct ve_run_opts *opts, const struct config *spec, struct ve **ret_ve,
		      ve_error **ret_error);

/* console.c */
int verb_console(struct ve *v, ve_error **ret_error);
int verb_logs(struct ve *v, int fd, unsigned lines, bool follow, ve_error **ret_error);
/* The last LINES lines of the console, quoted for a message; NULL where there are none. The caller frees. */
char *console_tail(struct ve *v, unsigned lines);

/* passwd.c */
int verb_passwd(struct ve *v, const char *user, const char *password, ve_error **ret_error);

/* user.c */
int verb_user_add(struct ve *v, const char *user, const struct ve_user_opts *opts, ve_error **ret_error);
int verb_user_remove(struct ve *v, const char *user, ve_error **ret_error);
int verb_user_lock(struct ve *v, const char *user, bool locked, ve_error **ret_error);
int verb_user_list(struct ve *v, json_t **ret_doc, ve_error **ret_error);

/* copy.c: SRC or DST NULL: opts->fd. */
int verb_push(struct ve *v, const char *src, const char *dst, const struct ve_copy_opts *opts, ve_error **ret_error);
int verb_pull(struct ve *v, const char *src, const char *dst, const struct ve_copy_opts *opts, ve_error **ret_error);

/* set.c */
int verb_set(struct ve *v, const char *const *assignments, enum ve_set_mode mode,
	     json_t **ret_doc, ve_error **ret_error);

/* retemplate.c: TEMPLATE_NAME NULL: its own. */
int verb_apply(struct ve *v, const char *template_name, enum ve_set_mode mode, json_t **ret_doc, ve_error **ret_error);

/* edit.c: what ve_edit_text() and ve_edit() say. */
int edit_text(struct ve *v, char **ret_text, ve_error **ret_error);
int verb_edit(struct ve *v, const char *text, enum ve_set_mode mode, json_t **ret_doc, ve_error **ret_error);

/* rename.c */
int verb_rename(struct ve *v, const char *name, bool keep_alias, ve_error **ret_error);

/* wait.c */
int verb_wait(struct ve *v, const char *state, int timeout_ms, ve_error **ret_error);

/* recover.c: ended: init ended with STATUS (a wait status, -1: unknown), its monitor says so. */
int verb_recover(struct ve_ctx *ctx, struct ve *v, json_t **ret_doc, ve_error **ret_error);
/* MAY_RESTART: as boot.restart says. */
int ended_locked(struct ve *v, int status, bool may_restart, ve_error **ret_error);
int verb_ended(struct ve_ctx *ctx, const char *uuid, int status, ve_error **ret_error);

/* account.c: a quota of the VE's is due, says its monitor. */
int verb_quota(struct ve_ctx *ctx, const char *uuid, ve_error **ret_error);

/* notice.c: the VE was refused memory or processes, says its monitor. */
int verb_notice(struct ve_ctx *ctx, const char *uuid, ve_error **ret_error);

/* diskfull.c: DISK ("disk", "volume.NAME", "host") has no room for more bytes, or for more files, says its monitor. */
int verb_disk_full(struct ve_ctx *ctx, const char *uuid, const char *disk, bool of_files, ve_error **ret_error);

/* boot.c */
int verb_start_boot(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error);
int verb_stop_all(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error);

/* look.c, list.c */
int look_status(struct ve *v, json_t **ret_doc, ve_error **ret_error);
int look_show(struct ve *v, json_t **ret_doc, ve_error **ret_error);
int look_result(struct ve *v, int changed, json_t **ret_doc, ve_error **ret_error);
/* Keys that were written and wait for the next start, as an array of strings; STATE is the VE's. */
json_t *look_pending(struct ve *v, enum ve_state state);
int list_fields(json_t **ret_doc, ve_error **ret_error);
int list_all(struct ve_ctx *ctx, const struct ve_list_opts *opts, json_t **ret_doc, ve_error **ret_error);

/* traffic.c. MONTH "YYYY-MM", NULL: this one. ONLY NULL: all VEs, without their days. */
int look_traffic(struct ve_ctx *ctx, struct ve *only, const char *month, json_t **ret_doc, ve_error **ret_error);
/* This month's bytes, towards the VE and from it. */
void traffic_month(struct ve *v, int64_t *ret_in, int64_t *ret_out);
/* How the quotas of V's interfaces stand: an array, empty where there is none. */
json_t *traffic_quotas(struct ve *v);

/* tune.c */
int verb_tune(struct ve_ctx *ctx, const struct ve_tune_opts *opts, json_t **ret_doc, ve_error **ret_error);

/* limits.c: a row a resource. ONLY NULL: all VEs. REFUSED_ONLY: rows where something was refused. */
int look_limits(struct ve_ctx *ctx, struct ve *only, bool refused_only, json_t **ret_doc, ve_error **ret_error);

/* capacity.c */
int look_capacity(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error);

/* laststate.c: ve/UUID/state.json */
enum last_reason { LAST_STARTED, LAST_STOPPED, LAST_KILLED, LAST_POWEROFF, LAST_REBOOT, LAST_CRASHED, LAST_HOST,
		   LAST_BLOCKED, LAST_UNKNOWN, LAST_COUNT };
/* STATUS as a shell would report it; -1: nobody could wait for it. */
int laststate_write(struct ve *v, enum last_reason reason, int status, ve_error **ret_error);
/* A new reference with "state", "wanted", "last_exit"; an empty object where there is none. */
json_t *laststate_read(struct ve *v);
/* Was it up when the host went down, or should be, for boot.auto=last? */
bool laststate_wanted(struct ve *v);
/* Has its init ever run? */
bool laststate_was_started(struct ve *v);

/* events.c */
void event_log(struct ve_ctx *ctx, const char *event, const char *name, const char *uuid, const char *detail);
/* With further keys; MORE is taken over. -errno where it could not be written. */
int event_log_more(struct ve_ctx *ctx, const char *event, const char *name, const char *uuid, const char *detail, json_t *more);
/* Calls FN for the events that O asks for, oldest first; what it returns but 0 ends it and is returned. */
int events_read(struct ve_ctx *ctx, struct ve *only, const struct ve_events_opts *o, ve_event_fn fn, void *data,
		ve_error **ret_error);

#endif
