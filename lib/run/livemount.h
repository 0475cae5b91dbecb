/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key "mounts" of a VE that runs: what is new is mounted in it, what is no longer there is unmounted.
 *
 * A mount is known again by what it shows: the VE's root may have unmounted it, which is as good, or mounted something over it,
 * which is refused. What he has moved elsewhere, or has a copy of in a mount namespace of his own, is his until the VE stops.
 */
#ifndef RUN_LIVEMOUNT_H
#define RUN_LIVEMOUNT_H

#include "run/handle.h"

/* From FROM's mounts to TO's: all or, with the error, none. VE_ERR_BUSY: something inside uses it. */
int livemount_change(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error);

#endif
