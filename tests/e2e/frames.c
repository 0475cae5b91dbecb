/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames as a hostile tenant makes them, and witnesses of what arrives. Static, so that it runs inside any VE.
 *
 *   frames send IFACE SPEC...    writes one frame a SPEC to the interface, over AF_PACKET, as it is
 *   frames watch IFACE SECONDS MARK...
 *                                waits until a frame with one of the MARKs came in; prints the first, or nothing
 *                                at the deadline; exit status 0 if one came, else 1
 *   frames look IFACE SECONDS MARK...
 *                                prints each that comes in: MARK, then of its outer header "ip=4|6 proto=N len=N hop=N sum=ok|bad
 *                                frag=yes|no", and "to=MAC from=MAC"; ends with the first of the last MARK, exit status 0, or at the deadline
 *
 * A SPEC is KIND[,KEY=VALUE]... The keys, each with a default that makes the frame an honest one:
 *
 *   src= dst=            MACs of the frame (src: the interface's; dst: broadcast)
 *   sip= dip=            IPv4 or IPv6 addresses
 *   smac=                the MAC inside: ARP's sender, NDP's link-layer option
 *   tip=                 NDP's target, ARP's target
 *   sport= dport=        UDP, TCP
 *   flags=HEX            TCP's (10: an acknowledgement)
 *   size=N               bytes of UDP's or TCP's payload, the mark and zeros
 *   times=N              the same frame so often
 *   ipopt=N              IPv4: so many words of options, no-operations
 *   vlan=N[:M]           one tag, or two (QinQ); vlan=0 is a priority tag
 *   tpid=HEX             of the outer tag
 *   frag=first|next      an IPv4 or IPv6 fragment
 *   hop=N                hop limit
 *   opt=none|long|twice|nonce|other    NDP's option: left out, 16 bytes long, given twice, a nonce, another type
 *   ext=hbh|dst          an IPv6 extension header before the payload
 *   mark=WORD            goes into the payload, for the witness; of neighbour discovery's frames into dst (4 letters)
 *   type=HEX             ethertype of KIND raw
 *
 * KINDs: udp4 udp6 tcp4 tcp6 echo4 echo6 arp-request arp-reply ns na dad rs ra redirect dhcp4-offer dhcp6-reply raw llc stp
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 9014 };

struct spec {
	char kind[32], mark[64], frag[8], opt[8], ext[8];
	unsigned char src[6], dst[6], smac[6];
	struct in6_addr sip6, dip6, tip6;
	struct in_addr sip4, dip4, tip4;
	int sport, dport, vlan, vlan2, tpid, hop, type, flags, size, times, ipopt;
};

struct frame {
	unsigned char b[FRAME_MAX];
	size_t n;
};

static void die(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, errno ? strerror(errno) : "bad");
	exit(2);
}

static void put(struct frame *f, const void *data, size_t n)
{
	if (f->n + n > sizeof(f->b))
		die("frame too long");
	memcpy(f->b + f->n, data, n);
	f->n += n;
}
static void put8(struct frame *f, unsigned v)
{
	unsigned char c = (unsigned char)v;
	put(f, &c, 1);
}
static void put16(struct frame *f, unsigned v)
{
	put8(f, v >> 8);
	put8(f, v & 0xff);
}
static void put32(struct frame *f, uint32_t v)
{
	put16(f, v >> 16);
	put16(f, v & 0xffff);
}

