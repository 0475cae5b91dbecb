/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of this room share. Functions named x_put_* add a request to a batch (sys/netlink.h); nothing
 * happens before its nl_commit().
 */
#ifndef NET_PRIV_H
#define NET_PRIV_H

#include "net/net.h"
#include "sys/netlink.h"

/* What the host lacks, in the words that both `vectl check` and the verb that needs it use. */
#define LACK_VETH "the kernel knows no veth interfaces"
#define LACK_VETH_HINT "load the module veth, or use a kernel with CONFIG_VETH"
#define LACK_NFTABLES "the kernel knows no nftables"
#define LACK_NFTABLES_HINT "load the module nf_tables, or use a kernel with CONFIG_NF_TABLES"
#define LACK_NFT "the program nft is not there"
#define LACK_NFT_HINT "install the package nftables"
#define LACK_IPV6 "the kernel runs without IPv6"
#define LACK_IPV6_HINT "boot without ipv6.disable=1, or give the VE no IPv6 address"

#define LACK_RATES "the kernel lacks ifb, sch_tbf, sch_ingress, cls_u32 or act_mirred"
#define LACK_RATES_HINT "load these modules, or use a kernel that has them"

#define LACK_BRIDGE_CONNTRACK \
	"the kernel cannot follow connections on bridges, which rules that allow something on a bridged interface need"
#define LACK_BRIDGE_CONNTRACK_HINT "load the module nf_conntrack_bridge, or use a kernel with CONFIG_NF_CONNTRACK_BRIDGE"

/* ---- firewall.c: see elements.h ---- */

/* Can the kernel do what the plan's rules need? */
int firewall_check(const struct net_plan *plan, ve_error **ret_error);
/* Has the kernel load connection tracking, where that is a module. */
void firewall_load_tracking(void);

/* ---- addr.c -------------------------------------------------------------------------------------- */

static inline unsigned net_addr_bits(const struct net_addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}
static inline size_t net_addr_size(const struct net_addr *a)
{
	return net_addr_bits(a) / 8;
}
/* Are the first BITS bits the same? */
bool net_bits_equal(const void *a, const void *b, unsigned bits);
static inline bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && net_bits_equal(&a->v6, &b->v6, net_addr_bits(a));
}
static inline bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return net_addr_same_host(a, b) && a->prefix == b->prefix;
}
static inline bool net_addr_is_host(const struct net_addr *a)
{
	return a->prefix == net_addr_bits(a);
}
void net_addr_network(const struct net_addr *a, struct net_addr *ret_network);
/* The link-local address that the kernel makes from a MAC. */
void net_link_local(const unsigned char mac[6], struct net_addr *ret_addr);
/* The text of an address for a message. */
struct addr_text {
	char s[INET6_ADDRSTRLEN + 4];
};
struct addr_text addr_text(const struct net_addr *a);
int net_range_parse(const char *text, struct net_addr *ret_range, ve_error **ret_error);

static inline bool net_if_has(const struct net_if *i, int family)
{
	for (unsigned k = 0; k < i->n_addrs; k++)
		if (i->addrs[k].family == family)
			return true;
	return false;
}

/* ---- link.c: interfaces and the addresses on them ------------------------------------------------ */

struct net_link {
	int index;      /* 0: no such interface */
	int peer_index; /* of a veth: the other end's index in its own namespace */
	unsigned mtu;
	unsigned short type; /* ARPHRD_* */
	unsigned char mac[6];
	char name[IFNAMSIZ];
	bool is_bridge, filters_vlans, is_ours; /* of a bridge; ours: vectl has made it */
	int master;				/* the bridge it is in, 0: none */
};

struct net_veth {
	const char *host_name, *guest_name;
	const unsigned char *host_mac, *guest_mac;
	unsigned mtu;
	int netns_fd; /* where the guest end is born */
};

