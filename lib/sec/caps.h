/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability bounding sets, by libcap's names. Bit N is capability N. */
#ifndef SEC_CAPS_H
#define SEC_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum caps_profile { CAPS_VPS, CAPS_JAIL };

/* The bounding set of a profile; without NESTING no SYS_RESOURCE, not even by asking: with it the VE's root
 * would raise user.max_user_namespaces again, and unshare(NEWUSER) gives every capability back. EXTRA:
 * security.capabilities' elements, "+net_raw" or "-net_admin", NULL-terminated or NULL; what can only reach the
 * host is refused (VE_ERR_CONFIG). Bits above the running kernel's last capability are cleared. */
int caps_bounding_set(enum caps_profile profile, bool nesting, const char *const *extra, uint64_t *ret_set,
		      ve_error **ret_error);
/* "chown,kill,...": for show and tests; the caller frees. NULL: out of memory. */
char *caps_format(uint64_t set);

#endif
