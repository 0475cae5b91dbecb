/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fast path, in the kernel. `forward` sees what comes in by the uplink or a VE's interface, before anything else does; `learn`
 * sees what leaves by one, behind everything else.
 *
 *   - A packet that `forward` does not know goes the long way: anti-spoofing, connection tracking, firewalls, routing. What it
 *     looked like is noted, for this processor. If it arrives at `learn`, it has pleased them all; how it left, and under which
 *     headers, is then known for its likes: same interface, MACs, addresses, protocol, ports and DSCP.
 *   - The likes of it leave the same way at once, for a second. Then one goes the long way again.
 *
 * Whoever changes what is allowed changes the epoch, and all is learned anew: what was noted under the old one is not believed, so
 * that a packet which has met the old rules teaches nothing.
 *
 * Not forwarded here: what opens or ends a TCP connection, and what answers that (connection tracking sees to those), fragments,
 * IP options and extension headers, anything but TCP and UDP, what is too large or has no hops left, tags, multicast. What leaves
 * with other addresses, ports or TOS than it came with, or not with one hop less (address translation, tunnels, rules that change
 * packets), or is no VE's at all, is not learned.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sys/fastpath.h"

#define always_inline static inline __attribute__((always_inline))

enum {
	VALID_NS = 1000000000,
	FLOWS_MAX = 32768, /* of one direction each; who was used last stays */
	LINKS_MAX = 65536,
	GO_ON = -1, /* TCX_NEXT: whatever else there is */
	MAC_WORDS = 3, /* both addresses of a frame, in words */
	ECN = 3,
	PADDED = ETH_ZLEN - ETH_HLEN,
	IPV4_NO_OPTIONS = 0x45,
	IPV4_FRAGMENT = 0x3fff, /* its offset, and whether more follow */
	ADDRESS_FAMILY_4 = 2,
	ADDRESS_FAMILY_6 = 10,
};

struct flow_key {
	__u32 in; /* index of the interface it came by */
	__u32 version_protocol;
	__u32 from[4], to[4];
	__u32 ports; /* as in the packet */
};

/* The key again, first: the memory of an entry that has to go is another's from one moment to the next, also under who reads it. That
 * one is written from its beginning to its end; so what was read before the key, while that was still the same, belongs to it. */
struct flow {
	struct flow_key key;
	__u32 dscp;
	__u64 until, epoch;
	__u32 out;		  /* index of the interface it leaves by */
	__u32 arrived[MAC_WORDS]; /* the frame's addresses then */
	__u32 leaves[MAC_WORDS];
	__u32 mtu, mark, priority;
	__u32 counted_in, counted_out; /* are the interfaces it comes and leaves by VEs'? */
};

/* What a packet on its way was like when it came, one a processor: it is forwarded, or not, before the next one comes. */
struct arrival {
	struct flow_key key; /* in 0: none */
	__u16 tos, hops;
	__u64 epoch;
	__u32 arrived[MAC_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FLOWS_MAX);
	__type(key, struct flow_key);
	__type(value, struct flow);
} fp_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct arrival);
} fp_arrivals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LINKS_MAX);
	__type(key, __u32);
	__type(value, struct fastpath_link);
} fp_links SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LINKS_MAX);
	__uint(key_size, FASTPATH_NAME);
	__type(value, __u32);
} fp_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} fp_epoch SEC(".maps");

/* ---- what a packet is like --------------------------------------------------------------------------- */

struct packet {
	struct flow_key key;
	int opens_or_ends; /* a TCP connection */
	__u16 tos, hops;
	__u32 bytes;   /* of IP */
	__u32 largest; /* of the packets that it is, or is to be cut into */
};

always_inline int same(const __u32 *a, const __u32 *b, int words)
{
	__u32 differs = 0;
	for (int i = 0; i < words; i++)
		differs |= a[i] ^ b[i];
	return !differs;
}

always_inline void copy(__u32 *to, const __u32 *from, int words)
{
	for (int i = 0; i < words; i++)
		to[i] = from[i];
}

/* TCP or UDP: the length of the header, or 0. */
always_inline __u32 read_transport(const void *at, const void *end, struct packet *p)
{
	const struct tcphdr *tcp = at;
	const struct udphdr *udp = at;
	__u8 protocol = (__u8)p->key.version_protocol;
	if ((const void *)(udp + 1) > end)
		return 0;
	p->key.ports = *(const __u32 *)at;
	if (protocol == IPPROTO_UDP)
		return sizeof(*udp);
	if (protocol != IPPROTO_TCP || (const void *)(tcp + 1) > end)
		return 0;
	p->opens_or_ends = tcp->syn || tcp->fin || tcp->rst || !tcp->ack;
	return tcp->doff * 4;
}

always_inline const void *read_ip4(const struct iphdr *ip, const void *end, struct packet *p)
{
	if ((const void *)(ip + 1) > end || *(const __u8 *)ip != IPV4_NO_OPTIONS ||
	    ip->frag_off & bpf_htons(IPV4_FRAGMENT) || ip->ttl <= 1)
		return 0;
	p->key.version_protocol = 4 << 8 | ip->protocol;
	p->key.from[0] = ip->saddr;
	p->key.to[0] = ip->daddr;
	p->tos = ip->tos;
	p->hops = ip->ttl;
	p->bytes = bpf_ntohs(ip->tot_len);
	return ip + 1;
}

