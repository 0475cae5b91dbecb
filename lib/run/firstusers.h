/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The accounts of the key "users", made at a VE's first start, when nothing of the VE has run yet. One that cannot be made refuses the
 * start: nothing is lost by that, and a VE that its owner cannot get into is of no use. One that the image has already stays as
 * it is, with a warning, but is locked where that is wanted; so a start that was killed in between is begun again.
 */
#ifndef RUN_FIRSTUSERS_H
#define RUN_FIRSTUSERS_H

#include "run/handle.h"

/* V's lock is held, and V does not run. Nothing where V was started before. */
int firstusers_make(struct ve *v, ve_error **ret_error);
/* VE_ERR_STATE: FRESH, which V's configuration is to become, has other users, and V's have been made. */
int firstusers_check(struct ve *v, const struct config *fresh, ve_error **ret_error);

#endif
