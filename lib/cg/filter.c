/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device filter in the kernel: loaded, attached, and shared.
 *
 * Nearly all VEs have the same rules, and the kernel takes longer to verify a program (150 microseconds) than to make a group. So
 * the first of them attaches its program not only to its own group, but also to one beside it that nobody is in,
 *
 *     BASE/.devices-HASH      HASH: of the instructions, as a newer vectl may have others
 *
 * where the next one finds it. As many VEs as there are, it is one program. No group, or none attached to it (somebody removed it:
 * the groups in BASE are nobody's but ours and the admin's), and one is loaded as if it were the first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fnv.h"
#include "base/guard.h"
#include "cg/backend.h"
#include "sys/bpf.h"

enum { LOAD_TRIES = 5, SHARED_MAX = 8 };

static int load(const struct bpf_insn *insns, int count)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr)); /* the kernel wants all of it zero, also where our member ends */
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = (uint32_t)count;
	attr.license = (uintptr_t) "LGPL-2.1-or-later";
	memcpy(attr.prog_name, "vectl_devices", sizeof("vectl_devices"));
	/* The verifier gives up (EAGAIN) when a signal is pending; once its handler has run the next try goes through. */
	int fd = -EAGAIN;
	for (int i = 0; i < LOAD_TRIES && fd == -EAGAIN; i++)
		fd = sys_bpf(BPF_PROG_LOAD, &attr);
	return fd;
}

/* ALLOW_MULTI: programs of groups above run too (systemd may have one on the service) and ours runs whatever is
 * attached below. With ALLOW_OVERRIDE one below would replace ours; with neither, a nested manager could not have
 * its own. */
int cg_devices_attach(int group_fd, int program_fd)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)group_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	int r = sys_bpf(BPF_PROG_ATTACH, &attr);
	return r < 0 ? r : 0;
}

int cg_devices_load(const struct cg_device *rules, unsigned n)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	int count = cg_devices_program(rules, n, &insns);
	return count < 0 ? count : load(insns, count);
}

int cg_devices_attached(int group_fd, uint32_t *ids, uint32_t max)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)group_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = max;
	int r = sys_bpf(BPF_PROG_QUERY, &attr);
	return r == 0 ? (int)attr.query.prog_cnt : r == -ENOSPC ? (int)max : r;
}

int cg_devices_query(int group_fd)
{
	int r = cg_devices_attached(group_fd, NULL, 0);
	return r < 0 ? r : 0;
}

/* ---- one for many ---- */

/* Nobody gains by two lists of ours having the same. */
static void shared_name(const struct bpf_insn *insns, int count, char ret_name[32])
{
	uint64_t hash = fnv_add(FNV_BEGIN, insns, (size_t)count * sizeof(*insns));
	snprintf(ret_name, 32, CG_DEVICES_MARK "%016" PRIx64, hash);
}

static int find(int base_fd, const char *name)
{
	uint32_t ids[SHARED_MAX];
	_cleanup_close_ int group = file_opendir(base_fd, name);
	int n = group < 0 ? group : cg_devices_attached(group, ids, SHARED_MAX);
	return n <= 0 ? -ENOENT : sys_bpf_by_id(BPF_PROG_GET_FD_BY_ID, ids[0]);
}

/* Best effort: who cannot leave it for the next one has his own all the same. */
static void leave(int base_fd, const char *name, int program)
{
	_cleanup_close_ int group = mkdirat(base_fd, name, 0755) < 0 && errno != EEXIST ? -1 : file_opendir(base_fd, name);
	if (group >= 0)
		cg_devices_attach(group, program);
}

int cg_devices_share(int base_fd, const struct cg_device *rules, unsigned n)
{
	char name[32];
	_cleanup_free_ struct bpf_insn *insns = NULL;
	int count = cg_devices_program(rules, n, &insns);
	if (count < 0)
		return count;
	shared_name(insns, count, name);
	int program = find(base_fd, name);
	if (program >= 0)
		return program;
	program = load(insns, count);
	if (program >= 0)
		leave(base_fd, name, program);
	return program;
}
