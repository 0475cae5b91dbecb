/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/audit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/journal.h"
#include "model/schema.h"

enum { AUDIT_MAX_BYTES = 8 << 20, TEXT_MAX = 1024 };
static const char audit_file[] = "audit.jsonl";

/* ---- values ----------------------------------------------------------------------------------------- */

/* At most TEXT_MAX bytes of TEXT, cut where a character of UTF-8 ends. */
static json_t *cut(const char *text)
{
	size_t n = text ? strlen(text) : 0;
	if (!text)
		return json_null();
	if (n > TEXT_MAX)
		for (n = TEXT_MAX; n > 0 && (text[n] & 0xC0) == 0x80;)
			n--;
	json_t *j = json_stringn(text, n);
	return j ? j : json_string("?"); /* not UTF-8 */
}

static json_t *shown(const struct schema_key *row, const json_t *value)
{
	if (!value || json_is_null(value))
		return json_null();
	if (row && row->flags & SCHEMA_SECRET)
		return json_string("(not shown)");
	if (json_is_string(value))
		return cut(json_string_value(value));
	_cleanup_free_ char *text = row ? schema_format(row, value) : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	return cut(text);
}

void audit_note(json_t **values, const char *key, const json_t *old_value, const json_t *new_value)
{
	const struct schema_key *row = schema_find(key);
	if (!*values)
		*values = json_array();
	json_array_append_new(*values, json_pack("{s:s,s:o,s:o}", "key", key, "old", shown(row, old_value), "new",
						 shown(row, new_value)));
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static json_t *make_entry(struct ve_ctx *ctx, const struct audit *a, int r, const ve_error *error)
{
	char when[CLOCK_TEXT_SIZE];
	const char *result = r >= 0 ? "ok" : error ? ve_category_name(ve_error_category(error)) : ve_category_name(err_category_of(-r));
	const char *reason = a->reason ? a->reason : ctx->reason;
	return json_pack("{s:s,s:s,s:s,s:o,s:s?,s:s,s:o,s:s?,s:o,s:I}", "time", clock_text(time(NULL), when), "actor",
			 ctx_actor(ctx), "verb", a->verb, "name", cut(a->name), "uuid", a->uuid, "result", result, "message",
			 r < 0 && error ? cut(ve_error_message(error)) : json_null(), "reason", reason, "changes",
			 a->values ? json_incref(a->values) : json_array(),
			 "duration_ms", (json_int_t)(clock_ms() - a->begun_ms));
}

void audit_write(struct ve_ctx *ctx, const struct audit *a, int r, const ve_error *error)
{
	if (r == VE_UNCHANGED || ctx->dry_run || !ctx->store || ctx->store->log_fd < 0)
		return;
	json_t *entry = make_entry(ctx, a, r, error);
	int w = entry ? journal_append(ctx->store->log_fd, audit_file, AUDIT_MAX_BYTES, entry) : -ENOMEM;
	if (w == -EFBIG) {
		/* Who did it and when matters more than each of a thousand labels. */
		json_object_set_new(entry, "changes", json_null());
		w = journal_append(ctx->store->log_fd, audit_file, AUDIT_MAX_BYTES, entry);
	}
	json_decref(entry);
	if (w < 0)
		ctx_warn(ctx, "cannot write down in '%s' what was done: %s", audit_file, strerrordesc_np(-w));
}

/* ---- reading ---------------------------------------------------------------------------------------- */

struct query {
	const char *uuid, *name; /* one of them, or none: everything */
	char since[CLOCK_TEXT_SIZE];
	bool known; /* something of it was found, be it older */
	json_t *found;
};

static int take(json_t *entry, void *data)
{
	struct query *q = data;
	const char *time_text = json_string_value(json_object_get(entry, "time"));
	const char *field = q->uuid ? "uuid" : "name", *wanted = q->uuid ? q->uuid : q->name;
	if (wanted && !str_eq(json_string_value(json_object_get(entry, field)), wanted))
		return 0;
	q->known = true;
	/* RFC 3339 in UTC: the order of the texts is that of the times. */
	if (!time_text || strcmp(time_text, q->since) < 0)
		return 0;
	return json_array_append(q->found, entry) < 0 ? -ENOMEM : 0;
}

int audit_history(struct ve_ctx *ctx, const char *name, int64_t since, json_t **ret_doc, ve_error **ret_error)
{
	char uuid[UUID_LENGTH + 1];
	_cleanup_err_ ve_error *e = NULL;
	struct query q = { .found = json_array() };
	int found = name ? store_find(ctx->store, name, uuid, &e) : 0;
	clock_text(since, q.since);
	if (name && found == 0)
		q.uuid = uuid;
	else if (name && uuid_is(name))
		q.uuid = name; /* of a VE that is gone */
	else
		q.name = name;
	int r = q.found ? journal_read(ctx->store->log_fd, audit_file, take, &q) : -ENOMEM;
	if (r < 0)
		r = r == -ENOMEM ? err_nomem(ret_error) : err_sys(ret_error, -r, "history", "cannot read '%s'", audit_file);
	if (r == 0 && found < 0 && !q.known) {
		r = found;
		err_propagate(ret_error, &e);
	}
	if (r < 0) {
		json_decref(q.found);
		return r;
	}
	*ret_doc = q.found;
	return 0;
}