always_inline const void *read_ip6(const struct ipv6hdr *ip, const void *end, struct packet *p)
{
	if ((const void *)(ip + 1) > end || ip->version != 6 || ip->hop_limit <= 1)
		return 0;
	p->key.version_protocol = 6 << 8 | ip->nexthdr;
	copy(p->key.from, ip->saddr.in6_u.u6_addr32, 4);
	copy(p->key.to, ip->daddr.in6_u.u6_addr32, 4);
	p->tos = bpf_ntohs(*(const __be16 *)ip) >> 4 & 0xff;
	p->hops = ip->hop_limit;
	p->bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	return ip + 1;
}

/* Is it one that may take the fast path at all? P is all zeros. */
always_inline int read_packet(const struct __sk_buff *skb, struct packet *p)
{
	const void *data = (const void *)(long)skb->data, *end = (const void *)(long)skb->data_end, *transport;
	const struct ethhdr *eth = data;
	__u32 length = skb->len - ETH_HLEN, header;
	if (skb->vlan_present || (const void *)(eth + 1) > end)
		return 0;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		transport = read_ip4((const void *)(eth + 1), end, p);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		transport = read_ip6((const void *)(eth + 1), end, p);
	else
		return 0;
	if (!transport)
		return 0;
	header = read_transport(transport, end, p);
	/* A frame may be longer than its packet only where the wire wants it so. */
	if (!header || p->bytes > length || (p->bytes < length && length > PADDED))
		return 0;
	p->largest = skb->gso_size ? (__u32)(transport - data) - ETH_HLEN + header + skb->gso_size : p->bytes;
	return 1;
}

/* ---- on the way in -------------------------------------------------------------------------------------- */

always_inline void count(struct fastpath_link *link, int incoming, const struct packet *p)
{
	__u32 kind = (incoming ? 2 : 0) + (p->key.version_protocol >> 8 == 6);
	__sync_fetch_and_add(&link->counted[kind & 3].packets, 1);
	__sync_fetch_and_add(&link->counted[kind & 3].bytes, p->bytes);
}

/* Both ends' counters, or none: an interface that has left has none, and its packets know another way. */
always_inline int count_both(__u32 in, const struct flow *f, const struct packet *p)
{
	__u32 out = f->out;
	struct fastpath_link *from = f->counted_in ? bpf_map_lookup_elem(&fp_links, &in) : 0;
	struct fastpath_link *to = f->counted_out ? bpf_map_lookup_elem(&fp_links, &out) : 0;
	if ((f->counted_in && !from) || (f->counted_out && !to))
		return 0;
	if (from)
		count(from, 0, p);
	if (to)
		count(to, 1, p);
	return 1;
}

/* A hop less. IPv4's header keeps its sum; of IPv6 the hops are a part of what a card may have summed up. */
always_inline int take_hop(struct __sk_buff *skb)
{
	struct iphdr *ip = (void *)(long)skb->data + ETH_HLEN;
	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return 0;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		__u32 check = ip->check + bpf_htons(0x0100);
		ip->check = (__u16)(check + (check >= 0xffff));
		ip->ttl--;
		return 1;
	}
	__u8 hops = ((struct ipv6hdr *)ip)->hop_limit - 1;
	return bpf_skb_store_bytes(skb, ETH_HLEN + __builtin_offsetof(struct ipv6hdr, hop_limit), &hops, 1,
				   BPF_F_RECOMPUTE_CSUM) == 0;
}

always_inline int is_valid(const struct flow *f, const struct packet *p, __u64 epoch, const __u32 *frame)
{
	return f->epoch == epoch && f->until > bpf_ktime_get_coarse_ns() && f->dscp == (p->tos & ~ECN) &&
	       same(f->arrived, frame, MAC_WORDS);
}

/* Connection tracking is to see the whole of a beginning and of an end, so also the answers. */
always_inline void forget(const struct flow_key *key)
{
	const struct flow *f = bpf_map_lookup_elem(&fp_flows, key);
	if (!f)
		return;
	struct flow_key answers = {
		.in = f->out,
		.version_protocol = key->version_protocol,
		.ports = key->ports >> 16 | key->ports << 16,
	};
	copy(answers.from, key->to, 4);
	copy(answers.to, key->from, 4);
	bpf_map_delete_elem(&fp_flows, &answers);
	bpf_map_delete_elem(&fp_flows, key);
}

/* What is known of KEY, in *RET. */
always_inline int look_up(const struct flow_key *key, struct flow *ret)
{
	const struct flow *f = bpf_map_lookup_elem(&fp_flows, key);
	if (!f)
		return 0;
	*ret = *f;
	barrier();
	return same((const __u32 *)&f->key, (const __u32 *)key, sizeof(*key) / 4);
}

