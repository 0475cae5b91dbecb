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
#include "model/portforward.h"
#include "model/firewall.h"

/* A type is a row of net_types (attach.c). */
enum net_type { NET_NONE, NET_ROUTED, NET_NAT, NET_BRIDGED, NET_TYPE_COUNT };

/* The bridge that vectl makes for VEs of type bridged that name none, and takes away with the last of them. */
#define NET_OWN_BRIDGE "vectl0"

struct net_addr {
	int family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
	unsigned char prefix; /* 32 and 128 where none was given */
};

struct net_if {
	unsigned label; /* N of network.N, 0 to 99; the guest's name is ethN, and the lowest label has the default
			   route */
	enum net_type type;
	unsigned mtu;           /* 0: the uplink's */
	unsigned char mac[6];   /* of the guest end: net_mac(), unless configured. The host end has the same with
				   another first byte */
	struct net_addr *addrs; /* for nat: the private addresses that were allocated */
	unsigned n_addrs;
	uint64_t rate_in, rate_out; /* bits a second, 0: not limited */
	bool blocked;               /* reaches nothing but the host (its quota is spent) */
	struct portforward *forwards; /* nat only: ports of the host's that lead to it */
	unsigned n_forwards;
	/* bridged only */
	const char *bridge;         /* NULL: NET_OWN_BRIDGE */
	unsigned vlan;              /* 0: none */
	struct net_addr gateway[2]; /* IPv4 and IPv6; family 0: no default route of that family */
};

/* The provider's rules for all of a VE's interfaces. */
struct net_firewall {
	struct firewall_list ways[FIREWALL_WAYS];
	uint32_t connections; /* at a time each way, 0: not limited */
	uint64_t packet_rate; /* packets a second each way, 0: not limited */
};

struct net_plan {
	uint32_t link_id;
	const char *uuid;          /* of the VE: whose counters they are */
	const char *uplink;        /* NULL: the interface of the default route, for each family apart */
	bool fastpath;             /* the host has its packets take it (fastpath.c) */
	bool answers4, answers6;   /* the uplink answers for routed addresses (ARP, NDP): the host's key `proxy` */
	const char *nat_range;     /* "10.77.0.0/16" */
	const char *data_dir;      /* nft/vectl.nft below it, and where they are needed nft/vectl-nat.nft and
				      nft/vectl-blocked.nft, are loaded where they are not */
	struct net_if *ifs;
	unsigned n_ifs;
	struct net_firewall firewall;
};

/* "192.0.2.10", "2001:db8::1/64". VE_ERR_CONFIG for what no VE can have: multicast, unspecified, loopback,
 * link-local, IPv4 in IPv6 spelling, a network's own address, prefixes shorter than 8 and 32. With a prefix
 * shorter than the address the whole prefix is routed to the VE. */
int net_addr_parse(const char *text, struct net_addr *ret_addr, ve_error **ret_error);
char *net_addr_format(const struct net_addr *a, bool with_prefix);
void net_mac(const char *uuid, unsigned label, unsigned char ret_mac[6]);
void net_if_name(uint32_t link_id, unsigned label, char ret_name[IFNAMSIZ]);

/* Before a start: the uplink exists where one is named (VE_ERR_CONFIG; a host without a default route is none), no
 * address is the host's own (VE_ERR_EXISTS), no prefix holds one of the host's addresses, the range of nat is in
 * none of the host's networks, firewall file and nft are there if they will be needed. Changes nothing. Addresses
 * of other VEs are the store's claims, not looked at here. */
int net_check(const struct net_plan *plan, ve_error **ret_error);
/* Makes links, addresses, routes, proxies, forwarding (accept_ra first) and masquerading for a VE whose network
 * namespace is NETNS_FD. lo is the child's own to bring up, so that a plan of type none needs nothing: no socket
 * is opened for it. "The host" is the network namespace of the calling thread, which never leaves it. Every step
 * pushes its undo on UNDO, with data that is the stack's. Undo takes away links, routes, neighbours and proxies; forwarding, accept_ra=2, the uplink's proxy_ndp
 * and proxy_delay, the firewall table and the uplink's qdisc for the fast path stay, as other VEs may have come to need them.
 * Returns 1 if the firewall's rules were not there and have been loaded: VEs that ran before are not in their sets, and are
 * cut off until net_heal() has put them back. */
int net_attach(const struct net_plan *plan, int netns_fd, struct undo *undo, ve_error **ret_error);
/* Takes away the host's side of all of it; what is gone already is success, and what can be taken away is, also
 * after a failure. Nothing is left when it returns: it removes the link, which the kernel would also do some time
 * after the namespace's end, and waits for it (10 to 30 ms, for the kernel's grace periods). */