extern const char link_own_alias[];
void link_put_veth(struct nl *nl, const struct net_veth *v);
/* By NAME, or by INDEX where NAME is NULL. RESULT receives the errno (ENODEV), NULL: an error is one. */
void link_put_get(struct nl *nl, const char *name, int index, struct net_link *ret_link, int *result);
/* It gets no IPv6 address but those that it is given. To be said before it comes up. */
void link_put_no_own_ipv6(struct nl *nl, int index, const char *name);
/* The settings of a host end that netlink can make. SINGLE: the VE has no other interface. */
void link_put_host_settings(struct nl *nl, const struct net_link *link, bool single);
/* The first address of a network may go without taking the others of that network along. */
void link_put_promote(struct nl *nl, int index, const char *name);
void link_put_up(struct nl *nl, int index, const char *name);
/* A missing link is success. */
void link_put_delete(struct nl *nl, const char *name);
void link_put_address(struct nl *nl, int index, const char *name, const struct net_addr *a, unsigned char scope);
void link_put_address_delete(struct nl *nl, int index, const char *name, const struct net_addr *a);

/* ---- bridge.c: bridges and their ports --------------------------------------------------------------- */

/* One at a time makes and removes the bridge of ours: a lock on the network namespace. Returns the descriptor to close. */
int bridge_lock(ve_error **ret_error);
/* NAME must be a bridge: VE_ERR_CONFIG. */
int bridge_find(struct nl *nl, const char *name, struct net_link *ret_bridge, ve_error **ret_error);
/* Makes NET_OWN_BRIDGE where it is missing. */
int bridge_ensure_own(struct nl *nl, ve_error **ret_error);
/* Removes NET_OWN_BRIDGE if vectl has made it and it has no port left. */
int bridge_drop_own(struct nl *nl, ve_error **ret_error);
struct bridge_port {
	const struct net_link *link, *bridge;
	const unsigned char *mac; /* the only one behind the port */
	unsigned vlan;		  /* 0: none */
	bool again;		  /* it may be one already */
};
/* Puts an interface into a bridge as a port that learns nothing and is flooded with nothing that is another's. */
int bridge_add_port(struct nl *nl, const struct bridge_port *p, ve_error **ret_error);

/* ---- route.c ------------------------------------------------------------------------------------- */

/* The next hop of the VE LINK_ID, an address on its host end. Link-local, so that it takes none of anybody's; 254 of them in
 * turn, as the kernel keeps the addresses and routes that are equal in a list, and walks it for each that is added and for each packet.
 * (For the same reason the IPv6 one is no /64, although the VE's own link-local address is near.) */
struct net_addr route_gateway(uint32_t link_id, int family);

struct route_found {
	int errnum;         /* 0, or why there is no route */
	unsigned char type; /* RTN_* */
	unsigned char prefix, scope, protocol;
	int index; /* the interface it leaves by, 0: none */
	bool has_gateway;
};
/* Which route of the host's matches the address. */
void route_put_lookup(struct nl *nl, const struct net_addr *a, struct route_found *ret);

/* Host: the way to the network of A. SCOPE as route(8)'s. FLAGS: NLM_F_EXCL, or NLM_F_REPLACE in the place of another. */
void route_put_to(struct nl *nl, int index, const char *name, const struct net_addr *a, unsigned char scope, uint16_t flags);
void route_put_to_delete(struct nl *nl, int index, const char *name, const struct net_addr *a);
/* Guest: the way to the gateway, and the default route through it. */
void route_put_default(struct nl *nl, int index, const char *name, unsigned label, const struct net_addr *gateway);
/* The same through a gateway of the network's own (bridged). */
void route_put_default_via(struct nl *nl, int index, const char *name, unsigned label,
			   const struct net_addr *gateway);
void route_put_default_via_delete(struct nl *nl, int index, const char *name, unsigned label, const struct net_addr *gateway);
void route_put_default_delete(struct nl *nl, int index, const char *name, unsigned label, const struct net_addr *gateway);

/* Calls FN for the interface of each default route of FAMILY, in no order. */
struct route_default {
	int index;
	uint32_t metric;
	unsigned char protocol;
};
typedef void (*route_default_fn)(const struct route_default *d, void *data);
int route_each_default(struct nl *nl, int family, route_default_fn fn, void *data, ve_error **ret_error);

/* ---- uplink.c ------------------------------------------------------------------------------------ */

struct net_job;

struct uplinks {
	struct net_link v4, v6; /* index 0: the host has none for this family, which is no error */
};
static inline const struct net_link *uplink_of(const struct uplinks *u, int family)
{
	return family == AF_INET ? &u->v4 : &u->v6;
}
/* NAME NULL: the interfaces of the default routes. A NAME that does not exist: VE_ERR_CONFIG. */
int uplink_find(struct nl *nl, const char *name, struct uplinks *ret_uplinks, ve_error **ret_error);
/* Those that are to answer for VEs' addresses: U without the ones that PLAN says are not. */
struct uplinks uplink_answering(const struct uplinks *u, const struct net_plan *plan);
int uplink_find_for(struct net_job *j, ve_error **ret_error); /* both of J's */
/* The MTU a VE's interface gets: the smaller one of the uplinks, 1500 where there is none. */
unsigned uplink_mtu(const struct uplinks *u);

