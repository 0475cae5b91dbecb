/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id ranges: every VE has 65,536 host ids of its own, recorded in its configuration. */
#ifndef NS_IDRANGE_H
#define NS_IDRANGE_H

#include <stdint.h>

#include "base/error.h"
#include "model/host.h"
#include "model/store.h"

enum { IDRANGE_SIZE = 65536, IDRANGE_LOWEST = 131072 };

struct idrange {
	uint32_t base;	  /* first host id */
	uint32_t link_id; /* the range's number: names the VE's host interfaces, unique on the host like the range */
};

/* Claims the lowest free range within the host's limits, clear of /etc/subuid and /etc/subgid. Freed by
 * idrange_release(). -ENOSPC when none is left. */
int idrange_claim(struct store *s, const struct host *h, const char *uuid, struct idrange *ret_range,
		  ve_error **ret_error);
void idrange_release(struct store *s, const char *uuid, const struct idrange *range);

#endif
