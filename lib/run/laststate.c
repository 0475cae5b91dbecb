/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ve/UUID/state.json: what survives a reboot of the host. {"wanted":"running"|"stopped","last_exit":{time,reason,status}}.
 * "wanted" is what the last verb or the VE itself left: a host that goes down does not change it, so that
 * boot.auto=last brings back what ran.
 */
#include "run/verbs.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/ornull.h"

static const struct {
	const char *word, *wanted;
	bool is_exit;
} reasons[LAST_COUNT] = {
	[LAST_STARTED] = { "started", "running", false }, [LAST_STOPPED] = { "stopped", "stopped", true },
	[LAST_KILLED] = { "killed", "stopped", true },	  [LAST_POWEROFF] = { "poweroff", "stopped", true },
	[LAST_REBOOT] = { "reboot", "running", true },	  [LAST_CRASHED] = { "crashed", "stopped", true },
	[LAST_HOST] = { "host-shutdown", "running", true }, [LAST_BLOCKED] = { "blocked", "running", true },
	[LAST_UNKNOWN] = { "unknown", "stopped", true },
};

json_t *laststate_read(struct ve *v)
{
	_cleanup_free_ char *text = NULL;
	json_error_t e;
	json_t *j = NULL;
	if (file_read(v->dir_fd, "state.json", 65536, &text, NULL) == 0)
		j = json_loads(text, 0, &e);
	return json_is_object(j) ? j : json_object();
}

bool laststate_wanted(struct ve *v)
{
	json_t *j = laststate_read(v);
	const char *wanted = json_string_value(json_object_get(j, "wanted"));
	bool r = str_eq(wanted, "running");
	json_decref(j);
	return r;
}

bool laststate_was_started(struct ve *v)
{
	json_t *j = laststate_read(v);
	bool r = json_object_get(j, "wanted") != NULL; /* nothing is written before */
	json_decref(j);
	return r;
}

int laststate_write(struct ve *v, enum last_reason reason, int status, ve_error **ret_error)
{
	char when[CLOCK_TEXT_SIZE];
	json_t *j = laststate_read(v);
	json_object_set_new(j, "wanted", json_string(reasons[reason].wanted));
	if (reasons[reason].is_exit)
		json_object_set_new(j, "last_exit", json_pack("{s:s,s:s,s:o}", "time", clock_text(time(NULL), when), "reason",
							      reasons[reason].word, "status",
							      count_or_null(status)));
	_cleanup_free_ char *text = json_dumps(j, JSON_INDENT(2));
	json_decref(j);
	if (!text)
		return err_nomem(ret_error);
	int r = file_replace(v->dir_fd, "state.json", text, strlen(text), 0600, false);
	return r < 0 ? err_sys(ret_error, -r, "state", "cannot write the last state of '%s'", v->name) : 0;
}
