/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which quotactl(2) a process of a VE may make, as the kernel would judge it were the VE's user namespace the one that counts. No
 * system calls: what is asked, and of whom, is given.
 */
#ifndef MONITOR_QUOTACALL_H
#define MONITOR_QUOTACALL_H

#include <linux/quota.h>
#include <stdbool.h>
#include <stdint.h>

/* Who is asked for his groups is looked up in a part of his status only: so many of them fit. */
enum { QUOTACALL_STATUS_SIZE = 4096, QUOTACALL_GROUPS = 512 };

enum quotacall_right {
	QUOTACALL_ALL,	 /* anybody */
	QUOTACALL_SELF,	 /* about himself, and a group that he is in */
	QUOTACALL_ADMIN, /* who has CAP_SYS_ADMIN in the VE */
};

union quotacall_data {
	uint32_t format;
	struct if_dqblk limits;
	struct if_nextdqblk next;
	struct if_dqinfo info;
};

struct quotacall_command {
	uint32_t number;
	uint32_t in, out; /* bytes of the union, from the caller and to him */
	enum quotacall_right right;
};

struct quotacall {
	const struct quotacall_command *command;
	uint32_t type, id; /* USRQUOTA or GRPQUOTA; as inside */
};

struct quotacall_caller {
	bool in_ve; /* in the VE's own user namespace, and in none below */
	bool admin;
	uint32_t uid, gid; /* effective, the host's */
	uint32_t groups[QUOTACALL_GROUPS];
	unsigned n_groups;
};

/* CMD and ID as quotactl(2) has them. -EINVAL: none that is answered, or an id of ID_COUNT on. */
int quotacall_parse(uint32_t cmd, uint32_t id, uint32_t id_count, struct quotacall *ret);
/* The ids in a file /proc/PID/status, or the beginning of one. */
bool quotacall_read_status(const char *status, struct quotacall_caller *c);
/* 0 or -EPERM; ID_BASE: the host's id of the VE's 0. */
int quotacall_check(const struct quotacall *q, const struct quotacall_caller *c, uint32_t id_base);

#endif
