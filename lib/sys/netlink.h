/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Netlink by libmnl, as batches: requests are added one by one, go to the kernel in one sendmsg(2), and every one
 * is acknowledged. The kernel works through a batch to its end even where one request fails; the first failure
 * that is not tolerated becomes the error, with the kernel's own extended text.
 *
 * A handle is used by one thread at a time. Whose network namespace it works on is decided when it is opened.
 */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "base/error.h"

struct nl;

/* BUS: NETLINK_ROUTE or NETLINK_NETFILTER, in the network namespace of the calling thread. */
int nl_open(int bus, struct nl **ret_nl, ve_error **ret_error);
/* The same in the namespace NETNS_FD: a thread of our own enters it, so that no thread of the caller's ever does.
 */
int nl_open_in(int bus, int netns_fd, struct nl **ret_nl, ve_error **ret_error);
/* A network namespace of nobody's, gone with its last descriptor. */
int nl_new_namespace(int *ret_netns_fd, ve_error **ret_error);
void nl_close(struct nl *nl); /* NULL is allowed */
void nl_closep(struct nl **nl);
#define _cleanup_nl_ __attribute__((cleanup(nl_closep)))

/* Adds a request: its header; the caller puts the family's header and the attributes behind it by mnl_nlmsg_put_*
 * and mnl_attr_put*, at most NL_REQUEST_MAX bytes. WHAT words the error: "cannot WHAT: ...". A batch that is
 * full goes out by itself; its failure is kept for nl_commit() and nothing more is sent. Never NULL. */
enum { NL_REQUEST_MAX = 1024 };
struct nlmsghdr *nl_add(struct nl *nl, uint16_t type, uint16_t flags, const char *what, ...) ATTR_PRINTF(4, 5);

/* What follows speaks of the request added last. */

/* ERRNUM counts as success; at most four of them. */
void nl_tolerate(struct nl *nl, int errnum);
/* No answer of the kernel's is a failure; *WHERE receives 0 or the positive errno. */
void nl_result_into(struct nl *nl, int *where);
/* FN is called for each message that answers, also of a dump (NLM_F_DUMP). */
typedef void (*nl_reply_fn)(const struct nlmsghdr *nlh, void *data);
void nl_on_reply(struct nl *nl, nl_reply_fn fn, void *data);

/* Sends what was added and reads all answers. */
int nl_commit(struct nl *nl, ve_error **ret_error);

#endif
