/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/hooks.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/hookproc.h"
#include "run/verbs.h"
#include "sys/trusted.h"

static const char stage[] = "hook";

/* A hook's status for "not now", as in sysexits.h. */
enum { STATUS_AGAIN = 75 };

static const char *const keys[HOOK_COUNT] = {
	[HOOK_CREATE] = "hooks.create",	  [HOOK_BEFORE_START] = "hooks.before_start", [HOOK_STARTED] = "hooks.started",
	[HOOK_STOPPING] = "hooks.stopping", [HOOK_STOPPED] = "hooks.stopped",		  [HOOK_DESTROYED] = "hooks.destroyed",
};

static const char *path_of(const struct config *c, enum hook h)
{
	return c ? json_string_value(config_raw(c, keys[h])) : NULL;
}

bool hook_is_set(const struct ve *v, enum hook h)
{
	return path_of(v->config, h) != NULL;
}

/* A file in memory: nobody has to wait until it is read, and one who does not read it is not waited for. */
static int document_fd(struct ve *v, ve_error **ret_error)
{
	json_t *doc = NULL;
	int r = look_show(v, &doc, ret_error);
	_cleanup_free_ char *text = r == 0 ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = memfd_create("hook", MFD_CLOEXEC);
	if (!text)
		return err_nomem(ret_error);
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0 || write_all(fd, "\n", 1) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(ret_error, errno, stage, "cannot write down the configuration of '%s' for its hook", v->name);
	return steal_fd(&fd);
}

static char **environment(const struct ve *v, enum hook h)
{
	char **env = NULL;
	_cleanup_free_ char *point = str_printf("VECTL_HOOK=%s", keys[h] + strlen("hooks.")),
			    *name = str_printf("VECTL_NAME=%s", v->name), *uuid = str_printf("VECTL_UUID=%s", v->uuid),
			    *root = str_printf("VECTL_ROOT=%s", v->ctx->root);
	const char *const all[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
				    point, name, uuid, root };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!all[i] || strv_add(&env, all[i]) < 0) {
			strv_free(env);
			return NULL;
		}
	return env;
}

static int judge(const struct hookproc_end *end, const char *key, const char *path, int64_t timeout_s, ve_error **ret_error)
{
	const char *colon = *end->words ? ": " : "";
	if (end->cancelled)
		return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted while '%s' ran", path);
	if (end->late)
		return err_plain(ret_error, VE_ERR_BUSY, ETIMEDOUT, stage,
				 "%s: '%s' did not end within %lld s (hooks.timeout) and was killed%s%s", key, path, (long long)timeout_s,
				 colon, end->words);
	if (end->status == 0)
		return 0;
	return err_plain(ret_error, end->status == STATUS_AGAIN ? VE_ERR_BUSY : VE_ERR_STATE, ECANCELED, stage,
			 "%s: '%s' ended with %s %d%s%s", key, path, end->status > 128 ? "signal" : "status",
			 end->status > 128 ? end->status - 128 : end->status, colon, end->words);
}

static int run(struct ve *v, enum hook h, ve_error **ret_error)
{
	const char *path = path_of(v->config, h);
	struct hookproc_end end;
	if (!path || v->ctx->dry_run)
		return 0;
	/* Again: since it was set somebody may have given the file away. */
	int r = trusted_program(path, ret_error);
	if (r < 0)
		return err_wrap(ret_error, "%s", keys[h]), r;
	_cleanup_strv_ char **env = environment(v, h);
	_cleanup_close_ int in = env ? document_fd(v, ret_error) : err_nomem(ret_error);
	if (in < 0)
		return in;
	int64_t timeout_s = config_int(v->config, "hooks.timeout");
	const struct hookproc p = { .path = path, .env = (const char *const *)env, .in_fd = in, .cancel_fd = v->ctx->cancel_fd,
				    .deadline_ms = timeout_s * 1000 };
	r = hookproc_run(&p, &end, ret_error);
	if (r < 0)
		return err_wrap(ret_error, "%s", keys[h]), r;
	return judge(&end, keys[h], path, timeout_s, ret_error);
}

int hook_run(struct ve *v, enum hook h, ve_error **ret_error)
{
	_cleanup_err_ ve_error *e = NULL;
	int r = run(v, h, &e);
	/* Also where a start is refused: after a reboot inside, or at the host's boot, nobody reads its error. */
	if (r < 0 && h != HOOK_CREATE)
		event_log(v->ctx, "hook-failed", v->name, v->uuid, ve_error_message(e));
	err_propagate(ret_error, &e);
	return r;
}

bool hook_tell(struct ve *v, enum hook h)
{
	_cleanup_err_ ve_error *e = NULL;
	if (!hook_is_set(v, h))
		return false;
	if (hook_run(v, h, &e) < 0)
		ctx_warn(v->ctx, "%s", ve_error_message(e));
	return true;
}

int hooks_check(const struct config *old, const struct config *fresh, ve_error **ret_error)
{
	for (enum hook h = 0; h < HOOK_COUNT; h++) {
		const char *path = path_of(fresh, h);
		if (!path || str_eq(path, path_of(old, h)))
			continue;
		int r = trusted_program(path, ret_error);
		if (r < 0)
			return err_wrap(ret_error, "%s", keys[h]), r;
	}
	return 0;
}