/* ---- neigh.c ------------------------------------------------------------------------------------- */

/* Host: who has A behind the interface is fixed, not learned. */
void neigh_put_fixed(struct nl *nl, int index, const char *name, const struct net_addr *a,
		     const unsigned char mac[6]);
/* The entry for A, or the uplink's answer for it (PROXY). */
struct neigh_found {
	int errnum; /* 0, or why there is none */
	bool permanent;
	unsigned char mac[6];
};
void neigh_put_lookup(struct nl *nl, int index, const struct net_addr *a, bool proxy, struct neigh_found *ret);
void neigh_put_fixed_delete(struct nl *nl, int index, const char *name, const struct net_addr *a);
/* The uplink answers ARP (NDP) for A. */
void neigh_put_proxy(struct nl *nl, const struct net_link *uplink, const struct net_addr *a);
/* Takes the answers for the N addresses away, on whichever interface they are given; those on UPLINKS are found at once. Of a family
 * that ANSWERING has no uplink for there is perhaps one on UPLINKS, from before that was so. */
int neigh_delete_proxies(struct nl *nl, const struct uplinks *uplinks, const struct uplinks *answering, const struct net_addr *addrs,
			 unsigned n, ve_error **ret_error);
/* On whichever interface but UPLINKS. Looks at all of the host's. */
int neigh_delete_proxies_elsewhere(struct nl *nl, const struct uplinks *uplinks, const struct net_addr *addrs, unsigned n,
				   ve_error **ret_error);
/* Lets the uplink answer at all. */
int neigh_prepare_uplink(const struct net_link *uplink, int family, ve_error **ret_error);

/* ---- forward.c ----------------------------------------------------------------------------------- */

/* Switches on what is asked for, if it is off. */
int forward_enable(struct nl *nl, bool v4, bool v6, ve_error **ret_error);

/* ---- sysctl.c: kernel settings below /proc/sys/net, of the caller's network namespace ---------------- */

/* FMT makes the path below /proc/sys/net. The value, or -errno. */
int sysctl_get(const char *fmt, ...) ATTR_PRINTF(1, 2);
/* 0 or -errno, no sentence. */
int sysctl_try_set(int value, const char *fmt, ...) ATTR_PRINTF(2, 3);
/* Writes only where the value differs. */
int sysctl_set(int value, ve_error **ret_error, const char *fmt, ...) ATTR_PRINTF(3, 4);

/* ---- nft.c --------------------------------------------------------------------------------------- */

/* Is nftables in the kernel? 0, or an error (VE_ERR_UNSUPPORTED). */
int nft_probe(ve_error **ret_error);
/* 1: the chains of vectl.nft are there. 0: one is missing. */
int nft_rules_loaded(ve_error **ret_error);
#define NFT_FILE "vectl.nft" /* below DATA_DIR/nft */
#define NFT_NAT_FILE "vectl-nat.nft"
/* Loads the file by nft(8) unless they are there: 1 if it did. */
int nft_ensure_rules(const char *data_dir, ve_error **ret_error);
/* Loads the file NAME in any case, in NETNS_FD unless that is -1. RANGE: what the file for nat is loaded with, else NULL. */
int nft_load_file(const char *data_dir, const char *name, const char *range, int netns_fd, ve_error **ret_error);
/* 1: masquerading for this range is loaded. 0: it is not, or for another range. */
int nft_nat_loaded(const struct net_addr *range, ve_error **ret_error);
/* Loads the file for nat unless that is so. */
int nft_ensure_nat(const char *data_dir, const char *range, ve_error **ret_error);
/* Loads the file for VEs on bridges that are cut off unless it is there. */
#define NFT_BLOCKED_FILE "vectl-blocked.nft"
int nft_ensure_blocked(const char *data_dir, ve_error **ret_error);
/* The path of the nft program, or NULL. */
const char *nft_program(void);

