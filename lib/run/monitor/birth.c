/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor's side of a start: what must be done as the host's root between the plan and the VE's init.
 *
 *   monitor                                  child                       libve
 *   groups    into vectl/.monitor
 *   clone     as the VE's owner         ->   waits
 *   maps      uid_map, gid_map          ->   identity, clocks       ->   MSG_CLONED: links into the netns
 *   layers    idmapped, overlay              (at the same time)          (at the same time)
 *   binds     the host's directories for it
 *   clocks    timens_offsets
 *   links     waits for                                             <-   MSG_GO
 *   init      CHILD_GO with the root    ->   root ... exec
 *             CHILD_EXEC and end of file, or the record
 *   commit    MSG_STARTED                                           ->   writes the running record
 *             MSG_COMMIT                                            <-
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "binds.h"
#include "initramfs.h"
#include "mon.h"
#include "owner.h"
#include "sys/syscalls.h"

/* A single-threaded process that writes "0" into "tasks" moves itself without the kernel's global lock: writing its pid from
 * outside would cost a grace period. */
int groups_enter(const struct mon *m, struct blob_vec tasks, struct failure *f)
{
	const int32_t *index = mon_at(m, tasks);
	for (uint32_t i = 0; i < tasks.n; i++)
		if (write(mon_fd(m, index[i]), "0", 1) < 0)
			return fail(f, "write", "tasks");
	return 0;
}

static int step_groups(struct mon *m, struct failure *f)
{
	supervise_prepare(m);
	return groups_enter(m, m->blob->monitor_tasks, f);
}

static int step_clone(struct mon *m, struct failure *f)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(f, "socketpair", NULL);
	/* The child needs its end under the name sync; until then it is in no one's hands but ours. */
	m->sync = pair[1];
	int home, r = initramfs_cover(&home, f);
	if (r == 0)
		r = owner_clone(m, child_main, f);
	struct failure back = { 0 };
	if (initramfs_uncover(home, &back) < 0 && r == 0) {
		*f = back;
		r = -1;
	}
	close(pair[1]);
	copy_forget_stream(m);
	m->sync = pair[0];
	return r;
}

static int open_ns(const struct mon *m, const char *ns, struct failure *f)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)m->child, ns);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? fail(f, "open", "namespace") : fd;
}

static int to_child(struct mon *m, uint32_t kind, const int *fds, unsigned n, struct failure *f)
{
	struct msg msg = { .kind = kind };
	if (msg_send(m->sync, &msg, fds, n) == 0)
		return 0;
	return errno == EPIPE ? reap_early(m, false, f) : fail(f, "sendmsg", "child");
}

static int step_maps(struct mon *m, struct failure *f)
{
	if (maps_write(m, f) < 0)
		return -1;
	int fds[2] = { m->pidfd, open_ns(m, "net", f) };
	if (fds[1] < 0)
		return -1;
	struct msg msg = { .kind = MSG_CLONED, .pid = m->child, .status = getpid() };
	int r = msg_send(m->control, &msg, fds, 2);
	close(fds[1]);
	return r < 0 ? fail(f, "sendmsg", "libve") : to_child(m, CHILD_MAPPED, NULL, 0, f);
}

static int step_layers(struct mon *m, struct failure *f)
{
	/* The mounts of a jail end with us, not with its init: the kernel takes them apart while libve, which knows of the end by
	 * then, takes the groups apart. */
	if (m->blob->flags & BLOB_REPORT_END && open_ns(m, "mnt", f) < 0)
		return -1;
	int userns = open_ns(m, "user", f);
	if (userns < 0)
		return -1;
	int r = layers_open(m, userns, f);
	close(userns);
	return r;
}

static int step_binds(struct mon *m, struct failure *f)
{
	if (!binds_wanted(m))
		return 0;
	int userns = open_ns(m, "user", f);
	if (userns < 0)
		return -1;
	int r = binds_open(m, userns, f);
	close(userns);
	return r;
}

/* Waits for the next message from SOCK, while the other end must stay alive: the verb that is killed takes
 * what it began with it. Returns 1, 0 at the child's end of file, -1. */
