/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an uplink's neighbours are told and asked about addresses that are routed to VEs, by frames on the uplink itself:
 *
 *   announce   a gratuitous ARP request, an unsolicited NA: caches that know another owner learn the new one
 *   probe      an ARP probe (RFC 5227), a solicitation from :: (RFC 4862): does somebody have the address already?
 *
 * A probe has to wait for answers, so it is made once, when an address is new to the VE (create, set), not at each start.
 *
 * For an interface that is bridged the neighbours are those of its bridge. They are asked from the bridge's own interface,
 * unless the VE is to be in a VLAN, where that has no place; and told from the VE's end, with its MAC: so the switches learn
 * where it is now, and its VLAN is the port's matter.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "net/priv.h"
#include "sys/syscalls.h"

enum { FRAME_BYTES = 86, PROBE_MS = 100, PROBES = 2 };

struct frame {
	int index; /* the interface it goes out by */
	unsigned size;
	unsigned char bytes[FRAME_BYTES];
};

static int read_mac(const char *name, unsigned char ret_mac[6])
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq q = { 0 };
	snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &q) < 0)
		return -errno;
	if (q.ifr_hwaddr.sa_family != 1) /* ARPHRD_ETHER; a tunnel has no neighbours */
		return -ENOTSUP;
	memcpy(ret_mac, q.ifr_hwaddr.sa_data, 6);
	return 0;
}

/* PROBE: nobody is said to have the address. */
static void make_arp(struct frame *f, const unsigned char mac[6], const struct net_addr *a, bool probe)
{
	static const unsigned char head[] = { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 };
	unsigned char *p = f->bytes;
	memset(p, 0xff, 6);
	memcpy(p + 6, mac, 6);
	memcpy(p + 12, head, sizeof(head));
	memcpy(p + 22, mac, 6);
	memset(p + 28, 0, 14);
	if (!probe)
		memcpy(p + 28, &a->v4, 4);
	memcpy(p + 38, &a->v4, 4);
	f->size = 42;
}