static uint16_t checksum(uint32_t sum, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* ---- the parts ----------------------------------------------------------------------------------- */

static void put_ether(struct frame *f, const struct spec *s, unsigned type)
{
	put(f, s->dst, 6);
	put(f, s->src, 6);
	if (s->vlan >= 0) {
		put16(f, (unsigned)s->tpid);
		put16(f, (unsigned)s->vlan);
	}
	if (s->vlan2 >= 0) {
		put16(f, 0x8100);
		put16(f, (unsigned)s->vlan2);
	}
	put16(f, type);
}

/* Wraps PAYLOAD of protocol PROTO, whose checksum field is at SUM_AT (0: none). */
static void put_ip4(struct frame *f, const struct spec *s, unsigned proto, unsigned char *payload, size_t n, size_t sum_at)
{
	unsigned fragment = strcmp(s->frag, "first") == 0 ? 0x2000 : strcmp(s->frag, "next") == 0 ? 0x0008 : 0;
	if (sum_at > 0) {
		struct frame pseudo = { .n = 0 };
		if (proto == 17 || proto == 6) {
			put(&pseudo, &s->sip4, 4);
			put(&pseudo, &s->dip4, 4);
			put16(&pseudo, proto);
			put16(&pseudo, (unsigned)n);
		}
		put(&pseudo, payload, n);
		uint16_t sum = checksum(0, pseudo.b, pseudo.n);
		payload[sum_at] = (unsigned char)(sum >> 8);
		payload[sum_at + 1] = (unsigned char)sum;
	}
	put_ether(f, s, 0x0800);
	size_t at = f->n;
	size_t head = 20 + 4 * (size_t)s->ipopt;
	put16(f, (0x40 + (unsigned)head / 4) << 8);
	put16(f, (unsigned)(head + n));
	put16(f, 0x1234);
	put16(f, fragment);
	put8(f, (unsigned)s->hop);
	put8(f, proto);
	put16(f, 0);
	put(f, &s->sip4, 4);
	put(f, &s->dip4, 4);
	for (int i = 0; i < s->ipopt; i++)
		put32(f, 0x01010101);
	uint16_t sum = checksum(0, f->b + at, head);
	f->b[at + 10] = (unsigned char)(sum >> 8);
	f->b[at + 11] = (unsigned char)sum;
	put(f, payload, n);
}

static void put_ip6(struct frame *f, const struct spec *s, unsigned proto, unsigned char *payload, size_t n, size_t sum_at)
{
	struct frame pseudo = { .n = 0 };
	put(&pseudo, &s->sip6, 16);
	put(&pseudo, &s->dip6, 16);
	put32(&pseudo, (uint32_t)n);
	put32(&pseudo, proto);
	put(&pseudo, payload, n);
	uint16_t sum = checksum(0, pseudo.b, pseudo.n);
	payload[sum_at] = (unsigned char)(sum >> 8);
	payload[sum_at + 1] = (unsigned char)sum;

	bool fragment = s->frag[0] != '\0', ext = s->ext[0] != '\0';
	put_ether(f, s, 0x86dd);
	put32(f, 0x60000000);
	put16(f, (unsigned)(n + (fragment ? 8 : 0) + (ext ? 8 : 0)));
	unsigned first = strcmp(s->ext, "hbh") == 0 ? 0 : 60;
	put8(f, ext ? first : fragment ? 44 : proto);
	put8(f, (unsigned)s->hop);
	put(f, &s->sip6, 16);
	put(f, &s->dip6, 16);
	if (ext) {
		put8(f, fragment ? 44 : proto);
		put8(f, 0);
		put16(f, 0x0104); /* PadN of 4 */
		put32(f, 0);
	}
	if (fragment) {
		put8(f, proto);
		put8(f, 0);
		put16(f, strcmp(s->frag, "first") == 0 ? 1 : 8);
		put32(f, 0x12345678);
	}
	put(f, payload, n);
}

/* NDP's option with TYPE. */
static void put_option(struct frame *p, const struct spec *s, unsigned type)
{
	if (strcmp(s->opt, "none") == 0)
		return;
	if (strcmp(s->opt, "other") == 0)
		type = 5;
	if (strcmp(s->opt, "nonce") == 0)
		type = 14;
	bool is_long = strcmp(s->opt, "long") == 0;
	put8(p, type);
	put8(p, is_long ? 2 : 1);
	put(p, s->smac, 6);
	if (is_long)
		put(p, "\0\0\0\0\0\0\0", 8);
	if (strcmp(s->opt, "twice") == 0) {
		put8(p, type);
		put8(p, 1);
		put(p, "\x02\x66\x66\x66\x66\x66", 6);
	}
}

static void make_nd(struct frame *f, const struct spec *s)
{
	struct frame p = { .n = 0 };
	if (strcmp(s->kind, "rs") == 0 || strcmp(s->kind, "ra") == 0) {
		bool ra = s->kind[1] == 'a';
		put32(&p, ra ? 0x86000000 : 0x85000000);
		put32(&p, ra ? 0x40000708 : 0);
		if (ra) {
			put32(&p, 0);
			put32(&p, 0);
		}
		put_option(&p, s, 1);
	} else if (strcmp(s->kind, "redirect") == 0) {
		put32(&p, 0x89000000);
		put32(&p, 0);
		put(&p, &s->tip6, 16);
		put(&p, &s->dip6, 16);
		put_option(&p, s, 2);
	} else {
		bool na = strcmp(s->kind, "na") == 0;
		put32(&p, na ? 0x88000000 : 0x87000000);
		put32(&p, na ? 0x20000000 : 0);
		put(&p, &s->tip6, 16);
		if (strcmp(s->kind, "dad") != 0 || strcmp(s->opt, "none") != 0)
			put_option(&p, s, na ? 2 : 1);
	}
	put_ip6(f, s, 58, p.b, p.n, 2);
}

static void put_payload(struct frame *p, const struct spec *s)
{
	size_t n = strlen(s->mark) + 1;
	put(p, s->mark, n);
	for (; n < (size_t)s->size; n++)
		put8(p, 0);
}

static size_t payload_size(const struct spec *s)
{
	size_t n = strlen(s->mark) + 1;
	return n < (size_t)s->size ? (size_t)s->size : n;
}

static void make_udp(struct frame *f, const struct spec *s, bool six)
{
	struct frame p = { .n = 0 };
	size_t n = payload_size(s);
	put16(&p, (unsigned)s->sport);
	put16(&p, (unsigned)s->dport);
	put16(&p, (unsigned)(8 + n));
	put16(&p, 0);
	put_payload(&p, s);
	if (six)
		put_ip6(f, s, 17, p.b, p.n, 6);
	else
		put_ip4(f, s, 17, p.b, p.n, 6);
}

static void make_tcp(struct frame *f, const struct spec *s, bool six)
{
	struct frame p = { .n = 0 };
	put16(&p, (unsigned)s->sport);
	put16(&p, (unsigned)s->dport);
	put32(&p, 1000);
	put32(&p, 2000);
	put16(&p, 0x5000 | (unsigned)s->flags);
	put16(&p, 1000);
	put32(&p, 0);
	put_payload(&p, s);
	if (six)
		put_ip6(f, s, 6, p.b, p.n, 16);
	else
		put_ip4(f, s, 6, p.b, p.n, 16);
}

static void make_echo(struct frame *f, const struct spec *s, bool six)
{
	struct frame p = { .n = 0 };
	put32(&p, six ? 0x80000000 : 0x08000000);
	put32(&p, 0x00010001);
	put(&p, s->mark, strlen(s->mark) + 1);
	if (six)
		put_ip6(f, s, 58, p.b, p.n, 2);
	else
		put_ip4(f, s, 1, p.b, p.n, 2);
}

static void make_arp(struct frame *f, const struct spec *s, bool reply)
{
	put_ether(f, s, 0x0806);
	put16(f, 1);
	put16(f, 0x0800);
	put16(f, 0x0604);
	put16(f, reply ? 2 : 1);
	put(f, s->smac, 6);
	put(f, &s->sip4, 4);
	put(f, "\0\0\0\0\0", 6);
	put(f, &s->tip4, 4);
	put(f, s->mark, strlen(s->mark)); /* padding, to the kernel */
}

static void make(struct frame *f, const struct spec *s)
{
	const char *k = s->kind;
	if (strcmp(k, "udp4") == 0 || strcmp(k, "udp6") == 0 || strncmp(k, "dhcp", 4) == 0)
		make_udp(f, s, k[3] == '6' || k[4] == '6');
	else if (strcmp(k, "tcp4") == 0 || strcmp(k, "tcp6") == 0)
		make_tcp(f, s, k[3] == '6');
	else if (strcmp(k, "echo4") == 0 || strcmp(k, "echo6") == 0)
		make_echo(f, s, k[4] == '6');
	else if (strncmp(k, "arp-", 4) == 0)
		make_arp(f, s, strcmp(k, "arp-reply") == 0);
	else if (strcmp(k, "llc") == 0 || strcmp(k, "stp") == 0) {
		put_ether(f, s, 64);
		put(f, k[0] == 's' ? "\x42\x42\x03" : "\xaa\xaa\x03", 3);
		put(f, s->mark, strlen(s->mark) + 1);
	} else if (strcmp(k, "raw") == 0) {
		put_ether(f, s, (unsigned)s->type);
		put(f, s->mark, strlen(s->mark) + 1);
	} else {
		make_nd(f, s);
	}
}

/* ---- words --------------------------------------------------------------------------------------- */

static void parse_mac(const char *text, unsigned char mac[6])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
		die(text);
}

