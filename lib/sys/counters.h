/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading single traffic counters: named counters of the nftables tables of templates/nft/vectl.nft, one by
 * name, so that the cost is the same beside one VE or a thousand. By hand and not by libmnl, because the monitor,
 * which has no libraries, reads them too. Nothing here allocates.
 */
#ifndef SYS_COUNTERS_H
#define SYS_COUNTERS_H

#include <net/if.h>
#include <stdint.h>

struct counter {
	uint64_t generation; /* another one is another counter. 0: there is none */
	uint64_t packets, bytes;
};

enum counter_kind { COUNTER_OUT4, COUNTER_OUT6, COUNTER_IN4, COUNTER_IN6, COUNTER_KINDS };
/* "vzID.N_out4" and the like. */
enum { COUNTER_NAME = IFNAMSIZ + 8 };
void counter_name(const char *ifname, enum counter_kind kind, char ret_name[COUNTER_NAME]);

/* The table they are in, of the family NFPROTO_INET or, for bridged interfaces, NFPROTO_BRIDGE. */
#define COUNTER_TABLE "vectl"

/* In the network namespace of the calling thread. A descriptor, or -errno. */
int counters_open(void);
/* The four of interface IFNAME. What is not there (no table, no counter) has generation 0 and is no error.
 * 0 or -errno; -ETIMEDOUT where the kernel does not answer. */
int counters_read(int sock, unsigned family, const char ifname[IFNAMSIZ], struct counter ret[COUNTER_KINDS]);

#endif
