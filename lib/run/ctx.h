/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context of a caller: one store and what is opened of the host on first need. */
#ifndef RUN_CTX_H
#define RUN_CTX_H

#include <jansson.h>

#include "base/error.h"
#include "cg/cgroup.h"
#include "model/host.h"
#include "model/state.h"
#include "model/store.h"

struct ve_ctx {
	char *root;
	struct store *store;   /* ctx_open() */
	bool store_is_made;
	struct cg_host *cg;    /* ctx_cgroups() */
	struct host *host;     /* ctx_host() */
	ve_progress_fn progress;
	void *progress_data;
	unsigned lock_timeout_ms;
	int cancel_fd;
	char *actor;	       /* who asks, for locks and audit.jsonl; ctx_actor() */
	char *reason;	       /* and why, or NULL */
	bool unprivileged_keys_only; /* the caller may not change what has power over the host (privileged.h) */
	bool dry_run;	       /* verbs end where ctx_ends_dry() is asked */
	int would_be;	       /* of a dry run: the state that its VE would be in (enum ve_state), or one of enum ctx_would_be */
	bool is_host;	       /* the host itself goes up or down: no lock of an administrator's holds that off */
	json_t *warnings;      /* of the verb under way */
};

enum ctx_would_be { CTX_AS_IT_IS = -1, CTX_GONE = STATE_COUNT };

/* Opens the store. MAKE: for verbs that change something: directories are made, the store is protected (fs/storage.h). */
int ctx_open(struct ve_ctx *c, bool make, ve_error **ret_error);
/* The same with MAKE, for a verb that ends a dry run; to others it is refused (VE_ERR_USAGE). For one, nothing is made. */
int ctx_open_to_change(struct ve_ctx *c, ve_error **ret_error);
void ctx_set_dry_run(struct ve_ctx *c, bool on);
/* Stands between a verb's checks and its first change. True: this is a dry run, and the verb returns VE_CHANGED here. AFTER: the state
 * that it would leave the VE in, or one of enum ctx_would_be. Of a dry run the store gives and takes no claims (model/store.h), and
 * no hook is run, no event told and nothing written down; locks are taken where they are there to be taken. */
bool ctx_ends_dry(struct ve_ctx *c, int after);
int ctx_cgroups(struct ve_ctx *c, ve_error **ret_error);
/* Under systemd VEs live below a unit of vectl's, which is started with the first of them. */
int ctx_start_unit(struct ve_ctx *c, ve_error **ret_error);
int ctx_host(struct ve_ctx *c, ve_error **ret_error);
/* A sentence for the caller: what was done differently from what was asked. */
void ctx_warn(struct ve_ctx *c, const char *fmt, ...) ATTR_PRINTF(2, 3);
void ctx_warn_sentence(const char *sentence, void *ctx); /* a cg_warn_fn */
void ctx_progress(const struct ve_ctx *c, const char *what, uint64_t done, uint64_t total);
/* VE_ERR_BUSY with EINTR once the caller's cancel descriptor is readable. */
int ctx_check_cancelled(const struct ve_ctx *c, ve_error **ret_error);
/* Who asks: as the caller said (ve_ctx_set_actor()), else who logged in. Never NULL. */
const char *ctx_actor(struct ve_ctx *c);
/* WORDS ("the WHAT") are one line that can be written down and shown: VE_ERR_CONFIG, VE_ERR_USAGE where there are too many. */
int ctx_check_words(const char *what, const char *words, ve_error **ret_error);
/* Not root: VE_ERR_PERMISSION, before anything else is tried. */
int ctx_need_root(ve_error **ret_error);

#endif
