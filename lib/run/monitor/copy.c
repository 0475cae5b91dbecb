/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a copy that stands in the VE: as its root, in its namespaces, with nothing of the host's but the stream. Whatever
 * a path leads to, through links that are swapped while it is looked up, is the VE's own. Nothing runs after this stage, so
 * that what it allocates (to take away a half-made tree) harms nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/treestream.h"
#include "mon.h"

enum { STREAM_FD = 0 };
static struct treestream stream;

int copy_keep_stream(const struct mon *m, struct failure *f)
{
	if (m->blob->copy.what == BC_NONE)
		return 0;
	return dup2(mon_fd(m, m->blob->copy.fd), STREAM_FD) < 0 ? fail(f, "dup2", "stream") : 0;
}

void copy_forget_stream(const struct mon *m)
{
	if (m->blob->copy.what != BC_NONE)
		close(mon_fd(m, m->blob->copy.fd));
}

static int receive(const struct mon *m)
{
	const struct blob_copy *c = &m->blob->copy;
	char name[TREE_NAME_SIZE];
	struct tree_rules rules = { .name = name, .replace = c->flags & BC_REPLACE, .keep_owner = c->flags & BC_KEEP_OWNER,
				    .uid = c->uid, .gid = c->gid };
	int r = tree_target(mon_str(m, c->path), mon_str(m, c->base), &rules.dir_fd, name);
	return r < 0 ? r : tree_receive(&stream, &rules);
}

int copy_run(const struct mon *m, struct failure *f)
{
	const struct blob_copy *c = &m->blob->copy;
	if (c->what == BC_NONE)
		return 0;
	stream.fd = STREAM_FD;
	int r = c->what == BC_SEND ? tree_send(&stream, AT_FDCWD, mon_str(m, c->path), c->flags & BC_FOLLOW) : receive(m);
	if (r == 0)
		return 0;
	errno = -r;
	return fail(f, "copy", stream.at[0] ? stream.at : mon_str(m, c->path));
}