/* The socket; an error tells a kernel without nftables (VE_ERR_UNSUPPORTED) from other failures. */
int nft_open(struct nl **ret_nl, ve_error **ret_error);
/* A request of reading, WHAT for its error. */
struct nlmsghdr *nft_put_ask(struct nl *nl, unsigned message, uint16_t flags, uint8_t family, const char *what);

/* ---- nft_read.c ---------------------------------------------------------------------------------- */

/* The attribute TYPE of a message of nftables, or of a nest (which may be NULL); NULL where there is none. */
const struct nlattr *nft_attr(const struct nlmsghdr *m, unsigned type);
const struct nlattr *nft_nested(const struct nlattr *nest, unsigned type);
/* The string in an attribute; "" for NULL. */
const char *nft_text(const struct nlattr *attr);

/* ---- blockers.c, xtables.c: who else decides about forwarding -------------------------------------- */

/* A chain at the forward hook that drops what no rule accepts. */
struct net_blocker {
	const char *family, *table, *chain; /* "ip", "filter", "FORWARD" */
	bool legacy;                        /* of iptables-legacy, which nft does not show */
	bool knows_us;                      /* a rule of its table speaks of interfaces called vz* */
};
typedef void (*net_blocker_fn)(const struct net_blocker *b, void *data);
int nft_each_blocker(net_blocker_fn fn, void *data, ve_error **ret_error);
/* Asks for no table that is not there: the kernel would make it. */
int xtables_each_blocker(net_blocker_fn fn, void *data, ve_error **ret_error);

/* ---- compare.c ----------------------------------------------------------------------------------- */

/* Are the rules that are loaded those of the files? Only files of which something is loaded are asked. Takes a run of nft(8)
 * for each. */
enum { COMPARE_FILES = 3 };
struct compared {
	unsigned n_loaded;		/* files of which something is loaded */
	unsigned n_different;		/* chains */
	char first[96];			/* of them: "ve_in of the table 'inet vectl'" */
	bool reload[COMPARE_FILES];	/* files that have one */
};
int nft_compare(const char *data_dir, struct compared *ret, ve_error **ret_error);
/* Loads the files that differ. */
int nft_reload(const char *data_dir, const char *nat_range, const struct compared *c, ve_error **ret_error);

/* ---- rate.c -------------------------------------------------------------------------------------- */

struct rate_bucket {
	uint64_t bytes_per_s;
	uint32_t burst, queue; /* bytes */
};
struct rate_bucket rate_bucket(uint64_t bits_per_s, unsigned mtu);
/* The rates of an interface that was just made. */
int rate_attach(struct nl *nl, const struct net_plan *plan, const struct net_if *i, struct undo *undo,
		ve_error **ret_error);
void rate_put_detach(struct nl *nl, const struct net_plan *plan, const struct net_if *i);
/* Does the kernel have what rates need? 0, or an error; *RET_LACKS: that it has not. */
int rate_probe(bool *ret_lacks, ve_error **ret_error);
/* Brings the rates of a running VE's interface to what I says, whatever they are. */
int rate_bring(struct nl *nl, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error);

/* ---- blocked.c ----------------------------------------------------------------------------------- */

/* Loads the rules for interfaces on bridges that are cut off, where PLAN has one. */
int blocked_ensure_rules(const struct net_plan *plan, ve_error **ret_error);

/* ---- forwards.c ---------------------------------------------------------------------------------- */

/* VE_ERR_EXISTS where the host itself listens on a port that is to lead to the VE. */
int forwards_check(const struct net_if *i, ve_error **ret_error);

/* ---- announce.c ------------------------------------------------------------------------------------- */

/* Tells the uplink's neighbours of TO's routed addresses that FROM (NULL: nothing) has not. */
void announce_addresses(const struct uplinks *u, const struct net_if *from, const struct net_if *to);

struct fastpath_maps;
/* The same from the VE's own end INDEX of the interface, to those in its bridge. */
void announce_from_inside(const struct net_job *j, int index, const struct net_if *from, const struct net_if *to);

/* ---- heal.c ------------------------------------------------------------------------------------------ */

/* 1: the interface has its element in the firewall's sets; 0: it has not; NL is a netfilter one. */
int heal_link_known(struct nl *nl, const char *name);

/* ---- missing.c --------------------------------------------------------------------------------------- */

