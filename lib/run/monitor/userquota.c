/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who asks is hostile. He may be killed at any moment, so that his process id is another's: what is read through /proc is his
 * only if he still waits after it was opened (SECCOMP_IOCTL_NOTIF_ID_VALID), and his memory is written through a descriptor that
 * was opened before that. His threads may change that memory: it is read once. What he names is compared with the one name
 * that there is, and never looked up. Where his memory is a file of a file system in user space that does not answer, we wait
 * with him, and so does whoever asks next in this VE, until that is cut off: at the latest with the VE's end.
 */
#include "userquota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"
#include "pace.h"
#include "quotacall.h"

enum { LISTENERS_MAX = 256, DEVICE_SIZE = 32, NOTIF_ROOM = 512 };

struct server {
	const struct mon *m;
	const char *device;
	int fs;
	struct stat userns; /* the VE's */
	int listeners[LISTENERS_MAX];
	unsigned n;
	struct pace pace;
};

/* Who asks, while he waits. */
struct asker {
	struct quotacall_caller caller;
	int mem;
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* In his own user namespace. */
static bool has_admin(pid_t pid)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = pid };
	struct __user_cap_data_struct d[2];
	return syscall(SYS_capget, &h, d) == 0 && d[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

static bool read_ids(int dir, struct quotacall_caller *c)
{
	char status[QUOTACALL_STATUS_SIZE];
	int fd = openat(dir, "status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, status, sizeof(status) - 1) : -1;
	close(fd);
	status[n > 0 ? n : 0] = '\0';
	return quotacall_read_status(status, c);
}

/* 0 or -errno. */
static int look_at(const struct server *s, int listener, const struct seccomp_notif *n, struct asker *ret)
{
	char path[32];
	struct stat userns;
	snprintf(path, sizeof(path), "/proc/%u", n->pid);
	int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ret->mem = dir >= 0 ? openat(dir, "mem", O_RDWR | O_CLOEXEC) : -1;
	bool known = ret->mem >= 0 && read_ids(dir, &ret->caller);
	ret->caller.in_ve = known && fstatat(dir, "ns/user", &userns, 0) == 0 && same_file(&userns, &s->userns);
	ret->caller.admin = has_admin((pid_t)n->pid);
	close(dir);
	if (known && ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n->id) == 0)
		return 0;
	close(ret->mem);
	return -EPERM;
}

/* As the kernel does with Q_SYNC, none names them all. */
static int check_device(const struct server *s, const struct quotacall *q, int mem, uint64_t at)
{
	char name[DEVICE_SIZE + 1];
	if (!at)
		return q->command->number == Q_SYNC ? 0 : -ENODEV;
	ssize_t n = pread(mem, name, DEVICE_SIZE, (off_t)at);
	if (n <= 0)
		return -EFAULT;
	name[n] = '\0';
	return strcmp(name, s->device) == 0 ? 0 : -ENODEV;
}

/* What is in use is counted by the kernel, and nobody's to say. */
static bool changes_usage(const struct quotacall *q, const union quotacall_data *d)
{
	return q->command->number == Q_SETQUOTA && d->limits.dqb_valid & QIF_USAGE;
}

/* On disk the ids are those inside, and of us the kernel expects them as they are on disk. */
static int ask_kernel(const struct server *s, const struct quotacall *q, union quotacall_data *d)
{
	uint32_t n_ids = s->m->blob->id_count;
	if (syscall(SYS_quotactl_fd, s->fs, QCMD(q->command->number, q->type), q->id, d) < 0)
		return -errno;
	return q->command->number == Q_GETNEXTQUOTA && d->next.dqb_id >= n_ids ? -ESRCH : 0;
}

static int transact(const struct server *s, const struct quotacall *q, int mem, uint64_t at)
{
	union quotacall_data d = { 0 };
	if (q->command->in && pread(mem, &d, q->command->in, (off_t)at) != (ssize_t)q->command->in)
		return -EFAULT;
	if (changes_usage(q, &d))
		return -EPERM;
	int r = ask_kernel(s, q, &d);
	if (r == 0 && q->command->out && pwrite(mem, &d, q->command->out, (off_t)at) != (ssize_t)q->command->out)
		return -EFAULT;
	return r;
}

static int answer(const struct server *s, int listener, const struct seccomp_notif *n)
{
	struct quotacall q;
	struct asker asker;
	/* 32-bit programs have these structures in another layout. */
	if (n->data.arch != AUDIT_ARCH_X86_64)
		return -EPERM;
	int r = quotacall_parse((uint32_t)n->data.args[0], (uint32_t)n->data.args[2], s->m->blob->id_count, &q);
	if (r == 0)
		r = look_at(s, listener, n, &asker);
	if (r < 0)
		return r;
	r = check_device(s, &q, asker.mem, n->data.args[1]);
	if (r == 0)
		r = quotacall_check(&q, &asker.caller, s->m->blob->id_base);
	if (r == 0)
		r = transact(s, &q, asker.mem, n->data.args[3]);
	close(asker.mem);
	return r;
}

/* A newer kernel's structures may be longer: it reads and writes as much as it thinks fit. */
static bool has_room(void)
{
	struct seccomp_notif_sizes sizes;
	return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 && sizes.seccomp_notif <= NOTIF_ROOM &&
	       sizes.seccomp_notif_resp <= NOTIF_ROOM;
}

static void serve(const struct server *s, int listener)
{
	union {
		struct seccomp_notif n;
		char room[NOTIF_ROOM];
	} asked;
	union {
		struct seccomp_notif_resp r;
		char room[NOTIF_ROOM];
	} said;
	memset(&asked, 0, sizeof(asked));
	memset(&said, 0, sizeof(said));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return; /* he was killed in the meantime */
	said.r.id = asked.n.id;
	said.r.error = answer(s, listener, &asked.n);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &said); /* likewise */
}