static void put_checksum(unsigned char *ip, size_t n)
{
	uint32_t sum = (uint32_t)n + IPPROTO_ICMPV6;
	for (size_t i = 8; i < 40 + n; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ip[42] = (unsigned char)(~sum >> 8);
	ip[43] = (unsigned char)~sum;
}

static void make_nd(struct frame *f, const unsigned char mac[6], const struct net_addr *a, bool probe)
{
	unsigned char *p = f->bytes, *ip = p + 14;
	size_t n = probe ? 24 : 32;
	memset(p, 0, sizeof(f->bytes));
	memcpy(p + 6, mac, 6);
	p[12] = 0x86;
	p[13] = 0xdd;
	ip[0] = 0x60;
	ip[5] = (unsigned char)n;
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = 255;
	ip[24] = 0xff;
	ip[25] = 0x02;
	ip[39] = 1; /* ff02::1 */
	if (probe) { /* the solicited-node group, ff02::1:ffXX:XXXX */
		ip[35] = 1;
		ip[36] = 0xff;
		memcpy(ip + 37, a->v6.s6_addr + 13, 3);
		ip[40] = ND_NEIGHBOR_SOLICIT;
	} else {
		memcpy(ip + 8, &a->v6, 16);
		ip[40] = ND_NEIGHBOR_ADVERT;
		ip[44] = 0x20; /* override */
		ip[64] = ND_OPT_TARGET_LINKADDR;
		ip[65] = 1;
		memcpy(ip + 66, mac, 6);
	}
	memcpy(ip + 48, &a->v6, 16);
	p[0] = p[1] = 0x33;
	memcpy(p + 2, ip + 36, 4);
	put_checksum(ip, n);
	f->size = (unsigned)(14 + 40 + n);
}

struct frames {
	unsigned n;
	struct frame f[];
};

/* FROM: NULL for nothing. */
static bool is_new(const struct net_if *from, const struct net_addr *a)
{
	return !from || !net_if_contains(from, a, net_addr_same_host);
}

/* For the addresses of TO that are new. OWN_MAC: who sends them, NULL: the interface. NULL: out of memory. */
static struct frames *make_frames(const struct uplinks *u, const struct net_if *from, const struct net_if *to, bool probe,
				  const unsigned char *own_mac)
{
	struct frames *all = calloc(1, sizeof(*all) + to->n_addrs * sizeof(all->f[0]));
	unsigned char read[6];
	const unsigned char *mac = own_mac ?: read;
	for (unsigned k = 0; all && k < to->n_addrs; k++) {
		const struct net_addr *a = &to->addrs[k];
		const struct net_link *uplink = uplink_of(u, a->family);
		if (uplink->index == 0 || !is_new(from, a) || (!own_mac && read_mac(uplink->name, read) < 0))
			continue;
		struct frame *f = &all->f[all->n++];
		f->index = uplink->index;
		(a->family == AF_INET ? make_arp : make_nd)(f, mac, a, probe);
	}
	return all;
}

static void send_all(int fd, const struct frames *all)
{
	for (unsigned i = 0; i < all->n; i++) {
		struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = all->f[i].index, .sll_halen = 6 };
		memcpy(to.sll_addr, all->f[i].bytes, 6);
		sendto(fd, all->f[i].bytes, all->f[i].size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	}
}

/* ---- announce ------------------------------------------------------------------------------------ */

/* A new port of a bridge forwards nothing until the kernel has dealt with its carrier, which it does when it comes to it: what is
 * said from behind it is said again. After milliseconds, each counted from the one before. */
static const int again_behind_port[] = { 100, 900 };

/* Closing a packet socket waits for a grace period, some 10 ms. Nobody who starts a VE need wait for that: a grandchild
 * does it, which is nobody's child when we go on. Until its exit it calls nothing but the kernel.
 * NETNS_FD: a VE's, in which it is done; -1: the host's. */
static void send_detached(const struct frames *all, int netns_fd)
{
	int pid_fd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND, .pidfd = (uint64_t)(uintptr_t)&pid_fd };
	int pid = sys_clone3(&args);
	if (pid == 0) {
		struct clone_args again = { .flags = CLONE_CLEAR_SIGHAND };
		if (sys_clone3(&again) == 0 && (netns_fd < 0 || setns(netns_fd, CLONE_NEWNET) == 0)) {
			close_range(0, ~0U, 0);
			int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
			if (fd >= 0)
				send_all(fd, all);
			for (size_t i = 0; fd >= 0 && netns_fd >= 0 && i < ARRAY_SIZE(again_behind_port); i++) {
				poll(NULL, 0, again_behind_port[i]);
				send_all(fd, all);
			}
		}
		_exit(0);
	}
	if (pid < 0)
		return;
	_cleanup_close_ int guard = pid_fd;
	siginfo_t info;
	while (waitid(P_PIDFD, (id_t)guard, &info, WEXITED | __WALL) < 0 && errno == EINTR)
		;
}

void announce_addresses(const struct uplinks *u, const struct net_if *from, const struct net_if *to)
{
	struct frames *all = net_types[to->type].proxied ? make_frames(u, from, to, false, NULL) : NULL;
	if (all && all->n > 0)
		send_detached(all, -1);
	free(all);
}

void announce_from_inside(const struct net_job *j, int index, const struct net_if *from, const struct net_if *to)
{
	struct uplinks own = { .v4.index = index, .v6.index = index };
	struct frames *all = make_frames(&own, from, to, false, to->mac);
	if (all && all->n > 0)
		send_detached(all, j->netns_fd);
	free(all);
}

/* ---- probe --------------------------------------------------------------------------------------- */

/* Is the frame somebody's claim to a new address of TO? An ARP packet from it, or an advertisement of it. What the interface
 * itself says is none: a VE in a bridge announces what it has, again a second after its start. */
