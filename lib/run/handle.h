/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One VE in the hands of a verb: its configuration, its directories, its lock and its state. */
#ifndef RUN_HANDLE_H
#define RUN_HANDLE_H

#include <sys/types.h>

#include "base/error.h"
#include "model/config.h"
#include "model/image.h"
#include "model/state.h"
#include "run/ctx.h"
#include "run/record.h"

struct ve {
	struct ve_ctx *ctx;
	char uuid[UUID_LENGTH + 1];
	char *name; /* for messages; the uuid where the configuration is missing */
	struct config *config;
	int dir_fd, run_fd, lock_fd; /* run_fd and lock_fd -1 until handle_lock() */
	ino_t saved;		     /* of a VE that this process made: the file that it saved, 0: none yet */
	struct image *image;	     /* likewise: the image that it is made from, NULL: not opened, or handed on */
};

/* NAME: name or uuid. A VE whose creation was interrupted has no configuration. */
int handle_open(struct ve_ctx *ctx, const char *name, struct ve **ret_ve, ve_error **ret_error);
int handle_open_uuid(struct ve_ctx *ctx, const char *uuid, struct ve **ret_ve, ve_error **ret_error);
void handle_close(struct ve *v);
void handle_closep(struct ve **v);
#define _cleanup_ve_ __attribute__((cleanup(handle_closep)))
/* Takes the VE's lock for VERB and reads the configuration again (it may have changed while we waited). A VE that was
 * destroyed meanwhile is VE_ERR_NOT_FOUND. A dry run takes it where there is one to take. */
int handle_lock(struct ve *v, const char *verb, ve_error **ret_error);
/* For what a monitor runs: the context, the VE and its lock. *RET_VE is the caller's also where the lock is not to be had. */
int handle_take(struct ve_ctx *ctx, const char *uuid, const char *verb, struct ve **ret_ve, ve_error **ret_error);
void handle_unlock(struct ve *v);

/* The state as the kernel and the files have it now. RET_RECORD (may be NULL) is written where it runs or is STOPPING; of
 * a VE whose init has ended by itself, and whose monitor still cleans up, the record's init is gone. */
enum ve_state handle_state(struct ve *v, struct record *ret_record);
/* The monitor of V; 0: V does not run; -1: it runs, and has none. */
pid_t handle_monitor(struct ve *v);
/* Asks the table of transitions: 0 go on, 1 nothing to do, or VE_ERR_STATE. */
int handle_ask(struct ve *v, enum ve_verb verb, struct record *ret_record, ve_error **ret_error);
/* The configuration that the running VE was started with (and has been given live), or NULL with -ENOENT. */
int handle_running_config(struct ve *v, struct config **ret_config, ve_error **ret_error);
/* The namespace NS ("net", "user") of the running V's init. VE_ERR_STATE: it has stopped. */
int handle_open_ns(struct ve *v, const char *ns, ve_error **ret_error);
/* Where V's groups are, if it has some: in the pool that it was started in. */
struct cg_place handle_place(struct ve *v);
/* Marks are empty files in the run directory, gone when the VE ends: "stopping" and "frozen" (a verb of ours did it), "ready"
 * and "reboot" (init said so), "pending" (keys were written for the next start). */
bool handle_has_mark(const struct ve *v, const char *mark);
int handle_mark(const struct ve *v, const char *mark, ve_error **ret_error);

#endif
