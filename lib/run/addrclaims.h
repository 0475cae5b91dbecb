/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses that a VE has as claims: each one, and each prefix that is routed to it (overlap.h). */
#ifndef RUN_ADDRCLAIMS_H
#define RUN_ADDRCLAIMS_H

#include "run/handle.h"

/* Claims what C gives V and V has not yet. VE_ERR_EXISTS: it is another VE's, overlaps another's, or is the host's own. */
int addrclaims_take(struct ve *v, const struct config *c, ve_error **ret_error);
/* Gives back what KEEP does not have. */
void addrclaims_drop(struct ve *v, const struct config *keep);

#endif
