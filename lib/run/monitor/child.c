/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The child between clone3 and exec: the future init of the VE. It allocates, formats and logs nothing; it runs the
 * stages below and sends one record when one of them fails. Before the exec it says CHILD_EXEC: end of file after that
 * means that the exec succeeded, end of file without it that the child died.
 *
 * Who we are, stage by stage (up to "process": pid 1 of the VE's pid namespace, its parent is the monitor; non-dumpable, so that
 * /proc/PID is host root's until the exec):
 *
 *   stage       ids (inside)             namespaces                       root        open of the host's
 *   identity    unmapped, then 0:0       user mnt pid net ipc uts         host's      all that the plan brought
 *   cgroup      0:0 (= base on the host) + cgroup, rooted in guest        .           .
 *   clocks      .                        + time                           .           .
 *   root        .                        .                                host's, VE's tree attached above "/"
 *   mounts      .                        .                                (the host's /proc is visible: procfs needs that)
 *   nesting     .                        .                                .           .
 *   terminal    .                        .                                .           .
 *   pivot       .                        .                                the VE's    .
 *   shed        .                        .                                .           the socket to the monitor
 *   settings    .                        .                                .           .
 *   files       .                        .                                .           .
 *   users, copy .                        .                                .           the stream, if there is such work
 *   seal        .                        .                                .           .
 *   account     .                        .                                .           .
 *   confine     .                        .                                .           .
 *   seccomp     .                        .                                .           .
 *   process     (of a jail: process 1 stays behind, see reaper.c; from here on we are its child)
 *   user        as asked                 .                                .           .
 *   exec        .                        .                                .           nothing: it is CLOEXEC
 *
 * Capabilities are all of them, in the VE's user namespace only, up to the exec, which leaves the bounding set that
 * "confine" has made; for another user than root "user" drops them.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "command.h"
#include "confine.h"
#include "mon.h"
#include "mounts.h"
#include "reaper.h"
#include "sys/syscalls.h"
#include "users.h"

static struct identity who;

static int tell(struct mon *m, uint32_t kind, const int *fds, unsigned n, struct failure *f)
{
	struct msg msg = { .kind = kind };
	return msg_send(m->sync, &msg, fds, n) < 0 ? fail(f, "sendmsg", "monitor") : 0;
}

static int await(struct mon *m, uint32_t kind, int *fds, unsigned *n, struct failure *f)
{
	struct msg msg;
	int r = msg_recv(m->sync, &msg, fds, n);
	if (r == 1 && msg.kind == kind)
		return 0;
	if (r == 0)
		errno = EPIPE;
	return fail(f, "recvmsg", "monitor");
}

static int stage_identity(struct mon *m, struct failure *f)
{
	if (await(m, CHILD_MAPPED, NULL, NULL, f) < 0)
		return -1;
	if (setgroups(0, NULL) < 0)
		return fail(f, "setgroups", NULL);
	if (setresgid(0, 0, 0) < 0)
		return fail(f, "setresgid", NULL);
	if (setresuid(0, 0, 0) < 0)
		return fail(f, "setresuid", NULL);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the change of ids may have set it */
	/* The monitor's death is no reason to die; a verb that fails kills us through the cgroup or the pidfd. */
	return setsid() < 0 ? fail(f, "setsid", NULL) : 0;
}

static int stage_cgroup(struct mon *m, struct failure *f)
{
	(void)m;
	if (groups_enter(m, m->blob->tasks, f) < 0)
		return -1;
	return unshare(CLONE_NEWCGROUP) < 0 ? fail(f, "unshare", "cgroup namespace") : 0;
}

/* What CHILD_GO brings: the root, the volumes, and what is the host's. */
static int take_mounts(struct mon *m, struct failure *f)
{
	int fds[1 + BLOB_MAX_VOLUMES + BLOB_MAX_BINDS] = { -1 };
	unsigned n = sizeof(fds) / sizeof(fds[0]);
	const struct blob_mount *b = mon_at(m, m->blob->mounts);
	if (await(m, CHILD_GO, fds, &n, f) < 0)
		return -1;
	for (uint32_t i = 0; i < m->blob->mounts.n; i++)
		m->n_volumes += b[i].kind == BM_VOLUME || b[i].kind == BM_PLAIN;
	m->root_mount = fds[0];
	m->n_binds = n - 1 - m->n_volumes;
	memcpy(m->volumes, fds + 1, m->n_volumes * sizeof(fds[0]));
	memcpy(m->binds, fds + 1 + m->n_volumes, m->n_binds * sizeof(fds[0]));
	return 0;
}

/* The monitor writes the offsets of the namespace that our children would be in, before it lets us go; then we enter it ourselves.
 * On 6.1 exec does not enter it, so that without the setns init alone would stay in the host's time. */
static int stage_clocks(struct mon *m, struct failure *f)
{
	if (unshare(CLONE_NEWTIME) < 0)
		return fail(f, "unshare", "time namespace");
	if (tell(m, CHILD_TIMENS, NULL, 0, f) < 0 || take_mounts(m, f) < 0)
		return -1;
	int ns = open("proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return fail(f, "open", "time_for_children");
	int r = setns(ns, CLONE_NEWTIME);
	close(ns);
	return r < 0 ? fail(f, "setns", "time namespace") : 0;
}

static int stage_root(struct mon *m, struct failure *f)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(f, "mount", "private propagation");
	if ((m->host_root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail(f, "open", "the host's root");
	/* Above the host's root: no directory is needed to hang it on. */
	if (move_mount(m->root_mount, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail(f, "move_mount", "root");
	return fchdir(m->root_mount) < 0 ? fail(f, "fchdir", "root") : 0;
}

static int stage_mounts(struct mon *m, struct failure *f)
{
	return mounts_make(m, m->root_mount, f);
}

/* By the descriptor of our own procfs: where the path /proc leads is for the tree's links to say, which the VE's root made. */
static int put_setting(struct mon *m, const char *path, const char *value, struct failure *f)
{
	errno = -file_poke(m->proc_mount, path, value);
	return errno ? fail(f, "write", path) : 0;
}

/* A new user namespace would give every capability back, and the flags of clone3(2) cannot be filtered. Of the other kinds each
 * costs the host memory of which the VE's limit sees a part only, networks the most: a booted system has a mount namespace
 * for each of its services, and few of the rest. They hold for each id of the VE (the kernel has no others below those
 * that it counts for the owner), and not against SYS_RESOURCE, which only a VE with nesting has. What the filter lets make none
 * needs no bounds: a jail's start is short. */
static int stage_nesting(struct mon *m, struct failure *f)
{
	static const struct {
		const char *path, *most;
	} kinds[] = {
		{ "sys/user/max_net_namespaces", "256" },     { "sys/user/max_mnt_namespaces", "4096" },
		{ "sys/user/max_pid_namespaces", "1024" },    { "sys/user/max_ipc_namespaces", "1024" },
		{ "sys/user/max_uts_namespaces", "1024" },    { "sys/user/max_cgroup_namespaces", "1024" },
		{ "sys/user/max_time_namespaces", "1024" },
	};
	if (!(m->blob->flags & BLOB_NESTING) && put_setting(m, "sys/user/max_user_namespaces", "0", f) < 0)
		return -1;
	if (!(m->blob->flags & BLOB_NAMESPACES))
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (put_setting(m, kinds[i].path, kinds[i].most, f) < 0)
			return -1;
	return 0;
}

/* A new controlling terminal for init is nobody's wish: a system's own getty takes one. */
static int new_terminal(struct mon *m, bool controlling, struct failure *f)
{
	int master, slave;
	if (confine_open_pty(m, m->root_mount, &master, &slave, f) < 0 ||
	    mounts_bind(m->root_mount, slave, "dev/console", f) < 0)
		return -1;
	const int ends[2] = { master, slave };
	if (tell(m, CHILD_CONSOLE, ends, 2, f) < 0)
		return -1;
	return confine_stdio(slave, slave, slave, controlling, f);
}

static int stage_terminal(struct mon *m, struct failure *f)
{
	const struct blob *b = m->blob;
	if (b->flags & BLOB_STDIO)
		return confine_stdio(mon_fd(m, b->fd_stdio[0]), mon_fd(m, b->fd_stdio[1]), mon_fd(m, b->fd_stdio[2]),
				     false, f);
	/* Of a jail's command it becomes the controlling terminal once that has a session of its own: stage_process. */
	return new_terminal(m, b->flags & BLOB_TTY && !(b->flags & BLOB_REAPER), f);
}

static int stage_pivot(struct mon *m, struct failure *f)
{
	if (fchdir(m->root_mount) < 0)
		return fail(f, "fchdir", "root");
	if (sys_pivot_root(".", ".") < 0)
		return fail(f, "pivot_root", "root");
	if (umount2(".", MNT_DETACH) < 0)
		return fail(f, "umount2", "the host's tree");
	return chdir("/") < 0 ? fail(f, "chdir", "/") : 0;
}

/* From here on nothing of the host's is open: only 0, 1, 2 and the socket to the monitor. */
int stage_shed(struct mon *m, struct failure *f)
{
	if (copy_keep_stream(m, f) < 0)
		return -1;
	if (close_range(3, (unsigned)m->sync - 1, 0) < 0 && m->sync > 3)
		return fail(f, "close_range", NULL);
	return close_range((unsigned)m->sync + 1, ~0U, 0) < 0 ? fail(f, "close_range", NULL) : 0;
}

static int loopback_up(struct failure *f)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return fail(f, "socket", "AF_INET");
	int e = ioctl(s, SIOCSIFFLAGS, &r);
	close(s);
	return e < 0 ? fail(f, "ioctl", "lo") : 0;
}

static int stage_settings(struct mon *m, struct failure *f)
{
	const char *host = mon_str(m, m->blob->hostname);
	/* systemd expects that of whoever starts it in a container (it does so itself elsewhere): a service's credentials are mounted in a
	 * namespace of their own, and seen by the service only if they propagate. All peers are the VE's: nothing above is shared. */
	if (m->blob->flags & BLOB_SHARE_MOUNTS && mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		return fail(f, "mount", "shared propagation");
	if (host && sethostname(host, strlen(host)) < 0)
		return fail(f, "sethostname", host);
	return loopback_up(f);
}

static int stage_files(struct mon *m, struct failure *f)
{
	return files_apply(m, f);
}

static int stage_users(struct mon *m, struct failure *f)
{
	return users_run(m, f);
}

static int stage_copy(struct mon *m, struct failure *f)
{
	return copy_run(m, f);
}

/* Not from the start: mounts may lack their directories, and the files of a start are written. It is the mount alone, not the
 * file system below, so that who has SYS_ADMIN in the VE (no jail has) can take it back. */
static int stage_seal(struct mon *m, struct failure *f)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
	if (!(m->blob->flags & BLOB_READ_ONLY))
		return 0;
	return mount_setattr(AT_FDCWD, "/", 0, &a, sizeof(a)) < 0 ? fail(f, "mount_setattr", "/") : 0;
}

static int stage_account(struct mon *m, struct failure *f)
{
	const char *user = mon_str(m, m->blob->user);
	if (!user && !(m->blob->flags & BLOB_ADAPT))
		return 0; /* a system's init: 0:0 without groups, whatever its files say */
	return identity_find(user, &who, f);
}

static int stage_confine(struct mon *m, struct failure *f)
{
	if (confine_limits(m, f) < 0 || confine_keyring(f) < 0)
		return -1;
	return confine_capabilities(m, f);
}

static int stage_seccomp(struct mon *m, struct failure *f)
{
	return confine_seccomp(m, f);
}

static int command_main(void *mon);

/* Here process 1 of a jail goes its own way; the command goes on. */
static int stage_process(struct mon *m, struct failure *f)
{
	return m->blob->flags & BLOB_REAPER ? reaper_become(m, command_main, f) : 0;
}

static int stage_user(struct mon *m, struct failure *f)
{
	if (confine_identity(&who, f) < 0)
		return -1;
	/* The change of ids may have set it, and process 1 has the same memory. */
	if (m->blob->flags & BLOB_REAPER)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return confine_cwd(m, &who, f);
}

static int stage_exec(struct mon *m, struct failure *f)
{
	return command_exec(m, &who, f);
}

static const struct {
	const char *name;
	int (*run)(struct mon *m, struct failure *f);
	bool start; /* not for work inside a stopped VE, which ends when the files are written */
} stages[] = {
	{ "identity", stage_identity, false }, { "cgroup", stage_cgroup, false },   { "clocks", stage_clocks, false },
	{ "root", stage_root, false },	       { "mounts", stage_mounts, false },   { "nesting", stage_nesting, true },
	{ "terminal", stage_terminal, true },  { "pivot", stage_pivot, false },	    { "shed", stage_shed, false },
	{ "settings", stage_settings, true },  { "files", stage_files, false },	    { "users", stage_users, false },
	{ "copy", stage_copy, false },	       { "seal", stage_seal, true },	    { "account", stage_account, true },
	{ "confine", stage_confine, true },    { "seccomp", stage_seccomp, true },  { "process", stage_process, true },
	{ "user", stage_user, true },	       { "exec", stage_exec, true },
};
enum { N_STAGES = sizeof(stages) / sizeof(stages[0]), PAST_PROCESS = N_STAGES - 2 };

void stages_print(void)
{
	for (unsigned i = 0; i < N_STAGES; i++)
		dprintf(1, "%s\n", stages[i].name);
}

static int run_stages(struct mon *m, unsigned from)
{
	for (unsigned i = from; i < N_STAGES; i++) {
		struct failure f = { 0 };
		if (stages[i].start && m->blob->role == MON_WORK)
			continue;
		if (fault_here(m, stages[i].name, &f) == 0 && stages[i].run(m, &f) == 0)
			continue;
		/* The record goes out in the child's own words; the parent makes the sentence. */
		msg_failed(m->sync, stages[i].name, &f);
		return 1;
	}
	return 0;
}

/* A jail's command. Its session is its own, so that what the keys of a terminal send comes to it once, and not from process 1 too. */
static int command_main(void *mon)
{
	struct mon *m = mon;
	struct failure f = { 0 };
	if (setsid() < 0)
		fail(&f, "setsid", NULL);
	else if (m->blob->flags & BLOB_TTY && ioctl(0, TIOCSCTTY, 0) < 0)
		fail(&f, "ioctl", "TIOCSCTTY");
	else
		return run_stages(m, PAST_PROCESS);
	msg_failed(m->sync, "process", &f);
	return 1;
}

int child_main(struct mon *m)
{
	prctl(PR_SET_NAME, "vectl-init");
	return run_stages(m, 0);
}
