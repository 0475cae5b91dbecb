/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/privileged.h"

#include <errno.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"

/* A default that is spelt out is none the less the default. */
static bool same_value(const struct schema_key *row, const json_t *a, const json_t *b)
{
	_cleanup_free_ char *x = a ? schema_format(row, a) : NULL, *y = b ? schema_format(row, b) : NULL;
	return str_eq(a ? x : row->def, b ? y : row->def);
}

static bool gives_power(const char *key, const json_t *old_value, const json_t *new_value)
{
	const struct schema_key *row = schema_find(key);
	return row && row->flags & SCHEMA_PRIVILEGED && !same_value(row, old_value, new_value);
}

static int refuse(const char *key, json_t *old_value, json_t *new_value, void *ret_error)
{
	if (!gives_power(key, old_value, new_value))
		return 0;
	return err_plain(ret_error, VE_ERR_PERMISSION, EPERM, "privilege",
			 "%s: gives power over the host, and this caller may change unprivileged keys only", key);
}

int privileged_check(const struct ve_ctx *ctx, const struct config *old, const struct config *fresh, ve_error **ret_error)
{
	_cleanup_config_ struct config *nothing = NULL;
	if (!ctx->unprivileged_keys_only)
		return 0;
	int r = old ? 0 : config_new(NULL, &nothing, ret_error);
	return r < 0 ? r : config_diff(old ? old : nothing, fresh, refuse, ret_error, ret_error);
}

static int list(const char *key, json_t *old_value, json_t *new_value, void *keys)
{
	struct strbuf *b = keys;
	if (gives_power(key, old_value, new_value))
		strbuf_addf(b, "%s%s", b->len ? ", " : "", key);
	return 0;
}

void privileged_tell(struct ve_ctx *ctx, const char *name, const struct config *c)
{
	_cleanup_config_ struct config *nothing = NULL;
	_cleanup_strbuf_ struct strbuf keys = { 0 };
	if (config_new(NULL, &nothing, NULL) == 0 && config_diff(nothing, c, list, &keys, NULL) == 0 && keys.len)
		ctx_warn(ctx, "'%s' has keys that give power over the host: %s", name, keys.data);
}
