/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events.jsonl, a journal (model/journal.h). An event that cannot be written is lost: it makes no verb fail but one that is for nothing
 * else. Reading is in events_read.c. */
#include "run/verbs.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "model/journal.h"

enum { EVENTS_MAX_BYTES = 8 << 20 };

void event_log(struct ve_ctx *ctx, const char *event, const char *name, const char *uuid, const char *detail)
{
	event_log_more(ctx, event, name, uuid, detail, NULL);
}

int event_log_more(struct ve_ctx *ctx, const char *event, const char *name, const char *uuid, const char *detail, json_t *more)
{
	char when[CLOCK_TEXT_SIZE];
	int r = 0;
	json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s*}", "time", clock_text(time(NULL), when), "event", event, "name", name, "uuid", uuid,
			      "detail", detail);
	json_object_update(j, more);
	if (!ctx->dry_run)
		r = j ? journal_append(ctx->store->log_fd, "events.jsonl", EVENTS_MAX_BYTES, j) : -ENOMEM;
	json_decref(more);
	json_decref(j);
	return r;
}
