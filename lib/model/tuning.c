/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/tuning.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Left out: what is counted in each VE's memory.limit and ends there long before (threads-max, the keys of an id), and what only
 * slows down (tcp_mem). */
const struct tuning tunings[] = {
	{ "fs.aio-max-nr", 1048576, 16384, INT32_MAX,
	  "asynchronous requests of all databases on the host together" },
	{ "fs.file-max", INT64_MAX, 0, INT64_MAX,
	  "open files of the whole host: each VE's own are counted in its memory" },
	{ "fs.inotify.max_user_instances", 1024, 0, INT32_MAX,
	  "inotify instances of a whole VE, its containers among them: the kernel's 128 are one user's" },
	{ "fs.inotify.max_user_watches", 131072, 0, INT32_MAX, "files that a whole VE watches" },
	{ "kernel.pid_max", 131072, 2048, 4194304, "process numbers, of which each process of a VE has one on the host" },
	{ "kernel.pty.max", 4096, 1024, 1048576, "terminals of the whole host: a VE has 1024 at first" },
	{ "net.ipv4.neigh.default.gc_thresh2", 2048, 16, INT32_MAX / 2,
	  "IPv4 neighbours of the host and all VEs together, above which they are forgotten sooner" },
	{ "net.ipv4.neigh.default.gc_thresh3", 4096, 32, INT32_MAX,
	  "IPv4 neighbours of the host and all VEs together, above which nobody gets another one" },
	{ "net.ipv6.neigh.default.gc_thresh2", 2048, 16, INT32_MAX / 2,
	  "IPv6 neighbours of the host and all VEs together, above which they are forgotten sooner" },
	{ "net.ipv6.neigh.default.gc_thresh3", 4096, 32, INT32_MAX,
	  "IPv6 neighbours of the host and all VEs together, above which nobody gets another one" },
	{ "net.netfilter.nf_conntrack_max", 65536, 16384, INT32_MAX,
	  "connections that the host follows for VEs with rules, nat or forwards (see firewall.connections)" },
	{ .name = NULL },
};

const struct tuning *tuning_find(const char *name)
{
	for (const struct tuning *t = tunings; t->name; t++)
		if (str_eq(t->name, name))
			return t;
	return NULL;
}

int64_t tuning_wanted(const struct tuning *t, uint64_t n_ves)
{
	uint64_t room = (uint64_t)(t->most - (t->base < t->most ? t->base : t->most));
	if (t->each == 0)
		return t->base < t->most ? t->base : t->most;
	return n_ves > room / (uint64_t)t->each ? t->most : t->base + (int64_t)n_ves * t->each;
}

void tuning_path(const struct tuning *t, char ret_path[TUNING_PATH_SIZE])
{
	snprintf(ret_path, TUNING_PATH_SIZE, "%s", t->name);
	for (char *p = ret_path; (p = strchr(p, '.'));)
		*p = '/';
}
