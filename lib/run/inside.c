/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/inside.h"

#include <errno.h>

#include "run/join.h"
#include "run/rootplan.h"

int inside_open(struct inside *in, struct ve *v, ve_error **ret_error)
{
	enum ve_state s = handle_state(v, NULL);
	*in = (struct inside){ .ve = v, .running = s != STATE_STOPPED && s != STATE_BLOCKED, .spawn = { .control = -1 },
			       .plan = { .ve = v, .jail = true, .storage = { .image_fd = -1, .writable_fd = -1 } } };
	blobber_init(&in->blob, in->running ? MON_JOIN : MON_WORK);
	return in->running ? 0 : plan_make(v, v->config, -1, &in->plan, ret_error);
}

void inside_files(struct inside *in, const struct file_change *changes, unsigned n)
{
	rootplan_files(&in->blob, &in->plan, changes, n);
}

int inside_begin(struct inside *in, ve_error **ret_error)
{
	return in->running ? join_spawn(in->ve, &in->blob, &in->spawn, ret_error) :
			     launch_work_begin(&in->plan, &in->blob, &in->spawn, ret_error);
}

int inside_end(struct inside *in, int deadline_ms, ve_error **ret_error)
{
	struct msg ended;
	if (!in->running)
		return launch_work_end(&in->plan, &in->spawn, deadline_ms, ret_error);
	int r = spawn_expect(&in->spawn, MSG_STARTED, deadline_ms, NULL, NULL, NULL, ret_error);
	if (r == 0)
		r = spawn_expect(&in->spawn, MSG_ENDED, deadline_ms, &ended, NULL, NULL, ret_error);
	if (r == 0 && ended.status != 0)
		r = err_plain(ret_error, VE_ERR_KERNEL, EIO, "inside", "the change in '%s' was interrupted", in->ve->name);
	return r;
}

void inside_done(struct inside *in)
{
	if (!in->ve)
		return;
	spawn_close(&in->spawn);
	blobber_done(&in->blob);
	if (!in->running)
		plan_done(&in->plan);
	in->ve = NULL;
}
