/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of iptables-legacy and ip6tables-legacy, which nftables does not know: does their chain FORWARD drop what no rule
 * accepts? The layout is that of <linux/netfilter_ipv4/ip_tables.h>: the kernel hands out all entries of a table in one
 * piece, and says where each built-in chain begins and where its policy is (an entry with a standard target).
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Behind <net/if.h>, of which they make a part again. */
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

#define FILTER "filter"

enum { NAMES_MAX = 4096, REPLACED_TRIES = 8 };

/* The two families differ in where things are. */
struct layout {
	const char *family, *names_path;
	int domain, level, get_info, get_entries;
	size_t entry_size, iniface, outiface, target_offset, next_offset;
};

static const struct layout layouts[] = {
	{
		.family = "ip",
		.names_path = "/proc/net/ip_tables_names",
		.domain = AF_INET,
		.level = IPPROTO_IP,
		.get_info = IPT_SO_GET_INFO,
		.get_entries = IPT_SO_GET_ENTRIES,
		.entry_size = sizeof(struct ipt_entry),
		.iniface = offsetof(struct ipt_entry, ip.iniface),
		.outiface = offsetof(struct ipt_entry, ip.outiface),
		.target_offset = offsetof(struct ipt_entry, target_offset),
		.next_offset = offsetof(struct ipt_entry, next_offset),
	},
	{
		.family = "ip6",
		.names_path = "/proc/net/ip6_tables_names",
		.domain = AF_INET6,
		.level = IPPROTO_IPV6,
		.get_info = IP6T_SO_GET_INFO,
		.get_entries = IP6T_SO_GET_ENTRIES,
		.entry_size = sizeof(struct ip6t_entry),
		.iniface = offsetof(struct ip6t_entry, ipv6.iniface),
		.outiface = offsetof(struct ip6t_entry, ipv6.outiface),
		.target_offset = offsetof(struct ip6t_entry, target_offset),
		.next_offset = offsetof(struct ip6t_entry, next_offset),
	},
};

/* Is there a table of this name in our network namespace? -errno where that cannot be told. */
static int table_exists(const struct layout *l)
{
	char names[NAMES_MAX];
	_cleanup_close_ int fd = open(l->names_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* a kernel without legacy tables */
	ssize_t n = read(fd, names, sizeof(names) - 1);
	if (n < 0)
		return -errno;
	names[n] = '\0';
	_cleanup_strv_ char **lines = strv_split(names, "\n");
	for (char **line = lines; line && *line; line++)
		if (str_eq(*line, FILTER))
			return 1;
	return lines ? 0 : -ENOMEM;
}

static uint16_t u16_at(const unsigned char *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* Does the policy at ENTRY, of which LEFT bytes are there, drop? */
static bool policy_drops(const struct layout *l, const unsigned char *entry, size_t left)
{
	struct xt_standard_target target;
	size_t at = left >= l->entry_size ? u16_at(entry + l->target_offset) : left;
	if (at > left || left - at < sizeof(target))
		return false;
	memcpy(&target, entry + at, sizeof(target));
	return target.target.u.user.name[0] == '\0' && target.verdict == -NF_DROP - 1;
}

/* Somebody who writes rules for vz+ or vzID.N has thought of us, whatever they decided. */
static bool speaks_of_us(const struct layout *l, const unsigned char *entries, size_t size)
{
	for (size_t at = 0; at < size && size - at >= l->entry_size;) {
		const unsigned char *e = entries + at;
		if (memcmp(e + l->iniface, "vz", 2) == 0 || memcmp(e + l->outiface, "vz", 2) == 0)
			return true;
		uint16_t next = u16_at(e + l->next_offset);
		if (next < l->entry_size)
			return false;
		at += next;
	}
	return false;
}

/* struct ipt_getinfo and struct ip6t_getinfo are the same, and so are the heads of the entries. */
struct table {
	struct ipt_getinfo info;
	struct ipt_get_entries *entries;
};

/* The table and its entries belong together; one that is replaced in between is asked for again (EAGAIN). */
static int read_table(const struct layout *l, struct table *ret)
{
	_cleanup_close_ int sock = socket(l->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (sock < 0)
		return -errno;
	for (int i = 0; i < REPLACED_TRIES; i++) {
		struct table t = { .info = { .name = FILTER } };
		socklen_t size = sizeof(t.info);
		if (getsockopt(sock, l->level, l->get_info, &t.info, &size) < 0)
			return -errno;
		size = (socklen_t)(sizeof(*t.entries) + t.info.size);
		t.entries = calloc(1, size);
		if (!t.entries)
			return -ENOMEM;
		memcpy(t.entries->name, FILTER, sizeof(FILTER));
		t.entries->size = t.info.size;
		if (getsockopt(sock, l->level, l->get_entries, t.entries, &size) == 0) {
			*ret = t;
			return 0;
		}
		int e = errno;
		free(t.entries);
		if (e != EAGAIN && e != EINVAL) /* EINVAL: its size has changed */
			return -e;
	}
	return -EAGAIN;
}

static void look_at(const struct layout *l, const struct table *t, net_blocker_fn fn, void *data)
{
	const unsigned char *entries = (const unsigned char *)t->entries->entrytable;
	size_t size = t->info.size, policy = t->info.underflow[NF_INET_FORWARD];
	if (!(t->info.valid_hooks & 1U << NF_INET_FORWARD) || policy >= size || !policy_drops(l, entries + policy, size - policy))
		return;
	const struct net_blocker b = { .family = l->family, .table = FILTER, .chain = "FORWARD", .legacy = true,
				       .knows_us = speaks_of_us(l, entries, size) };
	fn(&b, data);
}

int xtables_each_blocker(net_blocker_fn fn, void *data, ve_error **ret_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct table t = { .entries = NULL };
		int r = table_exists(&layouts[i]);
		if (r > 0)
			r = read_table(&layouts[i], &t);
		if (r == -EACCES)
			r = -EPERM;
		if (r < 0)
			return err_sys(ret_error, -r, "network", "cannot read the tables of %stables-legacy",
				       layouts[i].domain == AF_INET ? "ip" : "ip6");
		if (t.entries)
			look_at(&layouts[i], &t, fn, data);
		free(t.entries);
	}
	return 0;
}
