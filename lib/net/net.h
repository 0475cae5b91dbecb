/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's network, configured from outside: a veth pair an interface, addresses and routes on both ends, proxy
 * ARP and NDP on the uplink, masquerading. All netlink goes through sys/netlink.h (libmnl); only the firewall
 * file is loaded by nft(8), once a boot.
 *
 * Host ends are called vzID.N (ID: the VE's link id, N: the label), never after the VE: names have 63
 * characters, interfaces 15.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <netinet/in.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/undo.h"

enum net_type { NET_NONE, NET_ROUTED, NET_NAT, NET_TYPE_COUNT }; /* bridged: the next issue; keep the switch a table */

struct net_addr {
	int family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
	unsigned char prefix; /* 32 and 128 where none was given */
};

struct net_if {
	unsigned label;   /* N of network.N; the guest's name is ethN */
	enum net_type type;
	unsigned mtu;     /* 0: the uplink's */
	unsigned char mac[6]; /* of the guest end; locally administered, derived from uuid and label: net_mac() */
	struct net_addr *addrs; /* for nat: the private addresses that were allocated */
	unsigned n_addrs;
};

struct net_plan {
	uint32_t link_id;
	const char *uplink;     /* NULL: the interface of the default route, for each family apart */
	const char *nat_range;  /* "10.77.0.0/16" */
	const char *firewall_file; /* the nftables file to load where its table is missing */
	struct net_if *ifs;
	unsigned n_ifs;
};

int net_addr_parse(const char *text, struct net_addr *ret_addr, ve_error **ret_error); /* refuses multicast, unspecified, loopback, link-local... */
char *net_addr_format(const struct net_addr *a, bool with_prefix);
void net_mac(const char *uuid, unsigned label, unsigned char ret_mac[6]);
void net_if_name(uint32_t link_id, unsigned label, char ret_name[IFNAMSIZ]);

/* Before a start: the uplink exists, no address is the host's own, the nft file is there. Changes nothing. */
int net_check(const struct net_plan *plan, ve_error **ret_error);
/* Makes links, addresses, routes, proxies, forwarding (accept_ra first) and masquerading for a VE whose network
 * namespace is NETNS_FD; lo is brought up. Every step pushes its undo on UNDO. */
int net_attach(const struct net_plan *plan, int netns_fd, struct undo *undo, ve_error **ret_error);
/* Takes away the host's side of all of it; what is gone already is success. Links of a dead namespace go by themselves,
 * routes and proxy entries must be removed. */
int net_detach(const struct net_plan *plan, ve_error **ret_error);
/* Changes the addresses of a running VE from PLAN_OLD to PLAN_NEW (same interfaces) without touching what stays. */
int net_change(const struct net_plan *plan_old, const struct net_plan *plan_new, int netns_fd, ve_error **ret_error);
/* The NR-th address of the nat range that may be given to a VE (0 is the first; the gateway is link-local, so none is kept back for it
 * but network and broadcast are). -ENOSPC when the range is used up. */
int net_nat_address(const char *nat_range, uint32_t nr, struct net_addr *ret_addr, ve_error **ret_error);

/* Rows for `vectl check`: what blocks forwarding (a DROP policy of another firewall), nft missing, rp_filter... FN is called with
 * feature, present, detail, hint. */
typedef void (*net_check_fn)(const char *feature, bool present, const char *detail, const char *hint, void *data);
void net_host_check(net_check_fn fn, void *data);

/* The host's real resolvers for dns.servers=inherit: never a loopback stub (systemd-resolved's real list instead).
 * A NULL-terminated strv, and the search list. */
int net_host_resolvers(char ***ret_servers, char ***ret_search, ve_error **ret_error);

#endif
