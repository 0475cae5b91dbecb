/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/supervision.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "run/account.h"
#include "run/diskfull.h"
#include "run/join.h"
#include "run/launch.h"

enum { DEADLINE_MS = 20000 };

/* Through the descriptor: the path of a unix socket has 108 bytes, a store's root may have more. */
static struct sockaddr_un address_of(int dir_fd, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
	return a;
}

int supervision_connect(int dir_fd, const char *name, int type)
{
	const struct sockaddr_un a = address_of(dir_fd, name);
	_cleanup_close_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return steal_fd(&fd);
}

int supervision_bind(int dir_fd, const char *name, int type, unsigned mode, int *ret_fd)
{
	const struct sockaddr_un a = address_of(dir_fd, name);
	_cleanup_close_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	unlinkat(dir_fd, name, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || fchmodat(dir_fd, name, mode, 0) < 0)
		return -errno;
	if (type != SOCK_DGRAM && listen(fd, 4) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int supervision_adopt(struct ve *v, const struct record *rec, pid_t *ret_monitor, ve_error **ret_error)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	_cleanup_close_ int console = -1, notify = -1, traffic = account_open(v->ctx->store, v->uuid, false);
	struct spawn s = { .control = -1 };
	struct msg started;
	struct cg_watched watched[CG_WATCHED_MAX];
	struct diskfull_gauges gauges = { .n = 0 };
	_cleanup_config_ struct config *running = NULL;
	struct cg *cg = NULL;
	unsigned n_watched = 0;
	int r = supervision_bind(v->run_fd, "console.sock", SOCK_SEQPACKET, 0600, &console);
	_cleanup_close_ int dir = file_opendir(v->run_fd, "notify");
	if (r == 0 && dir >= 0)
		r = supervision_bind(dir, "socket", SOCK_DGRAM, 0666, &notify);
	if (r < 0)
		return err_sys(ret_error, -r, "recover", "cannot make the sockets of '%s'", v->name);
	r = ctx_cgroups(v->ctx, ret_error);
	if (r < 0)
		return r;
	blobber_init(&b, MON_ADOPT);
	launch_freeze_supervision(&b, v, console, notify, traffic, false);
	b.head.init_pid = (uint32_t)rec->init_pid;
	if (cg_open(v->ctx->cg, handle_place(v).path, &cg, NULL) == 0)
		launch_freeze_watched(&b, cg, watched, &n_watched);
	cg_free(cg);
	if (handle_running_config(v, &running, NULL) == 0)
		diskfull_freeze(&b, v, running, NULL, &gauges);
	r = launch_freeze_monitor_groups(&b, v->ctx->cg, ret_error);
	if (r == 0)
		r = join_spawn(v, &b, &s, ret_error);
	if (r == 0)
		r = spawn_expect(&s, MSG_STARTED, DEADLINE_MS, &started, NULL, NULL, ret_error);
	spawn_close(&s);
	for (unsigned i = 0; i < n_watched; i++)
		close_fd(&watched[i].fd);
	diskfull_close(&gauges);
	if (r == 0)
		*ret_monitor = started.status;
	return r;
}
