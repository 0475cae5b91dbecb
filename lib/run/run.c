/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * run: one command in a VE made for it. The VE is an ordinary one, with a name, ids and groups of its own, but
 * its configuration is not synced to disk, what it writes is kept in memory, and it goes with its caller: the monitor reports the
 * command's end to us, and kills the VE when we are gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "base/undo.h"
#include "model/image.h"
#include "run/claims.h"
#include "run/join.h"
#include "run/launch.h"
#include "run/newve.h"
#include "run/privileged.h"
#include "run/terminal.h"
#include "run/verbs.h"

static int configure(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec,
		     struct config **ret_config, struct image **ret_image, ve_error **ret_error)
{
	_cleanup_config_ struct config *c = NULL;
	_cleanup_image_ struct image *image = NULL;
	const struct newve_source from = { .template_name = o->template_name ? o->template_name : "jail", .image = o->image,
					   .spec = spec, .no_image = o->rootfs };
	if (spec && config_raw(spec, "disk"))
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "run", "a jail's files are kept in memory: disk.* is not for run");
	/* The template, which fences a jail off, is the host's own; a caller's words on top of it are not. */
	int r = spec ? privileged_check(ctx, NULL, spec, ret_error) : 0;
	if (r == 0)
		r = newve_config(ctx, "run", &from, &c, &image, ret_error);
	if (r == 0 && config_raw(c, "hooks"))
		r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "run", "hooks.*: a jail that goes with its command has no hooks");
	if (r < 0)
		return r;
	/* Its name is its uuid's beginning: nobody has to think of one. */
	_cleanup_free_ char *name = str_printf("run-%.8s", config_uuid(c));
	r = name ? config_put(c, "name", json_string(name)) : -ENOMEM;
	if (r == 0)
		r = config_set_identity(c, "ephemeral", json_integer(1));
	if (r == 0)
		r = config_put(c, "disk.backend", json_string("overlay"));
	if (r == 0 && o->no_network)
		r = config_put(c, "network", json_pack("{s:{s:s}}", "0", "type", "none"));
	if (r < 0)
		return err_nomem(ret_error);
	r = newve_defaults(ctx, c, ret_error);
	if (r == 0)
		r = config_check_whole(c, ret_error);
	if (r == 0) {
		*ret_config = steal_ptr(&c);
		*ret_image = steal_ptr(&image);
	}
	return r;
}

static int open_rootfs(const struct ve_run_opts *o, int *ret_fd, ve_error **ret_error)
{
	if (!o->rootfs)
		return 0;
	*ret_fd = open(o->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(ret_error, errno, "rootfs", "cannot open the directory '%s'", o->rootfs) : 0;
}

static int await_end(const struct ve_run_opts *o, struct launched *l, int *ret_status, ve_error **ret_error)
{
	struct msg ended;
	if (o->tty && l->terminal_fd >= 0) {
		const struct terminal t = { .in = 0, .out = 1, .far = l->terminal_fd, .until_fd = l->spawn.control };
		int r = terminal_join(&t, ret_error);
		if (r < 0)
			return r;
	}
	int r = spawn_expect(&l->spawn, MSG_ENDED, -1, &ended, NULL, NULL, ret_error);
	if (r == 0)
		*ret_status = join_shell_status(ended.status);
	return r;
}

static int run_command(struct ve *v, const struct ve_run_opts *o, int rootfs_fd, int *ret_status, ve_error **ret_error)
{
	static const char *const shell[] = { "/bin/sh", NULL };
	static const int own[3] = { 0, 1, 2 };
	_cleanup_plan_ struct plan plan = { .storage = { .image_fd = -1, .writable_fd = -1 } };
	struct launched l = { .spawn = { .control = -1 }, .terminal_fd = -1 };
	const struct launch_command cmd = {
		.argv = o->argv && o->argv[0] ? o->argv : shell,
		.env = o->env,
		.cwd = o->cwd,
		.user = o->user,
		.stdio = o->tty ? NULL : o->stdio[0] || o->stdio[1] || o->stdio[2] ? o->stdio : own,
		.tty = o->tty,
		.attended = true,
	};
	int r = plan_make(v, v->config, rootfs_fd, &plan, ret_error);
	if (r == 0)
		r = launch(&plan, &cmd, &l, ret_error);
	if (r < 0)
		return r;
	r = await_end(o, &l, ret_status, ret_error);
	close_fd(&l.terminal_fd);
	if (r < 0)
		spawn_close(&l.spawn); /* kills the VE: we were interrupted */
	_cleanup_err_ ve_error *trouble = NULL;
	if (launch_clean(v, v->config, &trouble) < 0 && r == 0)
		ctx_warn(v->ctx, "%s", ve_error_message(trouble));
	spawn_close(&l.spawn); /* a monitor that has reported the end ends beside us */
	return r;
}

/* Not durable: it is in memory, and goes with us. */
static int save(struct ve *v, ve_error **ret_error)
{
	struct stat st;
	int r = config_save(v->config, v->dir_fd, "config.json", false, ret_error);
	if (r == 0 && fstatat(v->dir_fd, "config.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
		v->saved = st.st_ino;
	return r;
}

int verb_run(struct ve_ctx *ctx, const struct ve_run_opts *o, const struct config *spec, int *ret_status,
	     ve_error **ret_error)
{
	_cleanup_config_ struct config *config = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_ve_ struct ve *v = NULL;
	_cleanup_undo_ struct undo undo = { 0 }; /* always run: the VE goes in success as well */
	_cleanup_close_ int rootfs = -1;
	int r = ctx_open(ctx, true, ret_error);
	if (r == 0)
		r = open_rootfs(o, &rootfs, ret_error);
	if (r == 0)
		r = configure(ctx, o, spec, &config, &image, ret_error);
	if (r == 0)
		r = newve_directory(ctx, steal_ptr(&config), &undo, &v, ret_error);
	if (r == 0)
		r = claims_take(v, &undo, ret_error);
	if (r == 0)
		r = save(v, ret_error);
	if (r == 0) {
		v->image = steal_ptr(&image);
		handle_unlock(v);
		r = run_command(v, o, steal_fd(&rootfs), ret_status, ret_error);
	}
	return r;
}
