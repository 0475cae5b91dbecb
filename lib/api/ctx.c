/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/api.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/fault.h"

enum { DEFAULT_LOCK_TIMEOUT_MS = 10000 };

const char *ve_version(void)
{
	return VE_VERSION;
}

const char *const *ve_fault_stages(void)
{
#ifdef VE_FAULTS
	return fault_stages;
#else
	return NULL;
#endif
}

int ve_ctx_new(const char *root, ve_ctx **ret_ctx, ve_error **ret_error)
{
	if (!root)
		root = "/";
	if (root[0] != '/')
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "root", "the root directory must be absolute, not '%s'", root);
	/* jansson would open /dev/urandom for this. */
	size_t seed = 0;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		json_object_seed(seed);
	struct ve_ctx *c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem(ret_error);
	*c = (struct ve_ctx){ .root = strdup(root), .lock_timeout_ms = DEFAULT_LOCK_TIMEOUT_MS, .cancel_fd = -1 };
	if (!c->root) {
		free(c);
		return err_nomem(ret_error);
	}
	for (size_t n = strlen(c->root); n > 1 && c->root[n - 1] == '/'; n--)
		c->root[n - 1] = '\0';
	*ret_ctx = c;
	return 0;
}

void ve_ctx_free(ve_ctx *c)
{
	if (!c)
		return;
	cg_host_free(c->cg);
	host_free(c->host);
	store_free(c->store);
	json_decref(c->warnings);
	free(c->actor);
	free(c->reason);
	free(c->root);
	free(c);
}

void ve_ctx_set_progress(ve_ctx *c, ve_progress_fn fn, void *data)
{
	c->progress = fn;
	c->progress_data = data;
}

void ve_ctx_set_lock_timeout_ms(ve_ctx *c, unsigned ms)
{
	c->lock_timeout_ms = ms;
}

void ve_ctx_set_cancel_fd(ve_ctx *c, int fd)
{
	c->cancel_fd = fd;
}

static int set_words(char **member, const char *what, const char *words, ve_error **ret_error)
{
	char *copy = words ? strdup(words) : NULL;
	int r = words && !copy ? err_nomem(ret_error) : 0;
	if (r == 0 && words)
		r = ctx_check_words(what, words, ret_error);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(*member);
	*member = copy;
	return 0;
}

int ve_ctx_set_actor(ve_ctx *c, const char *actor, ve_error **ret_error)
{
	return set_words(&c->actor, "actor", actor, ret_error);
}

int ve_ctx_set_reason(ve_ctx *c, const char *reason, ve_error **ret_error)
{
	return set_words(&c->reason, "reason", reason, ret_error);
}

void ve_ctx_set_unprivileged_keys_only(ve_ctx *c, bool only)
{
	c->unprivileged_keys_only = only;
}

void ve_ctx_set_dry_run(ve_ctx *c, bool on)
{
	ctx_set_dry_run(c, on);
}

const ve_doc *ve_ctx_warnings(const ve_ctx *c)
{
	return (const ve_doc *)c->warnings;
}

void api_begin(struct ve_ctx *c)
{
	json_decref(c->warnings);
	c->warnings = json_array();
	c->would_be = CTX_AS_IT_IS;
}

int api_doc(int r, json_t *doc, ve_doc **ret_doc)
{
	if (r >= 0 && ret_doc)
		*ret_doc = (ve_doc *)doc;
	else
		json_decref(doc);
	return r;
}
