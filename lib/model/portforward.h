/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Port forwards as they are typed: PROTOCOL:PORT[-PORT]:PORT, "tcp:8080:80", "udp:5000-5009:6000". */
#ifndef MODEL_PORTFORWARD_H
#define MODEL_PORTFORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { PORTFORWARD_RANGE_MAX = 1024, PORTFORWARD_TCP = 6, PORTFORWARD_UDP = 17 };

/* The host's ports FIRST to FIRST + N - 1 lead to the VE's TO to TO + N - 1. */
struct portforward {
	uint8_t protocol; /* PORTFORWARD_TCP, PORTFORWARD_UDP */
	uint16_t first, n, to;
};

/* VE_ERR_CONFIG. */
int portforward_parse(const char *text, struct portforward *ret, ve_error **ret_error);
/* The same port of the host's in both? *RET_PORT: the first. */
bool portforward_overlap(const struct portforward *a, const struct portforward *b, uint16_t *ret_port);
static inline const char *portforward_protocol(const struct portforward *f)
{
	return f->protocol == PORTFORWARD_TCP ? "tcp" : "udp";
}

#endif