static void parse_ip(const char *text, struct in_addr *v4, struct in6_addr *v6)
{
	if (inet_pton(AF_INET, text, v4) != 1 && inet_pton(AF_INET6, text, v6) != 1)
		die(text);
}

static void parse_key(struct spec *s, const char *key, const char *value)
{
	struct {
		const char *key;
		int *where;
		int base;
	} numbers[] = { { "sport", &s->sport, 10 }, { "dport", &s->dport, 10 }, { "hop", &s->hop, 10 },
			{ "type", &s->type, 16 },   { "tpid", &s->tpid, 16 },   { "flags", &s->flags, 16 },
			{ "size", &s->size, 10 },   { "times", &s->times, 10 }, { "ipopt", &s->ipopt, 10 } };
	struct {
		const char *key;
		char *where;
		size_t size;
	} words[] = { { "mark", s->mark, sizeof(s->mark) },
		      { "frag", s->frag, sizeof(s->frag) },
		      { "opt", s->opt, sizeof(s->opt) },
		      { "ext", s->ext, sizeof(s->ext) } };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(key, numbers[i].key) == 0) {
			*numbers[i].where = (int)strtol(value, NULL, numbers[i].base);
			return;
		}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(key, words[i].key) == 0) {
			snprintf(words[i].where, words[i].size, "%s", value);
			return;
		}
	if (strcmp(key, "src") == 0)
		parse_mac(value, s->src);
	else if (strcmp(key, "dst") == 0)
		parse_mac(value, s->dst);
	else if (strcmp(key, "smac") == 0)
		parse_mac(value, s->smac);
	else if (strcmp(key, "sip") == 0)
		parse_ip(value, &s->sip4, &s->sip6);
	else if (strcmp(key, "dip") == 0)
		parse_ip(value, &s->dip4, &s->dip6);
	else if (strcmp(key, "tip") == 0)
		parse_ip(value, &s->tip4, &s->tip6);
	else if (strcmp(key, "vlan") == 0) {
		char *colon = strchr(value, ':');
		s->vlan = atoi(value);
		s->vlan2 = colon ? atoi(colon + 1) : -1;
	} else
		die(key);
}