static int wait_message(struct mon *m, int sock, struct msg *msg, int *fds, unsigned *n_fds, struct failure *f)
{
	struct pollfd p[2] = { { .fd = sock, .events = POLLIN }, { .fd = m->control, .events = POLLRDHUP } };
	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (!(p[0].revents & POLLIN) && p[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
		errno = EPIPE;
		return fail(f, "poll", "the verb went away");
	}
	int r = msg_recv(sock, msg, fds, n_fds);
	if (r < 0)
		fail(f, "recvmsg", NULL);
	if (r == 0 && sock == m->control) {
		errno = EPIPE;
		return fail(f, "recvmsg", "the verb went away");
	}
	return r;
}

/* The child's next word, which must be KIND; its failure is handed on as it came. Returns 1, or 0 at its end of file. */
static int from_child(struct mon *m, uint32_t kind, struct failure *f)
{
	for (;;) {
		struct msg msg;
		int fds[2] = { -1, -1 };
		unsigned n = 2;
		int r = wait_message(m, m->sync, &msg, fds, &n, f);
		if (r <= 0)
			return r;
		if (msg.kind == CHILD_CONSOLE) {
			m->console = fds[0];
			m->console_slave = fds[1];
		} else if (msg.kind == CHILD_LISTENER) {
			m->listener = fds[0];
		} else if (msg.kind == CHILD_FAULT) {
			kill(m->verb, SIGKILL);
		} else if (msg.kind == CHILD_EXEC) {
			m->exec_tried = true;
			m->tried = msg;
		} else if (msg.kind == MSG_FAILED) {
			m->relayed = true;
			msg_send(m->control, &msg, NULL, 0);
			return -1;
		} else if (msg.kind == kind) {
			return 1;
		} else {
			errno = EBADMSG;
			return fail(f, "recvmsg", "child");
		}
	}
}

static int step_clocks(struct mon *m, struct failure *f)
{
	int r = from_child(m, CHILD_TIMENS, f);
	if (r <= 0)
		return r == 0 ? reap_early(m, false, f) : -1;
	return timens_write(m, f);
}

static int step_links(struct mon *m, struct failure *f)
{
	struct msg msg;
	if (wait_message(m, m->control, &msg, NULL, NULL, f) <= 0)
		return -1;
	if (msg.kind == MSG_GO)
		return 0;
	errno = EBADMSG;
	return fail(f, "recvmsg", "libve");
}

static int step_init(struct mon *m, struct failure *f)
{
	int fds[1 + BLOB_MAX_VOLUMES + BLOB_MAX_BINDS] = { m->root_mount };
	memcpy(fds + 1, m->volumes, m->n_volumes * sizeof(fds[0]));
	memcpy(fds + 1 + m->n_volumes, m->binds, m->n_binds * sizeof(fds[0]));
	if (to_child(m, CHILD_GO, fds, 1 + m->n_volumes + m->n_binds, f) < 0)
		return -1;
	close(m->root_mount);
	m->root_mount = -1;
	layers_close(m);
	binds_close(m);
	if (from_child(m, 0, f) < 0)
		return -1;
	return m->exec_tried ? 0 : reap_early(m, m->blob->role == MON_WORK, f);
}

static int step_commit(struct mon *m, struct failure *f)
{
	struct msg msg = { .kind = MSG_STARTED, .pid = m->child, .status = m->tried.status };
	memcpy(msg.object, m->tried.object, sizeof(msg.object));
	bool handed_over = m->console >= 0 && m->blob->flags & BLOB_TTY;
	if (msg_send(m->control, &msg, &m->console, handed_over ? 1 : 0) < 0)
		return fail(f, "sendmsg", "libve");
	if (handed_over) {
		/* The terminal hangs up with the caller, and the caller sees the command close it: no end stays here. */
		close(m->console);
		close(m->console_slave);
		m->console = m->console_slave = -1;
	}
	if (m->blob->role == MON_WORK)
		return 0;
	if (wait_message(m, m->control, &msg, NULL, NULL, f) <= 0)
		return -1;
	if (msg.kind == MSG_COMMIT)
		return 0;
	errno = EBADMSG;
	return fail(f, "recvmsg", "libve");
}

static const struct {
	const char *name;
	int (*run)(struct mon *m, struct failure *f);
} steps[] = {
	{ "groups", step_groups }, { "clone", step_clone }, { "maps", step_maps }, { "layers", step_layers },
	{ "binds", step_binds },
	{ "timens", step_clocks }, { "links", step_links }, { "init", step_init }, { "commit", step_commit },
};
enum { N_STEPS = sizeof(steps) / sizeof(steps[0]) };

void steps_print(void)
{
	for (unsigned i = 0; i < N_STEPS; i++)
		dprintf(1, "%s\n", steps[i].name);
}

int birth(struct mon *m)
{
	for (unsigned i = 0; i < N_STEPS; i++) {
		struct failure f = { 0 };
		if (fault_here(m, steps[i].name, &f) == 0 && steps[i].run(m, &f) == 0)
			continue;
		/* First the end of the child, then the word: who hears it may take away its groups at once. */
		reap_kill(m);
		reap_relay(m);
		if (!m->relayed)
			msg_failed(m->control, steps[i].name, &f);
		return -1;
	}
	return 0;
}
