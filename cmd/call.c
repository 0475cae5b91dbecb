/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include "report.h"
#include "util.h"

int call_open_ve(struct call *call, ve **ret_ve)
{
	ve_error *e = NULL;
	int r = ve_open(call->ctx, call->operands[0], ret_ve, &e);

	return r < 0 ? report_failure(call, r, e) : 0;
}

int call_verb(struct call *call, int (*verb)(ve *v, ve_error **ret_error), const char *done, const char *already)
{
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = verb(v, &e);
	return r < 0 ? report_failure(call, r, e) : report_change_plain(call, v, r, done, already);
}

/* Arguments are for everybody on the host to read, as long as a command runs. */
static int refuse_hash(struct call *call, const char *item)
{
	if (strncmp(item, "users", strlen("users")) != 0 || !strstr(item, "password="))
		return 0;
	return report_refusal(call, VE_ERR_USAGE, "'vectl create --config -' and 'vectl edit' take it from no argument",
			      "users: a password's hash is no argument, which everybody on this host can read");
}

int call_assign(struct call *call, ve_spec *spec, const char *const *items)
{
	ve_error *e = NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && items && items[i]; i++) {
		int code = refuse_hash(call, items[i]);
		if (code)
			return code;
		r = ve_spec_assign(spec, items[i], &e);
	}
	return r < 0 ? report_failure(call, r, e) : 0;
}

int call_make_spec(struct call *call, const char *const *items, ve_spec **ret_spec)
{
	_cleanup_spec_ ve_spec *spec = NULL;
	ve_error *e = NULL;

	int r = ve_spec_new(call->ctx, &spec, &e);
	if (r < 0)
		return report_failure(call, r, e);
	int code = call_assign(call, spec, items);
	if (code)
		return code;
	*ret_spec = spec;
	spec = NULL;
	return 0;
}

const char *call_key_unit(const ve_doc *keys, const char *key)
{
	for (size_t i = 0; keys && i < ve_doc_length(keys, ""); i++)
		if (str_eq(ve_doc_string(ve_doc_at(keys, "", i), "key"), key))
			return ve_doc_string(ve_doc_at(keys, "", i), "unit");
	return NULL;
}

int call_check_env(struct call *call, const struct strings *env)
{
	for (size_t i = 0; i < env->n; i++) {
		const char *equals = strchr(env->items[i], '=');
		if (!equals || equals == env->items[i])
			return report_refusal(call, VE_ERR_USAGE, NULL, "--env takes NAME=VALUE, not '%s'",
					      env->items[i]);
	}
	return 0;
}
