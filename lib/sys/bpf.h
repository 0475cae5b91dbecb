/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bpf(2), for which libc has no name. */
#ifndef SYS_BPF_H
#define SYS_BPF_H

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A number that is not negative, or -errno. All of ATTR that the command does not know is to be zero, so memset(3) it first. */
static inline int sys_bpf(int command, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
	return r < 0 ? -errno : r;
}

/* BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID: a descriptor. */
static inline int sys_bpf_by_id(int command, uint32_t id)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id; /* where map_id is, too */
	return sys_bpf(command, &attr);
}

#endif
