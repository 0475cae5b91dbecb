/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running VEs whose part of the host's firewall, or of the uplink's answers, somebody has taken away. */
#ifndef RUN_HEAL_H
#define RUN_HEAL_H

#include "net/net.h"
#include "run/handle.h"

/* Loads the firewall files where what is loaded is not what they say; what cannot be mended is a warning. */
int heal_rules(struct ve_ctx *ctx, ve_error **ret_error);
/* What is missing of V. Reads only. */
int heal_look(struct ve *v, struct net_missing *ret, ve_error **ret_error);
/* Puts back what is missing of V, which runs. *RET_MENDED: something was. */
int heal_network(struct ve *v, bool *ret_mended, ve_error **ret_error);
/* All other VEs of the store, which may be starting or ending meanwhile: what cannot be mended is a warning. Takes no lock, as
 * what is there is not touched. */
void heal_others(const struct ve *v);

#endif
