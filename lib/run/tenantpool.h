/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tenants' pools at work: VEs that name one (the key pool) are started in a group below the pool's, whose limits they share.
 *
 * The pool's groups are made with its first VE, and stay until the pool is removed, so that what was refused is still known
 * when none of its VEs runs; a start brings their limits about anew. Which pool a VE was started in is the link "pool" in
 * its run directory, as its configuration may name another one by now (pending).
 *
 * Locks: the VE's, then the store's. Under the latter a configuration that names a pool is written, and a pool changed and removed:
 * so no VE names a pool that is gone.
 */
#ifndef RUN_TENANTPOOL_H
#define RUN_TENANTPOOL_H

#include "run/handle.h"

/* The groups that V is to be started in: those of C's pool are made and limited, and noted in the run directory; what a
 * killed verb left elsewhere goes. */
int tenantpool_enter(struct ve *v, const struct config *c, ve_error **ret_error);
/* V's groups are gone. */
void tenantpool_leave(struct ve *v);
/* VE_ERR_NOT_FOUND where C names a pool that is not there. */
int tenantpool_check(struct ve_ctx *ctx, const struct config *c, ve_error **ret_error);
/* config_save() of V's config.json, after tenantpool_check(), as one step. */
int tenantpool_save_config(struct ve *v, struct config *c, ve_error **ret_error);
/* Removes groups of pools that are not there any more, and have no VE in them. */
void tenantpool_sweep(struct ve_ctx *ctx);

int verb_pool_list(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error);
int verb_pool_show(struct ve_ctx *ctx, const char *name, json_t **ret_doc, ve_error **ret_error);
/* Both return enum ve_changed. */
int verb_pool_set(struct ve_ctx *ctx, const char *name, const char *const *assignments, ve_error **ret_error);
int verb_pool_remove(struct ve_ctx *ctx, const char *name, ve_error **ret_error);

#endif
