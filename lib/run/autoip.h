/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The word `auto` in network.N.ips: the next free address of the host's pool takes its place. */
#ifndef RUN_AUTOIP_H
#define RUN_AUTOIP_H

#include "run/handle.h"

/* Is there such a word in C? */
bool autoip_wanted(const struct config *c);
/* Claims an address for V in the place of each of them; V's directory is there (see store_claim()). The pool is used up:
 * VE_ERR_NO_ROOM. What was claimed by then stays claimed: the caller gives it back with all else. */
int autoip_resolve(struct ve *v, struct config *c, ve_error **ret_error);

#endif
