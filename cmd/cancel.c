/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handler writes one byte to a pipe whose read end the library watches (ve_ctx_set_cancel_fd). A second
 * signal does nothing more: an undo that is interrupted would leave what it was about to take away.
 *
 * Handlers, not SIG_IGN: they are reset in every program that is exec'd, so that no VE inherits them.
 */
#include "cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* A signal handler has no other way to what it needs. */
static int read_end = -1, write_end = -1;
static volatile sig_atomic_t received;

static void on_cancel(int signal)
{
	int saved = errno;

	if (!received) {
		received = signal;
		if (write(write_end, "", 1) < 0) {
			/* The pipe is empty and has room; nothing could be done here. */
		}
	}
	errno = saved;
}

/* Each one is somebody's else: the byte says which it was. */
static void on_forward(int signal)
{
	int saved = errno;
	const char byte = (char)signal;

	if (!received)
		received = signal;
	if (write(write_end, &byte, 1) < 0) {
		/* A pipe full of signals that nobody took. */
	}
	errno = saved;
}

static void on_pipe(int signal)
{
	(void)signal; /* a reader of our output that went away is no reason to drop a verb half-way */
}

int cancel_signal(void)
{
	return received;
}

/* The pipe, not EINTR, ends the wait: a signal just before a blocking call would be lost. */
int cancel_wait_readable(int fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = read_end, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return fds[1].revents ? -EINTR : 0;
}

static int install(ve_ctx *ctx, const int *signals, unsigned n, void (*handler)(int))
{
	struct sigaction cancel = { .sa_handler = handler }, pipe_gone = { .sa_handler = on_pipe }, old;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	read_end = fds[0];
	write_end = fds[1];
	for (unsigned i = 0; i < n; i++) {
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN) /* nohup, or a background job of a shell */
			sigaction(signals[i], &cancel, NULL);
	}
	sigaction(SIGPIPE, &pipe_gone, NULL);
	ve_ctx_set_cancel_fd(ctx, fds[0]);
	return 0;
}

int cancel_install(ve_ctx *ctx)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	return install(ctx, signals, sizeof(signals) / sizeof(signals[0]), on_cancel);
}

int cancel_forward(ve_ctx *ctx, int *ret_fd)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	int r = install(ctx, signals, sizeof(signals) / sizeof(signals[0]), on_forward);

	*ret_fd = read_end;
	return r;
}
