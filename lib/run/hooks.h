/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks: programs of the provider's that are run at points of a VE's life, the VE's lock held, with the document of ve_show() on
 * standard input. What the failure of one means is the point's: create and before_start refuse the verb, the others
 * are too late for that, and warn.
 */
#ifndef RUN_HOOKS_H
#define RUN_HOOKS_H

#include "run/handle.h"

enum hook { HOOK_CREATE, HOOK_BEFORE_START, HOOK_STARTED, HOOK_STOPPING, HOOK_STOPPED, HOOK_DESTROYED, HOOK_COUNT };

bool hook_is_set(const struct ve *v, enum hook h);
/* Runs it, where there is one. VE_ERR_STATE: it said no; VE_ERR_BUSY: it took too long, or said that later may do (75). A failure is an
 * event as well, but for create's, which leaves no VE. */
int hook_run(struct ve *v, enum hook h, ve_error **ret_error);
/* The same, but a failure is a warning. Returns whether there is one. */
bool hook_tell(struct ve *v, enum hook h);

/* The hooks of FRESH that are not OLD's (NULL: all) are programs that nobody but root can have written: VE_ERR_CONFIG. */
int hooks_check(const struct config *old, const struct config *fresh, ve_error **ret_error);

#endif
