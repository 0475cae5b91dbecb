/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/lock.h"
#include "base/str.h"
#include "run/block.h"

int handle_open_uuid(struct ve_ctx *ctx, const char *uuid, struct ve **ret_ve, ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = calloc(1, sizeof(*v));
	if (!v)
		return err_nomem(ret_error);
	*v = (struct ve){ .ctx = ctx, .dir_fd = -1, .run_fd = -1, .lock_fd = -1 };
	memcpy(v->uuid, uuid, UUID_LENGTH + 1);
	int r = store_open_ve(ctx->store, uuid, &v->dir_fd, ret_error);
	if (r < 0)
		return r;
	_cleanup_free_ char *what = str_printf("var/lib/vectl/ve/%s/config.json", uuid);
	if (!what)
		return err_nomem(ret_error);
	_cleanup_err_ ve_error *e = NULL;
	r = config_load(v->dir_fd, "config.json", what, &v->config, &e);
	if (r < 0 && r != -ENOENT) {
		err_propagate(ret_error, &e);
		return r;
	}
	v->name = strdup(v->config ? config_name(v->config) : uuid);
	if (!v->name)
		return err_nomem(ret_error);
	*ret_ve = steal_ptr(&v);
	return 0;
}

int handle_open(struct ve_ctx *ctx, const char *name, struct ve **ret_ve, ve_error **ret_error)
{
	char uuid[UUID_LENGTH + 1];
	int r = store_find(ctx->store, name, uuid, ret_error);
	return r < 0 ? r : handle_open_uuid(ctx, uuid, ret_ve, ret_error);
}

void handle_close(struct ve *v)
{
	if (!v)
		return;
	handle_unlock(v);
	config_free(v->config);
	image_free(v->image);
	close_fd(&v->dir_fd);
	close_fd(&v->run_fd);
	free(v->name);
	free(v);
}

void handle_closep(struct ve **v)
{
	handle_close(*v);
}

static int open_run(struct ve *v, bool make, ve_error **ret_error)
{
	if (v->run_fd >= 0)
		return 0;
	return store_open_run(v->ctx->store, v->uuid, make, &v->run_fd, ret_error);
}

static int reload(struct ve *v, ve_error **ret_error)
{
	struct config *fresh = NULL;
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_free_ char *what = str_printf("var/lib/vectl/ve/%s/config.json", v->uuid);
	int r = what ? config_load(v->dir_fd, "config.json", what, &fresh, &e) : err_nomem(&e);
	if (r == 0) {
		config_free(v->config);
		v->config = fresh;
		return 0;
	}
	if (r == -ENOENT && !v->config)
		return 0; /* an interrupted create: its state says so */
	if (r == -ENOENT)
		return err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "config", "'%s' was destroyed meanwhile", v->name);
	err_propagate(ret_error, &e);
	return r;
}

int handle_lock(struct ve *v, const char *verb, ve_error **ret_error)
{
	if (v->lock_fd >= 0)
		return 0;
	for (;;) {
		int r = open_run(v, !v->ctx->dry_run, ret_error);
		/* Where there is no directory for it nobody has the lock. */
		if (r == -ENOENT && v->ctx->dry_run)
			break;
		if (r < 0)
			return r;
		_cleanup_err_ ve_error *e = NULL;
		r = lock_take(v->run_fd, "lock", v->ctx->lock_timeout_ms, v->ctx->cancel_fd, v->name, verb, &v->lock_fd, &e);
		if (r == -ENOENT) {
			/* The run directory was removed by a destroy between our open and the lock. */
			close_fd(&v->run_fd);
			if (store_has_ve(v->ctx->store, v->uuid))
				continue;
			return err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "config", "'%s' was destroyed meanwhile",
					 v->name);
		}
		if (r < 0) {
			err_propagate(ret_error, &e);
			return r;
		}
		break;
	}
	int r = reload(v, ret_error);
	if (r < 0)
		handle_unlock(v);
	return r;
}

int handle_take(struct ve_ctx *ctx, const char *uuid, const char *verb, struct ve **ret_ve, ve_error **ret_error)
{
	int r = ctx_open(ctx, true, ret_error);
	if (r == 0)
		r = handle_open_uuid(ctx, uuid, ret_ve, ret_error);
	return r < 0 ? r : handle_lock(*ret_ve, verb, ret_error);
}

