/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a VE owns on the host: its name, its ids, its addresses. */
#ifndef RUN_CLAIMS_H
#define RUN_CLAIMS_H

#include "base/undo.h"
#include "run/handle.h"

/* Takes the claims of V's configuration, allocating what is not fixed yet (id range, private addresses), which is
 * written into V->config's identity. Each pushes its undo. */
int claims_take(struct ve *v, struct undo *undo, ve_error **ret_error);
/* The addresses, and ports of the host's, of NEW that OLD has not are claimed; those only OLD has are given back by claims_drop_addresses(). */
int claims_take_addresses(struct ve *v, const struct config *c, ve_error **ret_error);
void claims_drop_addresses(struct ve *v, const struct config *keep);
/* The aliases of C are claimed as names; of ALIASES (an array, or NULL) those that KEEP has not, be it as its name, are given back. */
int claims_take_aliases(struct ve *v, const struct config *c, ve_error **ret_error);
void claims_drop_aliases(struct ve *v, const json_t *aliases, const struct config *keep);
/* Gives back the names that a VE has claimed and is not called by: of a rename or a set that was killed. */
int claims_sweep_names(struct ve_ctx *ctx, ve_error **ret_error);
/* Gives back the claims of KIND that are not in KEPT (NULL: none is). */
void claims_drop_kind(struct ve *v, enum claim_kind kind, char *const *kept);
/* Does somebody beyond the uplink have an address that C gives V and OLD (NULL: none) did not? VE_ERR_EXISTS. What cannot be
 * asked (no uplink yet) is none: the start will say what is wrong with it. */
int claims_probe(struct ve *v, const struct config *old, const struct config *c, ve_error **ret_error);
/* Gives back what V has; looks through all claims only where more than its name and ids may be among them. */
void claims_release(struct ve *v);
/* Gives back everything that is claimed for UUID, whatever it is: a look at each claim of the store. */
void claims_release_all(struct ve_ctx *ctx, const char *uuid);

#endif