static void drop(struct server *s, unsigned i)
{
	close(s->listeners[i]);
	s->listeners[i] = s->listeners[--s->n];
}

static void take_in(struct server *s, int listener)
{
	if (listener >= 0 && s->n < LISTENERS_MAX)
		s->listeners[s->n++] = listener;
	else
		close(listener);
}

enum { P_INIT, P_SOCKET, P_LISTENERS, P_COUNT = P_LISTENERS + LISTENERS_MAX };

static void serve_all(struct server *s, const struct pollfd p[P_COUNT])
{
	for (unsigned i = s->n; i-- > 0;) {
		if (p[P_LISTENERS + i].revents & POLLIN) {
			s->pace.turns++;
			serve(s, s->listeners[i]);
		} else if (p[P_LISTENERS + i].revents) {
			drop(s, i); /* the last process of that filter has ended */
		}
	}
}

/* Until init has ended. */
static void watch(struct server *s)
{
	static struct pollfd p[P_COUNT];
	for (;;) {
		int pause_ms = pace_left(&s->pace);
		p[P_INIT] = (struct pollfd){ .fd = s->m->pidfd, .events = POLLIN };
		p[P_SOCKET] = (struct pollfd){ .fd = mon_fd(s->m, s->m->blob->fd_quota), .events = POLLIN };
		for (unsigned i = 0; i < s->n; i++)
			p[P_LISTENERS + i] = (struct pollfd){ .fd = pause_ms ? -1 : s->listeners[i], .events = POLLIN };
		if (poll(p, P_LISTENERS + s->n, pause_ms ? pause_ms : -1) < 0)
			continue;
		if (p[P_INIT].revents)
			return;
		serve_all(s, p);
		if (p[P_SOCKET].revents)
			take_in(s, msg_recv_fd(p[P_SOCKET].fd));
	}
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* What the monitor has besides is not ours; who waits for the end of a pipe or a socket of it waits for the monitor's end alone. */
static void close_all_but(const int *fds, unsigned n)
{
	int sorted[8], from = 0;
	memcpy(sorted, fds, n * sizeof(fds[0]));
	qsort(sorted, n, sizeof(sorted[0]), ascending);
	for (unsigned i = 0; i < n; i++) {
		if (sorted[i] > from)
			close_range((unsigned)from, (unsigned)sorted[i] - 1, 0);
		from = sorted[i] + 1;
	}
	close_range((unsigned)from, ~0U, 0);
}

static int serve_main(struct server *s)
{
	const int kept[] = { s->fs, s->listeners[0], s->m->pidfd, mon_fd(s->m, s->m->blob->fd_quota) };
	prctl(PR_SET_NAME, "vectl-quota");
	close_all_but(kept, sizeof(kept) / sizeof(kept[0]));
	if (confine_to_quotas() < 0)
		return 1;
	watch(s);
	return 0;
}

void userquota_begin(struct mon *m)
{
	struct server s = { .m = m, .device = mon_str(m, m->blob->quota_device), .fs = mon_fd(m, m->blob->fd_quota_fs), .n = 1 };
	char path[64];
	if (m->listener < 0)
		return;
	s.listeners[0] = m->listener;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)m->child);
	if (s.device && s.fs >= 0 && has_room() && stat(path, &s.userns) == 0 && fork() == 0)
		_exit(serve_main(&s));
	close(m->listener);
	m->listener = -1;
}

void userquota_hand_on(const struct mon *m, int listener)
{
	struct msg msg = { .kind = CHILD_LISTENER };
	if (mon_fd(m, m->blob->fd_quota) >= 0)
		msg_send(mon_fd(m, m->blob->fd_quota), &msg, &listener, 1);
	close(listener);
}
