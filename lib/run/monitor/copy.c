/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a copy that stands in the VE: as its root, in its namespaces, with nothing of the host's but the stream. Whatever
 * a path leads to, through links that are swapped while it is looked up, is the VE's own. Nothing runs after this stage, so
 * that what it allocates (to take away a half-made tree) harms nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/treestream.h"
#include "mon.h"

static struct treestream stream;

int copy_keep_stream(const struct mon *m, struct failure *f)
{
	if (mon_fd(m, m->blob->fd_stream) < 0)
		return 0;
	return dup2(mon_fd(m, m->blob->fd_stream), COPY_STREAM_FD) < 0 ? fail(f, "dup2", "stream") : 0;
}

void copy_forget_stream(const struct mon *m)
{
	if (mon_fd(m, m->blob->fd_stream) >= 0)
		close(mon_fd(m, m->blob->fd_stream));
}

static int take_in(const struct mon *m)
{
	const struct blob_copy *c = &m->blob->copy;
	char name[TREE_NAME_SIZE];
	struct tree_rules rules = { .name = name, .replace = c->flags & BC_REPLACE, .keep_owner = c->flags & BC_KEEP_OWNER,
				    .uid = c->uid, .gid = c->gid };
	int r = tree_target(mon_str(m, c->path), mon_str(m, c->base), &rules.dir_fd, name);
	return r < 0 ? r : tree_receive(&stream, &rules);
}

/* In a process of its own: the two ends are two. */
static pid_t send_from(const char *from, const int pair[2])
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	close(pair[1]);
	stream.fd = pair[0];
	_exit(tree_send(&stream, AT_FDCWD, from, false) < 0);
}

int copy_inside(const char *from, const char *to, uid_t uid, gid_t gid)
{
	char name[TREE_NAME_SIZE];
	struct tree_rules rules = { .name = name, .uid = uid, .gid = gid };
	int pair[2], r = tree_target(to, "", &rules.dir_fd, name);
	if (r < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		errno = r < 0 ? -r : errno;
		return -1;
	}
	pid_t sender = send_from(from, pair);
	close(pair[0]);
	stream.fd = pair[1];
	r = sender < 0 ? -EAGAIN : tree_receive(&stream, &rules);
	close(pair[1]);
	close(rules.dir_fd);
	if (sender > 0)
		waitpid(sender, NULL, 0);
	errno = -r;
	return r < 0 ? -1 : 0;
}

int copy_run(const struct mon *m, struct failure *f)
{
	const struct blob_copy *c = &m->blob->copy;
	if (c->what == BC_NONE)
		return 0;
	stream.fd = COPY_STREAM_FD;
	int r = c->what == BC_SEND ? tree_send(&stream, AT_FDCWD, mon_str(m, c->path), c->flags & BC_FOLLOW) : take_in(m);
	if (r == 0)
		return 0;
	errno = -r;
	return fail(f, "copy", stream.at[0] ? stream.at : mon_str(m, c->path));
}
