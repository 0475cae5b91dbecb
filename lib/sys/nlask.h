/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single questions over netlink, by hand: for what the monitor, which has no libraries, asks too (all else is sys/netlink.h's).
 * Nothing here allocates.
 */
#ifndef SYS_NLASK_H
#define SYS_NLASK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A socket of the bus NETLINK_*, in the network namespace of the calling thread: a descriptor, or -errno. */
int nlask_open(int bus);

struct nlask {
	struct nlmsghdr head;
	char body[192];
};
/* A request of TYPE, with the family's own header of N bytes. */
void nlask_begin(struct nlask *q, uint16_t type, const void *header, size_t n);
void nlask_put(struct nlask *q, uint16_t type, const void *data, size_t n);

/* Asks, and calls FN for each message that answers. 0, the kernel's -errno, or -ETIMEDOUT where it does not answer. */
typedef void (*nlask_fn)(const struct nlmsghdr *m, void *data);
int nlask(int sock, struct nlask *q, nlask_fn fn, void *data);

/* The attributes behind the family's header of HEADER bytes in M, and their length; NULL where M is too short. */
const void *nlask_attrs(const struct nlmsghdr *m, size_t header, size_t *ret_n);
/* The attribute TYPE among the N bytes at ATTRS, its payload in *RET and *RET_N. */
bool nlask_find(const void *attrs, size_t n, unsigned type, const void **ret, size_t *ret_n);

#endif