static const struct net_addr *claimed_by_frame(const unsigned char *b, size_t n, const struct net_if *from, const struct net_if *to)
{
	for (unsigned k = 0; k < to->n_addrs; k++) {
		const struct net_addr *a = &to->addrs[k];
		if (!is_new(from, a) || n < 12 || memcmp(b + 6, to->mac, 6) == 0)
			continue;
		if (a->family == AF_INET && n >= 42 && b[12] == 8 && b[13] == 6 && memcmp(b + 28, &a->v4, 4) == 0)
			return a;
		if (a->family == AF_INET6 && n >= 78 && b[12] == 0x86 && b[13] == 0xdd && b[20] == IPPROTO_ICMPV6 &&
		    b[54] == ND_NEIGHBOR_ADVERT && memcmp(b + 62, &a->v6, 16) == 0)
			return a;
	}
	return NULL;
}

/* Reads until the deadline. Only frames that came in by an uplink count. */
static int listen_until(int fd, int64_t deadline, const struct uplinks *u, const struct net_if *from, const struct net_if *to,
			ve_error **ret_error)
{
	for (;;) {
		unsigned char b[256];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_ms();
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return 0;
		struct sockaddr_ll sender;
		socklen_t len = sizeof(sender);
		ssize_t n = recvfrom(fd, b, sizeof(b), MSG_DONTWAIT, (struct sockaddr *)&sender, &len);
		if (n < 0 || sender.sll_pkttype == PACKET_OUTGOING)
			continue;
		const struct net_addr *a = claimed_by_frame(b, (size_t)n, from, to);
		if (!a || sender.sll_ifindex != uplink_of(u, a->family)->index)
			continue;
		struct net_addr alone = *a;
		alone.prefix = (unsigned char)net_addr_bits(a);
		return err_plain(ret_error, VE_ERR_EXISTS, EADDRINUSE, "network",
				 "the address %s is taken: %02x:%02x:%02x:%02x:%02x:%02x answers for it on '%s'",
				 addr_text(&alone).s, b[6], b[7], b[8], b[9], b[10], b[11], uplink_of(u, a->family)->name);
	}
}

static int probe_if(const struct uplinks *u, const struct net_if *from, const struct net_if *to, ve_error **ret_error)
{
	struct frames *all = make_frames(u, from, to, true, NULL);
	int r = all ? 0 : err_nomem(ret_error);
	if (r == 0 && all->n > 0) {
		_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0003));
		int64_t begin = clock_ms();
		r = fd < 0 ? err_sys(ret_error, errno, "network", "cannot open a socket to probe addresses") : 0;
		for (int i = 0; r == 0 && i < PROBES; i++) {
			send_all(fd, all);
			r = listen_until(fd, begin + (i + 1) * PROBE_MS, u, from, to, ret_error);
		}
	}
	free(all);
	return r;
}

/* The two interfaces, one for each family, behind which I's neighbours are; none for what has no neighbours. */
static int find_neighbours(struct nl *nl, const struct net_plan *plan, const struct net_if *i, struct uplinks *ret,
			   ve_error **ret_error)
{
	int none;
	*ret = (struct uplinks){ 0 };
	if (net_types[i->type].proxied) {
		struct uplinks u;
		int r = uplink_find(nl, plan->uplink, &u, ret_error);
		if (r == 0)
			*ret = uplink_answering(&u, plan);
		return r;
	}
	if (!net_types[i->type].on_bridge || i->vlan > 0)
		return 0;
	link_put_get(nl, i->bridge ?: NET_OWN_BRIDGE, 0, &ret->v4, &none);
	int r = nl_commit(nl, ret_error);
	ret->v6 = ret->v4;
	return r;
}

static const struct net_if *find_old(const struct net_plan *plan_old, unsigned label)
{
	for (unsigned o = 0; plan_old && o < plan_old->n_ifs; o++)
		if (plan_old->ifs[o].label == label)
			return &plan_old->ifs[o];
	return NULL;
}

int net_probe(const struct net_plan *plan_old, const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	int r = plan->n_ifs > 0 ? nl_open(NETLINK_ROUTE, &nl, ret_error) : 0;
	for (unsigned k = 0; k < plan->n_ifs && r == 0; k++) {
		const struct net_if *to = &plan->ifs[k];
		struct uplinks u;
		r = find_neighbours(nl, plan, to, &u, ret_error);
		if (r == 0 && (u.v4.index > 0 || u.v6.index > 0))
			r = probe_if(&u, find_old(plan_old, to->label), to, ret_error);
	}
	return r;
}
