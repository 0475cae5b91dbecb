/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/ctx.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "fs/storage.h"
#include "model/checks.h"
#include "run/program.h"
#include "sys/login.h"

enum { WORDS_MAX = 1024 };

int ctx_need_root(ve_error **ret_error)
{
	if (geteuid() == 0)
		return 0;
	int r = err_plain(ret_error, VE_ERR_PERMISSION, EPERM, "privilege", "vectl needs root on the host");
	err_hint(ret_error, "run it with sudo");
	return r;
}

int ctx_open(struct ve_ctx *c, bool make, ve_error **ret_error)
{
	if (c->store && (!make || c->store_is_made) && !(make && c->dry_run))
		return 0;
	int r = ctx_need_root(ret_error);
	if (r == 0 && make && c->dry_run)
		r = err_plain(ret_error, VE_ERR_USAGE, EOPNOTSUPP, "dry-run", "this cannot be tried without being done: there is no dry run of it");
	if (r < 0)
		return r;
	store_free(c->store);
	c->store = NULL;
	if (make) {
		_cleanup_free_ char *lib = str_printf("%s/var/lib/vectl", str_eq(c->root, "/") ? "" : c->root);
		if (!lib)
			return err_nomem(ret_error);
		r = storage_protect(lib, ret_error);
		if (r < 0)
			return r;
	}
	r = store_open(c->root, make, &c->store, ret_error);
	c->store_is_made = r == 0 && make;
	if (r == 0)
		c->store->look_only = c->dry_run;
	return r;
}

int ctx_open_to_change(struct ve_ctx *c, ve_error **ret_error)
{
	return ctx_open(c, !c->dry_run, ret_error);
}

void ctx_set_dry_run(struct ve_ctx *c, bool on)
{
	c->dry_run = on;
	if (c->store)
		c->store->look_only = on;
}

bool ctx_ends_dry(struct ve_ctx *c, int after)
{
	if (c->dry_run)
		c->would_be = after;
	return c->dry_run;
}

int ctx_cgroups(struct ve_ctx *c, ve_error **ret_error)
{
	if (c->cg)
		return 0;
	return cg_host_open(c->store->run_fd, c->store->tag, &c->cg, ret_error);
}

int ctx_start_unit(struct ve_ctx *c, ve_error **ret_error)
{
	const char *unit = cg_host_missing_unit(c->cg);
	const char *const argv[] = { "systemctl", "start", unit, NULL };
	const struct program start = { .argv = argv, .package = "systemd", .cancel_fd = c->cancel_fd };
	int status = 0;
	if (!unit)
		return 0;
	/* Whether it has helped is for whoever makes the groups to see: that error says what is missing. */
	return program_run(&start, &status, ret_error);
}

int ctx_host(struct ve_ctx *c, ve_error **ret_error)
{
	return c->host ? 0 : host_load(c->store->etc_fd, &c->host, ret_error);
}

void ctx_warn_sentence(const char *sentence, void *ctx)
{
	struct ve_ctx *c = ctx;
	if (!c->warnings)
		c->warnings = json_array();
	if (c->warnings)
		json_array_append_new(c->warnings, json_string(sentence));
}

void ctx_warn(struct ve_ctx *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *s = str_vprintf(fmt, ap);
	va_end(ap);
	if (s)
		ctx_warn_sentence(s, c);
}

void ctx_progress(const struct ve_ctx *c, const char *what, uint64_t done, uint64_t total)
{
	if (c->progress)
		c->progress(what, done, total, c->progress_data);
}

int ctx_check_cancelled(const struct ve_ctx *c, ve_error **ret_error)
{
	struct pollfd p = { .fd = c->cancel_fd, .events = POLLIN };
	if (c->cancel_fd < 0 || poll(&p, 1, 0) <= 0)
		return 0;
	return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted");
}

const char *ctx_actor(struct ve_ctx *c)
{
	if (!c->actor)
		c->actor = login_name();
	return c->actor ? c->actor : "unknown";
}

int ctx_check_words(const char *what, const char *words, ve_error **ret_error)
{
	if (strlen(words) > WORDS_MAX)
		return err_plain(ret_error, VE_ERR_USAGE, E2BIG, "command", "the %s has more than %d characters", what, WORDS_MAX);
	int r = check_text(words, ret_error);
	return r < 0 ? err_wrap(ret_error, "the %s", what) : 0;
}
