/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fast path's BPF maps: their layout, which its programs (lib/net/bpf/fastpath.bpf.c), libve and the monitor
 * share, and how they are found. What it is for: net/fastpath.c.
 *
 * Nothing keeps them but the links that the programs are at: two blocks of tc(8)'s filters, which the uplink and the VEs' host ends
 * share. So they are found by their block, in the network namespace of the calling thread, whoever has made them.
 */
#ifndef SYS_FASTPATH_H
#define SYS_FASTPATH_H

#include <linux/types.h>

enum {
	FASTPATH_BLOCK_IN = 0x76650001, /* what comes in by an interface, and */
	FASTPATH_BLOCK_OUT,		/* what leaves by it */
	FASTPATH_PRIORITY = 1,
	FASTPATH_HANDLE = 1,
	FASTPATH_KINDS = 4, /* enum counter_kind's, in its order */
	FASTPATH_NAME = 16, /* an interface's */
};

/* The maps, by the names that the kernel has for them. */
#define FASTPATH_LINKS "fp_links" /* index of an interface of a VE's: struct fastpath_link */
#define FASTPATH_NAMES "fp_names" /* its name: its index, for who looks when it is gone */
#define FASTPATH_EPOCH "fp_epoch" /* one number: what was learned under another one is forgotten */

struct fastpath_link {
	__u64 generation; /* as struct counter's */
	struct {
		__u64 packets, bytes;
	} counted[FASTPATH_KINDS];
};

#ifndef __bpf__
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys/counters.h"

struct fastpath_maps {
	int links, names, epoch; /* descriptors */
};
#define FASTPATH_CLOSED ((struct fastpath_maps){ -1, -1, -1 })
/* 0 or -errno, -ENOENT where there is no fast path; then there is nothing to close, which may be done all the same. */
int fastpath_open(struct fastpath_maps *ret);
void fastpath_close(struct fastpath_maps *m);
#define _cleanup_fastpath_ __attribute__((cleanup(fastpath_close)))

int fastpath_get(int map, const void *key, void *ret_value);
int fastpath_set(int map, const void *key, const void *value, bool only_new);
int fastpath_delete(int map, const void *key);
bool fastpath_is_empty(int map);
/* What has passed by it on interface IFNAME: of generation 0 where it is not on it, or that cannot be told. */
void fastpath_read(const struct fastpath_maps *m, const char ifname[IFNAMSIZ], struct counter ret[COUNTER_KINDS]);
#endif

#endif
