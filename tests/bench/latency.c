/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* latency N: N times some small work of a server's (memory that is new, a file that is written and read again), a millisecond apart;
 * prints the 99th percentile of how long it took, in microseconds. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64 * 1024 };

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void work(int fd)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		exit(1);
	memset(p, 1, SIZE);
	if (pwrite(fd, p, SIZE, 0) != SIZE || pread(fd, p, SIZE, 0) != SIZE)
		exit(1);
	munmap(p, SIZE);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 0;
	double *took = n > 0 ? calloc((size_t)n, sizeof(*took)) : NULL;
	int fd = open("latency.tmp", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (!took || fd < 0)
		return 1;
	unlink("latency.tmp");
	for (long i = 0; i < n; i++) {
		const struct timespec pause = { .tv_nsec = 1000000 };
		nanosleep(&pause, NULL);
		double begin = now_us();
		work(fd);
		took[i] = now_us() - begin;
	}
	qsort(took, (size_t)n, sizeof(*took), by_size);
	printf("%.0f\n", took[n * 99 / 100]);
	free(took);
	return 0;
}
