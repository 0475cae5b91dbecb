/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/fastpath.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "sys/bpf.h"
#include "sys/nlask.h"

enum { MAPS_MAX = 16 };

_Static_assert((int)FASTPATH_KINDS == (int)COUNTER_KINDS && FASTPATH_NAME == IFNAMSIZ, "one layout");

/* ---- finding ----------------------------------------------------------------------------------------- */

static void read_filter(const struct nlmsghdr *m, void *data)
{
	const void *options, *id;
	size_t n, n_options, n_id;
	const void *attrs = nlask_attrs(m, sizeof(struct tcmsg), &n);
	if (attrs && nlask_find(attrs, n, TCA_OPTIONS, &options, &n_options) &&
	    nlask_find(options, n_options, TCA_BPF_ID, &id, &n_id) && n_id == sizeof(uint32_t))
		memcpy(data, id, n_id);
}

/* The number of the program in the block, or -errno. */
static int64_t program_id(void)
{
	static const char kind[] = "bpf";
	const struct tcmsg t = {
		.tcm_ifindex = (int)TCM_IFINDEX_MAGIC_BLOCK,
		.tcm_block_index = FASTPATH_BLOCK_IN,
		.tcm_handle = FASTPATH_HANDLE,
		.tcm_info = TC_H_MAKE((uint32_t)FASTPATH_PRIORITY << 16, htons(ETH_P_ALL)),
	};
	struct nlask q;
	uint32_t id = 0;
	int sock = nlask_open(NETLINK_ROUTE);
	if (sock < 0)
		return sock;
	nlask_begin(&q, RTM_GETTFILTER, &t, sizeof(t));
	nlask_put(&q, TCA_KIND, kind, sizeof(kind));
	int r = nlask(sock, &q, read_filter, &id);
	close(sock);
	/* EINVAL: there is no such block, or nothing was ever in it. */
	return r == -EINVAL ? -ENOENT : r < 0 ? r : id == 0 ? -ENOENT : (int64_t)id;
}

static int get_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info = (uintptr_t)info;
	attr.info.info_len = size;
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

/* FD is kept where its map is one of ours. */
static void keep(struct fastpath_maps *m, int fd)
{
	struct bpf_map_info map = { 0 };
	const struct {
		const char *name;
		int *fd;
	} ours[] = { { FASTPATH_LINKS, &m->links }, { FASTPATH_NAMES, &m->names }, { FASTPATH_EPOCH, &m->epoch } };
	int r = get_info(fd, &map, sizeof(map));
	for (size_t i = 0; r == 0 && i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (*ours[i].fd < 0 && strcmp(map.name, ours[i].name) == 0) {
			*ours[i].fd = fd;
			return;
		}
	}
	close(fd);
}

int fastpath_open(struct fastpath_maps *ret)
{
	uint32_t ids[MAPS_MAX];
	struct bpf_prog_info program = { .map_ids = (uintptr_t)ids, .nr_map_ids = MAPS_MAX };
	*ret = FASTPATH_CLOSED;
	int64_t id = program_id();
	int fd = id < 0 ? (int)id : sys_bpf_by_id(BPF_PROG_GET_FD_BY_ID, (uint32_t)id);
	if (fd < 0)
		return fd;
	int r = get_info(fd, &program, sizeof(program));
	close(fd);
	for (uint32_t i = 0; r == 0 && i < program.nr_map_ids && i < MAPS_MAX; i++)
		if ((fd = sys_bpf_by_id(BPF_MAP_GET_FD_BY_ID, ids[i])) >= 0)
			keep(ret, fd);
	if (r == 0 && (ret->links < 0 || ret->names < 0 || ret->epoch < 0))
		r = -ENOENT;
	if (r < 0)
		fastpath_close(ret);
	return r;
}

void fastpath_close(struct fastpath_maps *m)
{
	int *const fds[] = { &m->links, &m->names, &m->epoch };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static int entry(int command, int map, const void *key, const void *value, uint64_t flags)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	attr.flags = flags;
	return sys_bpf(command, &attr);
}

int fastpath_get(int map, const void *key, void *ret_value)
{
	return entry(BPF_MAP_LOOKUP_ELEM, map, key, ret_value, 0);
}

int fastpath_set(int map, const void *key, const void *value, bool only_new)
{
	return entry(BPF_MAP_UPDATE_ELEM, map, key, value, only_new ? BPF_NOEXIST : BPF_ANY);
}

int fastpath_delete(int map, const void *key)
{
	return entry(BPF_MAP_DELETE_ELEM, map, key, NULL, 0);
}

bool fastpath_is_empty(int map)
{
	uint64_t first[FASTPATH_NAME / sizeof(uint64_t)]; /* the longest key */
	return entry(BPF_MAP_GET_NEXT_KEY, map, NULL, first, 0) == -ENOENT;
}

void fastpath_read(const struct fastpath_maps *m, const char ifname[IFNAMSIZ], struct counter ret[COUNTER_KINDS])
{
	char key[FASTPATH_NAME] = { 0 };
	struct fastpath_link link;
	uint32_t index;
	memset(ret, 0, sizeof(ret[0]) * COUNTER_KINDS);
	memcpy(key, ifname, strnlen(ifname, IFNAMSIZ - 1));
	int r = m->names < 0 ? -ENOENT : fastpath_get(m->names, key, &index);
	if (r == 0)
		r = fastpath_get(m->links, &index, &link);
	for (unsigned k = 0; r == 0 && k < COUNTER_KINDS; k++)
		ret[k] = (struct counter){ link.generation, link.counted[k].packets, link.counted[k].bytes };
}