/* The sentence's object: "the route to 192.0.2.10". */
void missing_add(struct net_missing *m, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* ---- modules.c ---- */

/* A row for each group of modules in the list, see templates/modules/vectl.conf. MODULES_DIR: /lib/modules. */
void modules_check(const char *list_path, const char *modules_dir, net_check_fn fn, void *data);

/* ---- resolv.c ------------------------------------------------------------------------------------ */

/* net_host_resolvers() from these files, the first that names a server a VE can use. NULL-terminated. */
int resolv_read(const char *const *paths, char ***ret_servers, char ***ret_search, ve_error **ret_error);

/* ---- attach.c: the types of interfaces ---------------------------------------------------------- */

/* One attach, detach or change under way. */
struct net_job {
	const struct net_plan *plan;
	struct nl *host, *guest; /* guest: NULL where not needed */
	int netns_fd;
	struct uplinks uplinks, answering; /* see uplink_answering() */
	const struct fastpath_maps *fastpath; /* of an attach */
	int joined;			      /* it: an errno */
};

struct net_type_ops {
	const char *name;
	bool forwarded;   /* needs forwarding on the host */
	bool proxied;     /* the uplink answers for its addresses */
	bool masqueraded; /* leaves the host under one of the host's addresses */
	bool on_bridge;   /* is looked at in the tables of the family bridge */
	/* NULL: nothing to do. */
	int (*check)(struct nl *nl, const struct net_if *i, ve_error **ret_error);
	int (*attach)(struct net_job *j, const struct net_if *i, struct undo *undo, ve_error **ret_error);
	int (*detach)(struct net_job *j, const struct net_if *i, ve_error **ret_error);
	int (*change)(struct net_job *j, const struct net_if *from, const struct net_if *to, ve_error **ret_error);
	/* What of the host's side of a running VE's interface is missing, and putting it back. */
	int (*look)(struct net_job *j, const struct net_if *i, struct net_missing *m, ve_error **ret_error);
	int (*mend)(struct net_job *j, const struct net_if *i, ve_error **ret_error);
};
extern const struct net_type_ops net_types[NET_TYPE_COUNT];
/* Is there an interface that needs anything of the host? */
bool net_plan_attaches(const struct net_plan *plan);

/* ---- ends.c: the two ends of an interface ------------------------------------------------------------ */

struct ends {
	struct net_link host;
	char guest_name[IFNAMSIZ];
};
/* Makes the pair, with its undo; both ends are down. MTU: what the interface gets where it names none. */
int ends_make(struct net_job *j, const struct net_if *i, unsigned mtu, struct undo *undo, struct ends *ret,
	      ve_error **ret_error);
/* Of a VE that runs; VE_ERR_STATE where the VE's root has thrown them away. */
int ends_find(struct net_job *j, const struct net_if *i, struct ends *ret, ve_error **ret_error);
/* The IPv6 settings of a host end that netlink cannot make. WANTED: it will have IPv6 addresses. */
int ends_settle_ipv6(const struct net_link *host, bool wanted, ve_error **ret_error);
void ends_put_guest_address(struct net_job *j, const struct ends *e, const struct net_addr *a);
bool net_if_contains(const struct net_if *i, const struct net_addr *a,
		     bool (*same)(const struct net_addr *, const struct net_addr *));

/* routed.c */
int routed_attach(struct net_job *j, const struct net_if *i, struct undo *undo, ve_error **ret_error);
int routed_detach(struct net_job *j, const struct net_if *i, ve_error **ret_error);
int routed_change(struct net_job *j, const struct net_if *from, const struct net_if *to, ve_error **ret_error);

int routed_look(struct net_job *j, const struct net_if *i, struct net_missing *m, ve_error **ret_error);
int routed_mend(struct net_job *j, const struct net_if *i, ve_error **ret_error);

/* bridged.c */
int bridged_check(struct nl *nl, const struct net_if *i, ve_error **ret_error);
int bridged_attach(struct net_job *j, const struct net_if *i, struct undo *undo, ve_error **ret_error);
int bridged_detach(struct net_job *j, const struct net_if *i, ve_error **ret_error);
int bridged_change(struct net_job *j, const struct net_if *from, const struct net_if *to, ve_error **ret_error);
int bridged_look(struct net_job *j, const struct net_if *i, struct net_missing *m, ve_error **ret_error);
int bridged_mend(struct net_job *j, const struct net_if *i, ve_error **ret_error);

#endif
