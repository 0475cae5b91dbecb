/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All addresses that a configuration gives its VE, private ones included: for status and list. */
#ifndef RUN_ADDRESSES_H
#define RUN_ADDRESSES_H

#include <jansson.h>

#include "model/config.h"

/* A new array of strings without prefix; never NULL but out of memory. */
json_t *addresses_json(const struct config *c);

#endif
