/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tunnel IFNAME PORT PEER: what a VPN program does, without the secrecy. Opens /dev/net/tun, makes the interface IFNAME, and
 * carries its packets over UDP to and from PEER, both on PORT. Static: it runs inside a VE.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char packet[65536];
	if (argc != 4)
		errx(64, "tunnel IFNAME PORT PEER");
	int tun = open("/dev/net/tun", O_RDWR);
	if (tun < 0)
		err(1, "/dev/net/tun");
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	strncpy(ifr.ifr_name, argv[1], IFNAMSIZ - 1);
	if (ioctl(tun, TUNSETIFF, &ifr) < 0)
		err(1, "TUNSETIFF");
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])) };
	struct sockaddr_in peer = here;
	if (inet_pton(AF_INET, argv[3], &peer.sin_addr) != 1 || bind(s, (struct sockaddr *)&here, sizeof(here)) < 0)
		err(1, "%s", argv[3]);
	for (;;) {
		struct pollfd p[2] = { { .fd = tun, .events = POLLIN }, { .fd = s, .events = POLLIN } };
		if (poll(p, 2, -1) < 0)
			err(1, "poll");
		ssize_t n;
		if (p[0].revents && (n = read(tun, packet, sizeof(packet))) > 0)
			(void)!sendto(s, packet, (size_t)n, 0, (struct sockaddr *)&peer, sizeof(peer));
		if (p[1].revents && (n = recv(s, packet, sizeof(packet), 0)) > 0)
			(void)!write(tun, packet, (size_t)n);
	}
}