static void parse(struct spec *s, char *text, const unsigned char own[6])
{
	*s = (struct spec){ .sport = 5000, .dport = 9, .vlan = -1, .vlan2 = -1, .tpid = 0x8100, .hop = 255, .type = 0x88b5,
			     .flags = 0x10, .times = 1 };
	memcpy(s->src, own, 6);
	memcpy(s->smac, own, 6);
	memset(s->dst, 0xff, 6);
	snprintf(s->kind, sizeof(s->kind), "%s", strsep(&text, ","));
	if (strcmp(s->kind, "dhcp4-offer") == 0) {
		s->sport = 67;
		s->dport = 68;
	} else if (strcmp(s->kind, "dhcp6-reply") == 0) {
		s->sport = 547;
		s->dport = 546;
	}
	bool has_dst = false;
	for (char *pair; text && (pair = strsep(&text, ","));) {
		char *key = strsep(&pair, "=");
		if (!pair)
			die(key);
		parse_key(s, key, pair);
		has_dst |= strcmp(key, "dst") == 0;
	}
	/* Neighbour discovery has no payload that could carry the mark, and what is behind a packet's end is cut off on the
	 * way: its first four letters are the multicast MAC that it goes to. */
	static const char *const nd[] = { "ns", "na", "dad", "rs", "ra", "redirect" };
	for (size_t i = 0; i < sizeof(nd) / sizeof(nd[0]); i++)
		if (strcmp(s->kind, nd[i]) == 0 && !has_dst && strlen(s->mark) >= 4) {
			memcpy(s->dst, "\x33\x33", 2);
			memcpy(s->dst + 2, s->mark, 4);
		}
}

