/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that say who one VE is, and by what it is reached: they do not go from one VE to another. */
#ifndef MODEL_OWNKEYS_H
#define MODEL_OWNKEYS_H

#include "model/config.h"

/* Names, owner, labels, notes, protection, addresses and what goes with them. What create alone sets (SCHEMA_IDENTITY) is another
 * matter. */
bool ownkeys_has(const char *key);
/* Takes them all out of C; its interfaces stay, as with ownkeys_strip_addresses() WITH_IPS. 0 or -ENOMEM. */
int ownkeys_strip(struct config *c);
/* Takes addresses, MACs and forwards away. A routed interface becomes one with a private address; where WITH_IPS says that
 * network.0 gets other ones, its type is left to them. 0 or -ENOMEM. */
int ownkeys_strip_addresses(struct config *c, bool with_ips);

#endif
