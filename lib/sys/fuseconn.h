/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections of file systems in user space. Who waits for the answer to a request that a server has taken cannot be killed; it
 * ends with the server. But a server can wait for itself, or two for each other: then nothing that is sent to them ends them.
 */
#ifndef SYS_FUSECONN_H
#define SYS_FUSECONN_H

#include <stdint.h>

/* Cuts off every connection whose owner is one of N host ids from FIRST: all who wait for its server get an error. Good for what
 * is to end anyway; without FUSE in the kernel nothing is done. */
void fuseconn_abort(uint32_t first, uint32_t n);

#endif