/* ---- the two verbs ------------------------------------------------------------------------------- */

static int open_packet(const char *name, int protocol, unsigned char ret_mac[6])
{
	struct ifreq q = { 0 };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, protocol);
	snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &q) < 0)
		die(name);
	memcpy(ret_mac, q.ifr_hwaddr.sa_data, 6);
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = (uint16_t)protocol,
				 .sll_ifindex = (int)if_nametoindex(name) };
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die(name);
	return fd;
}

static int do_send(const char *name, char **specs)
{
	unsigned char own[6];
	int fd = open_packet(name, 0, own);
	for (; *specs; specs++) {
		struct spec s;
		struct frame f = { .n = 0 };
		parse(&s, *specs, own);
		make(&f, &s);
		for (int i = 0; i < s.times; i++)
			if (write(fd, f.b, f.n) != (ssize_t)f.n)
				die("send");
	}
	return 0;
}

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static const char *find_mark(const unsigned char *b, size_t n, char **marks)
{
	for (; *marks; marks++)
		if (memmem(b, n, *marks, strlen(*marks)))
			return *marks;
	return NULL;
}

static int do_watch(const char *name, long long seconds, char **marks)
{
	unsigned char own[6], b[65536];
	int fd = open_packet(name, htons(0x0003), own);
	long long end = now_ms() + seconds * 1000;
	printf("watching\n");
	fflush(stdout);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		long long left = end - now_ms();
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return 1;
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&from, &len);
		const char *mark = n > 0 && from.sll_pkttype != PACKET_OUTGOING ? find_mark(b, (size_t)n, marks) : NULL;
		if (mark) {
			printf("%s\n", mark);
			return 0;
		}
	}
}

static void tell(const unsigned char *b, size_t n, const char *mark)
{
	bool six = n >= 54 && b[12] == 0x86 && b[13] == 0xdd, four = n >= 34 && b[12] == 8 && b[13] == 0;
	const unsigned char *ip = b + 14;
	printf("%s ", mark);
	if (four)
		printf("ip=4 proto=%u len=%u hop=%u sum=%s frag=%s ", ip[9], ip[2] << 8 | ip[3], ip[8],
		       checksum(0, ip, (size_t)(ip[0] & 15) * 4) == 0 ? "ok" : "bad", (ip[6] & 0x3f) | ip[7] ? "yes" : "no");
	else if (six)
		printf("ip=6 proto=%u len=%u hop=%u sum=ok frag=%s ", ip[6], (ip[4] << 8 | ip[5]) + 40, ip[7], ip[6] == 44 ? "yes" : "no");
	else
		printf("type=%02x%02x ", b[12], b[13]);
	printf("to=%02x:%02x:%02x:%02x:%02x:%02x from=%02x:%02x:%02x:%02x:%02x:%02x\n", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
	       b[8], b[9], b[10], b[11]);
	fflush(stdout);
}

static int do_look(const char *name, long long seconds, char **marks)
{
	unsigned char own[6], b[65536];
	const char *last = NULL;
	int fd = open_packet(name, htons(0x0003), own);
	long long end = now_ms() + seconds * 1000;
	for (char **m = marks; *m; m++)
		last = *m;
	printf("watching\n");
	fflush(stdout);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);
		long long left = end - now_ms();
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return 1;
		ssize_t n = recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&from, &len);
		const char *mark = n > 0 && from.sll_pkttype != PACKET_OUTGOING ? find_mark(b, (size_t)n, marks) : NULL;
		if (mark)
			tell(b, (size_t)n, mark);
		if (mark == last && last)
			return 0;
	}
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "send") == 0)
		return do_send(argv[2], argv + 3);
	if (argc >= 5 && strcmp(argv[1], "watch") == 0)
		return do_watch(argv[2], atoll(argv[3]), argv + 4);
	if (argc >= 5 && strcmp(argv[1], "look") == 0)
		return do_look(argv[2], atoll(argv[3]), argv + 4);
	errno = 0;
	die("usage: frames send IFACE SPEC... | frames watch|look IFACE SECONDS MARK...");
	return 2;
}