int net_detach(const struct net_plan *plan, ve_error **ret_error);
/* Changes the addresses of a running VE from PLAN_OLD to PLAN_NEW without touching what stays: first adds, then
 * removes. Interfaces, types and MACs must be the same (VE_ERR_STATE). On failure what was is put back. Returns 1 as
 * net_attach() does. */
int net_change(const struct net_plan *plan_old, const struct net_plan *plan_new, int netns_fd,
	       ve_error **ret_error);
/* Brings the rules of a running VE from those of PLAN_OLD to those of PLAN_NEW in one transaction; connections that were
 * allowed go on. */
int net_change_firewall(const struct net_plan *plan_old, const struct net_plan *plan_new, ve_error **ret_error);
/* Cuts the interfaces of a running VE off, or not, as the `blocked` of PLAN says, whatever they are now. PLAN_OLD (NULL: PLAN)
 * is what they had been, with the addresses that they had then. The VE has PLAN's rules. */
int net_bring_blocked(const struct net_plan *plan_old, const struct net_plan *plan, ve_error **ret_error);
/* Is the address the host's own? 1 or 0. */
int net_is_own(const struct net_addr *a, ve_error **ret_error);
/* Addresses that no pool may give away although no VE has them: the host's own, and those of the routers that its routes lead
 * through. The caller frees. Takes longer the more routes there are. */
int net_own_addresses(struct net_addr **ret_addrs, unsigned *ret_n, ve_error **ret_error);
/* Asks the uplink's neighbours, and those in a bridge, whether somebody has the addresses of PLAN that PLAN_OLD (NULL: none) has
 * not, as an address is asked for before it is taken: VE_ERR_EXISTS names the MAC that answers. Waits 200 ms for answers where there
 * is something to ask. */
int net_probe(const struct net_plan *plan_old, const struct net_plan *plan, ve_error **ret_error);
/* What is missing of a VE that runs: of what it is in the firewall, of the host's way to it, of the uplink's answers for it. Reads
 * only. An interface that the VE's root has thrown away is none of it. */
struct net_missing {
	unsigned n;
	char first[128];	   /* of them: "the route to 192.0.2.10" */
	bool in_firewall, on_host; /* which of them */
	bool differs;		   /* of the firewall: something is there, and leads elsewhere */
};
int net_look(const struct net_plan *plan, struct net_missing *ret, ve_error **ret_error);
/* Puts that back. What is there is not touched, counters among it. *RET_MENDED: something was missing. */
int net_heal(const struct net_plan *plan, bool *ret_mended, ve_error **ret_error);
/* Loads the firewall files, and the fast path's programs, again where what is loaded of them is not what they say, in one step each; a
 * file of which nothing is loaded is left to who needs it. HOST is a plan without interfaces. Takes some runs of nft(8). */
int net_heal_rules(const struct net_plan *host, bool *ret_mended, ve_error **ret_error);
/* The NR-th address of the nat range that may be given to a VE (0 is the first; the gateway is link-local, so none
 * is kept back for it but network and broadcast are). -ENOSPC when the range is used up. */
int net_nat_address(const char *nat_range, uint32_t nr, struct net_addr *ret_addr, ve_error **ret_error);

/* Brings the rates and blocks of a running VE's interfaces to what PLAN says, whatever they are. */
int net_restrict(const struct net_plan *plan, ve_error **ret_error);
/* NFPROTO_*: of the table "vectl" that counts what the interface sends and receives. */
unsigned net_table_family(const struct net_if *i);

/* Rows for `vectl check`: veth, uplink, rp_filter, ipv4-forwarding, ipv6-forwarding, fastpath (FASTPATH: the host's configuration
 * wants it), nft, nftables, rates, forward-policy
 * (one row for each chain of another firewall that drops what is forwarded), br_netfilter. HINT is NULL where
 * PRESENT; strings live as long as the call. Reads only. */
typedef void (*net_check_fn)(const char *feature, bool present, const char *detail, const char *hint, void *data);
void net_host_check(const char *data_dir, bool fastpath, net_check_fn fn, void *data);

/* The host's real resolvers for dns.servers=inherit: never a loopback stub (systemd-resolved's or NetworkManager's
 * real list instead). NULL-terminated, perhaps empty, strv_free(); likewise the search list. */
int net_host_resolvers(char ***ret_servers, char ***ret_search, ve_error **ret_error);

#endif
