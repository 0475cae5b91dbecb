/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/guard.h"
#include "base/str.h"
#include "sys/syscalls.h"

static const char stage[] = "program";
#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- before the child: all that allocates ----------------------------------------------------------- */

struct prepared {
	char *path;
	char **env;
};

static int find(const struct program *p, char **ret_path, ve_error **ret_error)
{
	const char *name = p->argv[0];
	_cleanup_strv_ char **dirs = strv_split(SEARCH_PATH, ":");
	if (!dirs)
		return err_nomem(ret_error);
	for (char **dir = dirs; *dir; dir++) {
		_cleanup_free_ char *path = name[0] == '/' ? strdup(name) : str_printf("%s/%s", *dir, name);
		if (!path)
			return err_nomem(ret_error);
		if (access(path, X_OK) == 0) {
			*ret_path = steal_ptr(&path);
			return 0;
		}
	}
	int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, stage, "the program '%s' is not installed", name);
	if (p->package)
		err_hint(ret_error, "install the package: apt install %s", p->package);
	return r;
}

static int prepare(const struct program *p, struct prepared *ret, ve_error **ret_error)
{
	static const char *const base[] = { "PATH=" SEARCH_PATH, "HOME=/root", "LC_ALL=C.UTF-8" };
	_cleanup_strv_ char **env = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		if (strv_add(&env, base[i]) < 0)
			return err_nomem(ret_error);
	for (const char *const *e = p->env; e && *e; e++)
		if (strv_add(&env, *e) < 0)
			return err_nomem(ret_error);
	int r = find(p, &ret->path, ret_error);
	if (r == 0)
		ret->env = steal_ptr(&env);
	return r;
}

/* ---- the child -------------------------------------------------------------------------------------- */

/* We are host root, pid 1 of a new pid namespace, in a copy of the caller's mounts. What fails is told on the
 * pipe that is our standard error: the parent shows it as the program's last words. */
static _Noreturn void child_fail(const char *words, size_t size)
{
	(void)!write(2, words, size);
	_exit(125);
}
#define CHILD_FAIL(words) child_fail(words "\n", sizeof(words))

static _Noreturn void child(const struct program *p, const struct prepared *prepared, int null_fd,
			    const int pipe_fds[2])
{
	sigset_t none;
	sigemptyset(&none);
	int out_fd = pipe_fds[1];
	if (dup2(null_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0)
		_exit(125);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A caller that died before this line gave no signal; but then, without our copy, the pipe has no reader. */
	struct pollfd reader = { .fd = out_fd };
	close(pipe_fds[0]);
	if (poll(&reader, 1, 0) != 0)
		_exit(125);
	syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		CHILD_FAIL("E: cannot make the mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		CHILD_FAIL("E: cannot mount /proc");
	setsid();
	umask(022);
	if (chdir("/") < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(125);
	execve(prepared->path, (char *const *)p->argv, prepared->env);
	CHILD_FAIL("E: cannot execute the program");
}

static int spawn(const struct program *p, const struct prepared *prepared, int null_fd, const int pipe_fds[2])
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	int pid = sys_clone3(&args);
	if (pid == 0)
		child(p, prepared, null_fd, pipe_fds);
	return pid < 0 ? -errno : pid;
}

/* ---- watching --------------------------------------------------------------------------------------- */

struct lines {
	char buf[PROGRAM_LINE_MAX + 1];
	size_t n;
};

static void flush_line(struct lines *l, const struct program *p)
{
	l->buf[l->n] = '\0';
	if (l->n > 0 && p->line)
		p->line(l->buf, p->data);
	l->n = 0;
}

/* Progress bars end their lines with a carriage return. NUL bytes would hide the rest of a line. */
static void feed(struct lines *l, const struct program *p, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\n' || data[i] == '\r' || l->n == PROGRAM_LINE_MAX)
			flush_line(l, p);
		if (data[i] != '\n' && data[i] != '\r' && data[i] != '\0')
			l->buf[l->n++] = data[i];
	}
}

/* Until end of file: then no process of the namespace is left, or none that could still say something. */
static int read_output(int fd, const struct program *p)
{
	_cleanup_free_ struct lines *l = calloc(1, sizeof(*l));
	char data[4096];
	if (!l)
		return -ENOMEM;
	for (;;) {
		struct pollfd polled[] = { { .fd = fd, .events = POLLIN },
					   { .fd = p->cancel_fd, .events = POLLIN } };
		if (poll(polled, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (polled[1].revents)
			return -EINTR;
		ssize_t n = read(fd, data, sizeof(data));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			feed(l, p, data, (size_t)n);
	}
	flush_line(l, p);
	return 0;
}

static int reap(int pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 125; /* the caller reaps all children itself: the status is lost */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_prepared(const struct program *p, const struct prepared *prepared, int *ret_status,
			ve_error **ret_error)
{
	int fds[2];
	_cleanup_close_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(ret_error, errno, stage, "cannot start '%s'", p->argv[0]);
	_cleanup_close_ int in = fds[0], out = fds[1];
	int pid = spawn(p, prepared, null_fd, fds);
	if (pid < 0)
		return err_sys(ret_error, -pid, stage, "cannot start '%s'", p->argv[0]);
	close_fd(&out);
	int r = read_output(in, p);
	/* It is our child and not reaped yet, so the pid is its own; its namespaces die with it. */
	if (r < 0)
		kill(pid, SIGKILL);
	int status = reap(pid);
	if (r == -EINTR)
		return err_plain(ret_error, VE_ERR_BUSY, EINTR, stage, "interrupted while '%s' ran", p->argv[0]);
	if (r < 0)
		return err_sys(ret_error, -r, stage, "cannot read the output of '%s'", p->argv[0]);
	*ret_status = status;
	return 0;
}

int program_run(const struct program *p, int *ret_status, ve_error **ret_error)
{
	struct prepared prepared = {};
	int r = prepare(p, &prepared, ret_error);
	if (r == 0)
		r = run_prepared(p, &prepared, ret_status, ret_error);
	free(prepared.path);
	strv_free(prepared.env);
	return r;
}