void handle_unlock(struct ve *v)
{
	close_fd(&v->lock_fd);
}

struct cg_place handle_place(struct ve *v)
{
	char pool[NAME_MAX];
	if (v->run_fd < 0)
		store_open_run(v->ctx->store, v->uuid, false, &v->run_fd, NULL);
	ssize_t n = v->run_fd < 0 ? -1 : readlinkat(v->run_fd, "pool", pool, sizeof(pool) - 1);
	if (n > 0)
		pool[n] = '\0';
	return cg_place(n > 0 ? pool : NULL, v->name);
}

bool handle_has_mark(const struct ve *v, const char *mark)
{
	return v->run_fd >= 0 && faccessat(v->run_fd, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int handle_mark(const struct ve *v, const char *mark, ve_error **ret_error)
{
	_cleanup_close_ int fd = openat(v->run_fd, mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? err_sys(ret_error, errno, "mark", "cannot mark '%s' as %s", v->name, mark) : 0;
}

static bool is_frozen(struct ve *v)
{
	struct cg *cg = NULL;
	if (ctx_cgroups(v->ctx, NULL) < 0 || cg_open(v->ctx->cg, handle_place(v).path, &cg, NULL) < 0)
		return false;
	bool frozen = cg_is_frozen(cg);
	cg_free(cg);
	return frozen;
}

enum ve_state handle_state(struct ve *v, struct record *ret_record)
{
	struct record r;
	if (!v->config)
		return STATE_CREATING;
	if (v->run_fd < 0)
		store_open_run(v->ctx->store, v->uuid, false, &v->run_fd, NULL);
	bool recorded = record_read(v->run_fd, &r, NULL) == 0;
	bool up = recorded && record_init_alive(&r);
	/* Its monitor has still to write down how it ended, and to clean up: whoever has the lock has that behind him. */
	bool ending = recorded && !up && v->lock_fd < 0 && record_monitor_alive(&r);
	if (!up && !ending)
		return block_forbids_start(v) ? STATE_BLOCKED : STATE_STOPPED;
	if (ret_record)
		*ret_record = r;
	if (ending || handle_has_mark(v, "stopping"))
		return STATE_STOPPING;
	return handle_has_mark(v, "frozen") && is_frozen(v) ? STATE_FROZEN : STATE_RUNNING;
}

pid_t handle_monitor(struct ve *v)
{
	struct record r;
	if (!state_is_up(handle_state(v, &r)))
		return 0;
	return record_monitor_alive(&r) ? r.monitor_pid : -1;
}

int handle_ask(struct ve *v, enum ve_verb verb, struct record *ret_record, ve_error **ret_error)
{
	enum ve_state s = handle_state(v, ret_record);
	/* With the lock in our hands nobody else is stopping it: that verb was killed. */
	if (s == STATE_STOPPING && v->lock_fd >= 0)
		s = STATE_RUNNING;
	switch (state_ask(s, verb)) {
	case STATE_ALLOWED:
		return 0;
	case STATE_ALREADY:
		return 1;
	default: {
		int r = state_refuse(v->name, s, verb, ret_error);
		if (s == STATE_BLOCKED)
			block_explain(v, ret_error);
		return r;
	}
	}
}

int handle_open_ns(struct ve *v, const char *ns, ve_error **ret_error)
{
	struct record rec;
	char path[48];
	int r = record_read(v->run_fd, &rec, ret_error);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)rec.init_pid, ns);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Asked afterwards: then it was not another process of that number. */
	if (fd >= 0 && record_init_alive(&rec))
		return fd;
	close_fd(&fd);
	return err_plain(ret_error, VE_ERR_STATE, ESRCH, "set", "'%s' has just stopped", v->name);
}

int handle_running_config(struct ve *v, struct config **ret_config, ve_error **ret_error)
{
	if (v->run_fd < 0)
		return -ENOENT;
	_cleanup_err_ ve_error *e = NULL;
	int r = config_load(v->run_fd, "running.json", "running.json", ret_config, &e);
	if (r < 0 && r != -ENOENT)
		err_propagate(ret_error, &e);
	return r;
}
