/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * packets ADDRESS COUNT [BYTES]: sends UDP packets to ADDRESS and prints how many nanoseconds of CPU time one took.
 *
 * Between veth pairs the sender's own system call takes a packet all the way through the host's stack to the receiver, so that
 * this is the cost of the whole way; and CPU time, unlike a rate, does not depend on what else the machine does.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 9, BYTES_MAX = 65000 };

static double cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	static char payload[BYTES_MAX];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	long count = argc > 2 ? atol(argv[2]) : 0, bytes = argc > 3 ? atol(argv[3]) : 16;
	if (count <= 0 || bytes <= 0 || bytes > BYTES_MAX || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		errx(64, "usage: packets ADDRESS COUNT [BYTES]");
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(1, "%s", argv[1]);
	for (int i = 0; i < 100; i++) /* the way is found, caches are warm */
		(void)!write(fd, payload, (size_t)bytes);
	double begun = cpu_ns();
	for (long i = 0; i < count; i++)
		if (write(fd, payload, (size_t)bytes) < 0)
			err(1, "cannot send");
	printf("%.1f\n", (cpu_ns() - begun) / (double)count);
	return 0;
}
