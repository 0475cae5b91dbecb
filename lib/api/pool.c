/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls of ve.h about tenants' pools. */
#include "api/api.h"
#include "run/tenantpool.h"

int ve_pool_list(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = verb_pool_list(ctx, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_pool_show(ve_ctx *ctx, const char *name, ve_doc **ret_doc, ve_error **ret_error)
{
	json_t *doc = NULL;
	api_begin(ctx);
	int r = verb_pool_show(ctx, name, &doc, ret_error);
	return api_doc(r, doc, ret_doc);
}

int ve_pool_set(ve_ctx *ctx, const char *name, const char *const *assignments, ve_error **ret_error)
{
	api_begin(ctx);
	return verb_pool_set(ctx, name, assignments, ret_error);
}

int ve_pool_remove(ve_ctx *ctx, const char *name, ve_error **ret_error)
{
	api_begin(ctx);
	return verb_pool_remove(ctx, name, ret_error);
}