/* What is to be cut is to be cut small enough; with tunnels in it the kernel alone knows how it will be. */
always_inline int fits(struct __sk_buff *skb, const struct flow *f, const struct packet *p)
{
	__u32 unused = 0;
	return p->largest <= f->mtu && (!skb->gso_size || bpf_check_mtu(skb, f->out, &unused, 0, BPF_MTU_CHK_SEGS) == 0);
}

SEC("tc")
int forward(struct __sk_buff *skb)
{
	struct packet p = { .key.in = skb->ifindex };
	__u32 zero = 0;
	struct arrival *arrival = bpf_map_lookup_elem(&fp_arrivals, &zero);
	const __u64 *epoch = bpf_map_lookup_elem(&fp_epoch, &zero);
	if (!arrival || !epoch)
		return GO_ON;
	arrival->key.in = 0;
	if (skb->pkt_type != 0 /* PACKET_HOST */ || !read_packet(skb, &p))
		return GO_ON;
	if (p.opens_or_ends) {
		forget(&p.key);
		return GO_ON;
	}
	__u32 *frame = (void *)(long)skb->data;
	if ((void *)frame + ETH_HLEN > (void *)(long)skb->data_end)
		return GO_ON;
	struct flow f;
	if (!look_up(&p.key, &f) || !is_valid(&f, &p, *epoch, frame) || !fits(skb, &f, &p) || !count_both(p.key.in, &f, &p)) {
		arrival->key = p.key;
		arrival->tos = p.tos;
		arrival->hops = p.hops;
		arrival->epoch = *epoch;
		copy(arrival->arrived, frame, MAC_WORDS);
		return GO_ON;
	}
	if (!take_hop(skb))
		return TC_ACT_SHOT;
	frame = (void *)(long)skb->data;
	if ((void *)frame + ETH_HLEN > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	copy(frame, f.leaves, MAC_WORDS);
	skb->mark = f.mark;
	skb->priority = f.priority;
	return (int)bpf_redirect(f.out, 0);
}

/* ---- on the way out ------------------------------------------------------------------------------------- */

/* What the route has for an MTU, where it is not the interface's; 0: not known. */
always_inline __u32 route_mtu(struct __sk_buff *skb, const struct packet *p)
{
	struct bpf_fib_lookup fib = { .ifindex = skb->ingress_ifindex, .tot_len = 1 };
	fib.l4_protocol = (__u8)p->key.version_protocol;
	if (p->key.version_protocol >> 8 == 4) {
		fib.family = ADDRESS_FAMILY_4;
		fib.ipv4_src = p->key.from[0];
		fib.ipv4_dst = p->key.to[0];
	} else {
		fib.family = ADDRESS_FAMILY_6;
		copy(fib.ipv6_src, p->key.from, 4);
		copy(fib.ipv6_dst, p->key.to, 4);
	}
	return bpf_fib_lookup(skb, &fib, sizeof(fib), 0) == 0 ? fib.mtu_result : 0;
}

SEC("tc")
int learn(struct __sk_buff *skb)
{
	__u32 zero = 0, device_mtu = 0;
	struct packet p = { .key.in = skb->ingress_ifindex };
	struct arrival *arrival = bpf_map_lookup_elem(&fp_arrivals, &zero);
	if (!arrival || arrival->key.in == 0 || arrival->key.in != skb->ingress_ifindex)
		return GO_ON;
	if (!read_packet(skb, &p) || !same((__u32 *)&p.key, (__u32 *)&arrival->key, sizeof(p.key) / 4) ||
	    p.tos != arrival->tos || p.hops + 1 != arrival->hops)
		return GO_ON;
	/* It stays noted: of a packet that a rule has sent to somebody else as well (dup) the last to leave is the packet itself. */
	struct flow f = {
		.key = p.key,
		.until = bpf_ktime_get_coarse_ns() + VALID_NS,
		.epoch = arrival->epoch,
		.out = skb->ifindex,
		.dscp = arrival->tos & ~ECN,
		.mark = skb->mark,
		.priority = skb->priority,
	};
	const __u32 *frame = (const void *)(long)skb->data;
	if ((const void *)frame + ETH_HLEN > (const void *)(long)skb->data_end)
		return GO_ON;
	copy(f.arrived, arrival->arrived, MAC_WORDS);
	copy(f.leaves, frame, MAC_WORDS);
	f.counted_in = bpf_map_lookup_elem(&fp_links, &p.key.in) != 0;
	f.counted_out = bpf_map_lookup_elem(&fp_links, &f.out) != 0;
	if (!f.counted_in && !f.counted_out) /* not a VE's at all */
		return GO_ON;
	bpf_check_mtu(skb, 0, &device_mtu, 0, 0);
	f.mtu = route_mtu(skb, &p);
	if (f.mtu == 0 || f.mtu > device_mtu)
		f.mtu = device_mtu;
	bpf_map_update_elem(&fp_flows, &p.key, &f, BPF_ANY);
	return GO_ON;
}

/* Some of what is called here the kernel gives only to what is under the GPL, which the LGPL lets a copy be (section 3). */
char _license[] SEC("license") = "GPL";
