/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The owner of the VE's user namespace. The kernel charges namespaces, inotify and the four counted rlimits
 * to the creator of a user namespace, so the creator must be an id that belongs to this VE alone: the first of its range.
 * For the length of one clone3 the monitor wears that id as real, effective and file system id. Saved id 0
 * keeps its permitted capabilities, which are raised again, so that hosts that forbid unprivileged user
 * namespaces still work (user_namespaces(7), capabilities(7) "Effect of user ID changes").
 */
#include "owner.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sys/syscalls.h"

int owner_raise(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];
	if (syscall(SYS_capget, &h, d) < 0)
		return -1;
	d[0].effective = d[0].permitted;
	d[1].effective = d[1].permitted;
	return (int)syscall(SYS_capset, &h, d);
}

static bool counted(uint32_t resource)
{
	return resource == RLIMIT_NPROC || resource == RLIMIT_MEMLOCK || resource == RLIMIT_MSGQUEUE ||
	       resource == RLIMIT_SIGPENDING;
}

/* The four counted limits: the soft limit of the creator at clone3 is what the whole VE gets, for good. The hard ones
 * are raised here because the child, in its own user namespace, only can lower them. */
static int set_limits(const struct mon *m, struct rlimit saved[RLIM_NLIMITS], struct failure *f)
{
	const struct blob_rlimit *l = mon_at(m, m->blob->rlimits);
	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		getrlimit(i, &saved[i]);
	if (caller_raise_limits(m, f) < 0)
		return -1;
	for (uint32_t i = 0; i < m->blob->rlimits.n; i++) {
		struct rlimit now;
		if (!counted(l[i].resource))
			continue;
		if (getrlimit((int)l[i].resource, &now) < 0)
			return fail(f, "getrlimit", NULL);
		now.rlim_cur = l[i].soft;
		if (setrlimit((int)l[i].resource, &now) < 0)
			return fail(f, "setrlimit", NULL);
	}
	return 0;
}

static void restore_limits(const struct rlimit saved[RLIM_NLIMITS])
{
	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		setrlimit(i, &saved[i]);
}

int owner_wear(const struct mon *m, struct failure *f)
{
	uid_t base = m->blob->id_base;
	if (syscall(SYS_setresgid, base, base, 0) < 0)
		return fail(f, "setresgid", NULL);
	if (syscall(SYS_setresuid, base, base, 0) < 0)
		return fail(f, "setresuid", NULL);
	/* A change of ids sets dumpable to fs.suid_dumpable, which somebody may have set to 1. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return owner_raise() < 0 ? fail(f, "capset", NULL) : 0;
}

int owner_return(struct failure *f)
{
	if (syscall(SYS_setresuid, 0, 0, 0) < 0)
		return fail(f, "setresuid", NULL);
	if (syscall(SYS_setresgid, 0, 0, 0) < 0)
		return fail(f, "setresgid", NULL);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return owner_raise() < 0 ? fail(f, "capset", NULL) : 0;
}

int owner_wear_fs(const struct mon *m, struct failure *f)
{
	setfsgid(m->blob->id_base);
	setfsuid(m->blob->id_base);
	return owner_raise() < 0 ? fail(f, "capset", NULL) : 0;
}

void owner_return_fs(void)
{
	setfsuid(0);
	setfsgid(0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	owner_raise();
}

int owner_clone(struct mon *m, int (*child)(struct mon *), struct failure *f)
{
	struct rlimit saved[RLIM_NLIMITS];
	if (set_limits(m, saved, f) < 0 || owner_wear(m, f) < 0)
		return -1;
	int cgroup = mon_fd(m, m->blob->fd_cgroup);
	/* Not CLONE_NEWCGROUP: the root would be the parent's place, so the child does it once it is in its own.
	 * Not CLONE_NEWTIME: it freezes the offsets before they can be written (time_namespaces(7)). */
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&m->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		m->is_child = true;
		_exit(child(m));
	}
	if (pid < 0)
		fail(f, "clone3", "namespaces");
	struct failure back = { 0 };
	int r = owner_return(&back);
	restore_limits(saved);
	m->child = pid;
	if (pid > 0 && r < 0) {
		*f = back;
		return -1;
	}
	return pid < 0 ? -1 : 0;
}
