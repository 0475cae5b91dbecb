/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in the fast path's maps, in this network namespace, for tests: a line for each interface that is known by name,
 * "name NAME INDEX", and one for each that is counted, "link INDEX PACKETS". Nothing where there is no fast path.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fastpath.h"

static int next_key(int map, const void *key, void *ret_next)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)key;
	attr.next_key = (uintptr_t)ret_next;
	return (int)syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr));
}

int main(void)
{
	char name[FASTPATH_NAME];
	uint32_t index;
	struct fastpath_link link;
	struct fastpath_maps m;
	int r = fastpath_open(&m);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		fprintf(stderr, "fastpath_maps: %s\n", strerror(-r));
		return 1;
	}
	for (const char *at = NULL; next_key(m.names, at, name) == 0; at = name)
		if (fastpath_get(m.names, name, &index) == 0)
			printf("name %s %u\n", name, index);
	for (const uint32_t *at = NULL; next_key(m.links, at, &index) == 0; at = &index) {
		unsigned long long sum = 0;
		if (fastpath_get(m.links, &index, &link) < 0)
			continue;
		for (unsigned k = 0; k < FASTPATH_KINDS; k++)
			sum += link.counted[k].packets;
		printf("link %u %llu\n", index, sum);
	}
	fastpath_close(&m);
	return 0;
}
