/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "base/tail.h"

enum { FIRST_FD = 3, OUT_OF_THE_WAY = 10 };

/* What a process has written so far, a reflink not counted. */
static uint64_t written_by(pid_t pid)
{
	char path[48], text[512];
	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	const char *at = strstr(text, "wchar: ");
	return at ? strtoull(at + strlen("wchar: "), NULL, 10) : 0;
}

/* Until there is something to read. Returns whether the program may go on. */
static bool await_words(int fd, pid_t pid, const struct storage_watch *w)
{
	enum { TICK_MS = 1000 };
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = w ? w->cancel_fd : -1, .events = POLLIN } };
	while (poll(p, 2, w ? TICK_MS : -1) <= 0)
		if (w && w->progress)
			w->progress(written_by(pid), w->total, w->data);
	return !p[1].revents;
}

/* Returns 0, or -EINTR: it was killed, as the caller wants. */
static int read_words(int fd, pid_t pid, const struct storage_watch *w, char words[TOOL_WORDS_MAX])
{
	struct tail tail = { .text = words, .size = TOOL_WORDS_MAX };
	char piece[512];
	int r = 0;
	for (;;) {
		if (r == 0 && !await_words(fd, pid, w)) {
			kill(-pid, SIGKILL); /* not reaped yet: the group is its own */
			r = -EINTR;
		}
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		tail_add(&tail, piece, (size_t)n);
	}
	tail_finish(&tail);
	return r;
}

static int spawn(const struct tool *t, int out, pid_t *ret_pid)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
					   /* Its defaults must be ours, on every host. */
					   "MKE2FS_CONFIG=/dev/null", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int copies[TOOL_MAX_FDS] = { -1, -1 }, e = 0;
	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	/* Not of our terminal's foreground group: an interrupt is for us, who take back what is half done. */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	/* Above their future names first, so that no dup2 overwrites the source of another. */
	for (unsigned i = 0; i < t->n_fds && !e; i++) {
		copies[i] = fcntl(t->fds[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
		e = copies[i] < 0 ? errno : posix_spawn_file_actions_adddup2(&actions, copies[i], FIRST_FD + (int)i);
	}
	if (!e)
		e = posix_spawnp(ret_pid, t->argv[0], &actions, &attr, (char *const *)t->argv, (char *const *)env);
	for (unsigned i = 0; i < t->n_fds; i++)
		close_fd(&copies[i]);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return e;
}

int tool_run(const struct tool *t, int *ret_status, char ret_words[TOOL_WORDS_MAX], ve_error **ret_error)
{
	int ends[2], status, r = 0;
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(ret_error, errno, "storage", "cannot make a pipe for '%s'", t->argv[0]);
	int e = spawn(t, ends[1], &pid);
	close(ends[1]);
	if (!e)
		r = read_words(ends[0], pid, t->watch, ret_words);
	close(ends[0]);
	if (e == ENOENT) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "storage", "the program '%s' is not there", t->argv[0]);
		err_hint(ret_error, "apt-get install %s", t->package);
		return r;
	}
	if (e)
		return err_sys(ret_error, e, "storage", "cannot run '%s'", t->argv[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(ret_error, errno, "storage", "cannot wait for '%s'", t->argv[0]);
	if (r < 0)
		return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted while '%s' ran", t->argv[0]);
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}
