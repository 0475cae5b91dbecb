/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last steps before exec, alike for a VE's init and for what joins it later: limits, capabilities, keyring,
 * seccomp, identity, terminal. Nothing here allocates.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mounts.h"
#include "sys/syscalls.h"

int confine_limits(const struct mon *m, struct failure *f)
{
	const struct blob_rlimit *l = mon_at(m, m->blob->rlimits);
	for (uint32_t i = 0; i < m->blob->rlimits.n; i++) {
		struct rlimit r = { l[i].soft, l[i].hard };
		if (setrlimit((int)l[i].resource, &r) < 0)
			return fail(f, "setrlimit", NULL);
	}
	return 0;
}

int confine_capabilities(const struct mon *m, struct failure *f)
{
	uint64_t keep = m->blob->cap_bounding;
	for (int cap = 0; cap < 64; cap++) {
		if (keep & (1ULL << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break; /* past the kernel's last capability */
			return fail(f, "prctl", "PR_CAPBSET_DROP");
		}
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fail(f, "prctl", "PR_CAP_AMBIENT_CLEAR_ALL");
	/* The rest of the sets follow at exec: root there gets exactly the bounding set. */
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];
	if (syscall(SYS_capget, &h, d) < 0)
		return fail(f, "capget", NULL);
	d[0].inheritable = d[1].inheritable = 0;
	return syscall(SYS_capset, &h, d) < 0 ? fail(f, "capset", NULL) : 0;
}

static int keep_only(uint64_t keep)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	d[0].effective = d[0].permitted = (uint32_t)keep;
	d[1].effective = d[1].permitted = (uint32_t)(keep >> 32);
	return (int)syscall(SYS_capset, &h, d);
}

int confine_to_kill(void)
{
	return keep_only(UINT64_C(1) << CAP_KILL);
}

int confine_to_quotas(void)
{
	return keep_only(UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_DAC_OVERRIDE);
}

int confine_keyring(struct failure *f)
{
	/* Else the VE could possess the session keyring of whoever typed the command. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return fail(f, "keyctl", "a fresh session keyring");
	return 0;
}

/* Who listens to the filter is outside: the descriptor would let us answer our own calls. */
static int hand_over(const struct mon *m, int listener, struct failure *f)
{
	struct msg msg = { .kind = CHILD_LISTENER };
	int r = msg_send(m->sync, &msg, &listener, 1) < 0 ? fail(f, "sendmsg", "listener") : 0;
	close(listener);
	return r;
}

int confine_seccomp(const struct mon *m, struct failure *f)
{
	if (m->blob->flags & BLOB_NO_NEW_PRIVS && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(f, "prctl", "PR_SET_NO_NEW_PRIVS");
	const struct blob_vec *p = mon_at(m, m->blob->programs);
	for (uint32_t i = 0; i < m->blob->programs.n; i++) {
		struct sock_fprog prog = { (unsigned short)p[i].n, (struct sock_filter *)mon_at(m, p[i]) };
		bool heard = i == 0 && m->blob->flags & BLOB_USER_QUOTA;
		int r = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, heard ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &prog);
		if (r < 0)
			return fail(f, "seccomp", "SECCOMP_SET_MODE_FILTER");
		if (heard && hand_over(m, r, f) < 0)
			return -1;
	}
	return 0;
}

int confine_identity(const struct identity *id, struct failure *f)
{
	if (setgroups(id->n_groups, id->groups) < 0)
		return fail(f, "setgroups", id->name);
	if (setresgid(id->gid, id->gid, id->gid) < 0)
		return fail(f, "setresgid", id->name);
	return setresuid(id->uid, id->uid, id->uid) < 0 ? fail(f, "setresuid", id->name) : 0;
}

/* What the VE's root has made of dev/pts may be anything: it must be the multiplexor of a devpts. */
int confine_open_pty(const struct mon *m, int root, int *ret_master, int *ret_slave, struct failure *f)
{
	struct statfs fs;
	struct stat st;
	int lock = 0;
	int master = mounts_open_device(root, "dev/pts/ptmx");
	if (master < 0)
		return fail(f, "open", "/dev/pts/ptmx");
	if (fstatfs(master, &fs) < 0 || fstat(master, &st) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC ||
	    !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2)) {
		errno = ENODEV;
		return fail(f, "open", "/dev/pts/ptmx");
	}
	fcntl(master, F_SETFL, O_RDWR);
	if (ioctl(master, TIOCSPTLCK, &lock) < 0)
		return fail(f, "ioctl", "TIOCSPTLCK");
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fail(f, "ioctl", "TIOCGPTPEER");
	/* Now, not when the caller first looks: the command may ask at once. */
	struct winsize size = { .ws_row = m->blob->rows, .ws_col = m->blob->columns };
	if (size.ws_row && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return fail(f, "ioctl", "TIOCSWINSZ");
	*ret_master = master;
	*ret_slave = slave;
	return 0;
}

int confine_stdio(int in, int out, int err, bool controlling, struct failure *f)
{
	int from[3] = { in, out, err };
	/* Above 2 first: one of them may be in another's place. */
	for (int i = 0; i < 3; i++)
		if ((from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3)) < 0)
			return fail(f, "dup", "standard descriptors");
	for (int i = 0; i < 3; i++)
		if (dup2(from[i], i) < 0)
			return fail(f, "dup2", "standard descriptors");
	for (int i = 0; i < 3; i++)
		close(from[i]);
	if (controlling && ioctl(0, TIOCSCTTY, 0) < 0)
		return fail(f, "ioctl", "TIOCSCTTY");
	return 0;
}

int confine_cwd(const struct mon *m, const struct identity *id, struct failure *f)
{
	const char *cwd = mon_str(m, m->blob->cwd);
	if (cwd)
		return chdir(cwd) < 0 ? fail(f, "chdir", cwd) : 0;
	if (!(m->blob->flags & BLOB_ADAPT) || chdir(id->home) < 0)
		(void)!chdir("/");
	return 0;
}
