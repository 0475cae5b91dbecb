/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/hookproc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/tail.h"
#include "sys/syscalls.h"

static const char stage[] = "hook";

/* OUT_OF_THE_WAY: of 0, 1 and 2, which a careless caller may have closed. */
enum { OUT_OF_THE_WAY = 10, DEATH_MS = 5000, LAST_PIECES = 32 };

struct ends {
	int in, out, said, why; /* for the child: 0, 1 and 2; for us: what it says, and why its exec failed */
	int why_out;
};

/* ---- the child: nothing but system calls ------------------------------------------------------------------------ */

static _Noreturn void child(const struct hookproc *p, const struct ends *e, pid_t parent)
{
	char *const argv[] = { (char *)p->path, NULL };
	sigset_t none;
	sigemptyset(&none);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sys_default_signals(); /* CLONE_CLEAR_SIGHAND leaves what is ignored */
	umask(022);
	if (getppid() == parent && setsid() >= 0 && dup2(e->in, 0) >= 0 && dup2(e->out, 1) >= 0 && dup2(e->out, 2) >= 0 &&
	    chdir("/") == 0 && syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0)
		execve(p->path, argv, (char *const *)p->env);
	int why = errno;
	(void)!write(e->why_out, &why, sizeof(why));
	_exit(127);
}

/* ---- its parent ------------------------------------------------------------------------------------------------- */

static int move_up(int *fd)
{
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	close_fd(fd);
	*fd = up;
	return up;
}

static int open_ends(const struct hookproc *p, struct ends *e)
{
	int said[2], why[2];
	if (pipe2(said, O_CLOEXEC) < 0)
		return -errno;
	e->said = said[0];
	e->out = said[1];
	if (pipe2(why, O_CLOEXEC) < 0)
		return -errno;
	e->why = why[0];
	e->why_out = why[1];
	e->in = fcntl(p->in_fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	if (e->in < 0 || move_up(&e->out) < 0 || move_up(&e->why_out) < 0)
		return -errno;
	return fcntl(e->said, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static void close_ends(struct ends *e)
{
	close_fd(&e->in);
	close_fd(&e->out);
	close_fd(&e->said);
	close_fd(&e->why);
	close_fd(&e->why_out);
}

static int spawn(const struct hookproc *p, const struct ends *e, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_CLEAR_SIGHAND | CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
	};
	pid_t parent = getpid();
	int pid = sys_clone3(&args);
	if (pid == 0)
		child(p, e, parent);
	return pid < 0 ? -errno : pid;
}

/* 1: something came, 0: nothing more for now, -1: never again. */
static int hear(int fd, struct tail *t)
{
	char piece[4096];
	ssize_t n = read(fd, piece, sizeof(piece));
	if (n > 0)
		tail_add(t, piece, (size_t)n);
	return n > 0 ? 1 : n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static void watch(const struct hookproc *p, int pidfd, int said, struct tail *t, struct hookproc_end *end)
{
	int64_t until = clock_ms() + p->deadline_ms;
	for (;;) {
		int64_t left = until - clock_ms();
		struct pollfd polled[] = { { .fd = pidfd, .events = POLLIN }, { .fd = said, .events = POLLIN },
					   { .fd = p->cancel_fd, .events = POLLIN } };
		poll(polled, 3, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
		if (polled[0].revents)
			return;
		if (polled[1].revents && hear(said, t) < 0)
			said = -1;
		end->cancelled = polled[2].revents;
		end->late = clock_ms() >= until;
		if (end->cancelled || end->late)
			return;
	}
}

/* Its group has its number for as long as it is not reaped, so that nobody else is meant. One that hangs in the kernel
 * is not waited for. */
static int end_group(int pid, int pidfd)
{
	struct pollfd polled = { .fd = pidfd, .events = POLLIN };
	int status;
	kill(-pid, SIGKILL);
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	if (poll(&polled, 1, DEATH_MS) <= 0)
		return 128 + SIGKILL;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 125; /* the caller reaps all children itself: the status is lost */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* 0, or why the program could not be executed. */
static int exec_error(int fd)
{
	int why = 0;
	ssize_t n;
	do
		n = read(fd, &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	return n == sizeof(why) ? (why ? why : ECHILD) : 0;
}

int hookproc_run(const struct hookproc *p, struct hookproc_end *ret_end, ve_error **ret_error)
{
	struct ends e = { -1, -1, -1, -1, -1 };
	_cleanup_close_ int pidfd = -1;
	struct hookproc_end end = { 0 };
	struct tail tail = { .text = end.words, .size = sizeof(end.words) };
	int r = open_ends(p, &e), pid = r < 0 ? r : spawn(p, &e, &pidfd);
	close_fd(&e.in);
	close_fd(&e.out);
	close_fd(&e.why_out);
	if (pid < 0) {
		close_ends(&e);
		return err_sys(ret_error, -pid, stage, "cannot start '%s'", p->path);
	}
	int why = exec_error(e.why);
	if (!why)
		watch(p, pidfd, e.said, &tail, &end);
	end.status = end_group(pid, pidfd);
	/* What it started and put elsewhere may still write: not for ever. */
	for (int i = 0; i < LAST_PIECES && hear(e.said, &tail) > 0; i++)
		;
	close_ends(&e);
	if (why)
		return err_sys(ret_error, why, stage, "cannot execute '%s'", p->path);
	tail_finish(&tail);
	*ret_end = end;
	return 0;
}
