/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE that its provider has closed (non-payment, abuse): ve/UUID/blocked.json, {"how","reason","at"}, which is there as
 * long as it is blocked and so survives a reboot of the host and goes along with a copy of the VE.
 */
#ifndef RUN_BLOCK_H
#define RUN_BLOCK_H

#include "run/handle.h"

/* A new reference to {"how","reason","at"}, as it is shown; json_null() where the VE is not blocked. */
json_t *block_read(const struct ve *v);
/* Is it blocked in a way that keeps it from being started (every way but that of the network)? One access(2) where it is
 * not blocked at all. */
bool block_forbids_start(const struct ve *v);
/* Is it frozen because it is blocked? */
bool block_keeps_frozen(const struct ve *v);
/* The new V is blocked as the VE is whose directory FROM_FD came from another host. */
int block_adopt(const struct ve *v, int from_fd, ve_error **ret_error);
/* Adds why and since when to the refusal of a verb. */
void block_explain(const struct ve *v, ve_error **error);

/* Has the provider cut the VE UUID off from everything but the host? */
bool block_cuts_network(const struct store *store, const char *uuid);

#endif
