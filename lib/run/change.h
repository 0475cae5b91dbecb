/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One change of a VE by somebody, from its lock to its line in audit.jsonl:
 *
 *	struct change c = { 0 };
 *	int r = change_begin(&c, v, "stop", CHANGE_STOPS, ret_error);
 *	if (r == 0)
 *		r = stop_locked(v, ret_error);
 *	return change_end(&c, r, ret_error);
 *
 * What the VE or its host do by themselves (a reboot inside, a quota, the host's own boot and shutdown) is not held off by
 * locks and protection.
 */
#ifndef RUN_CHANGE_H
#define RUN_CHANGE_H

#include "run/handle.h"

enum change_flags {
	CHANGE_ALTERS = 1 << 0,	 /* refused on a protected VE */
	CHANGE_STOPS = 1 << 1,	 /* refused on a protected VE that runs */
	CHANGE_UNASKED = 1 << 2, /* somebody else's lock (vectl lock) does not hold it off */
};

struct change {
	struct ve *ve;	    /* NULL: not begun */
	const char *verb;   /* one word, of audit.jsonl and of messages */
	const char *reason; /* the verb's own; NULL: ctx->reason */
	int64_t begun_ms;
	bool known_before;  /* BEFORE is what it was */
	bool gone;	    /* there is no VE any more */
	enum ve_state before;
	json_t *values; /* [{key,old,new}] */
};

/* Takes the VE's lock (handle_lock()) and asks whether the caller may: VE_ERR_BUSY where somebody else keeps the VE to
 * himself, VE_ERR_STATE where it is protected. Whatever it returns, change_end() follows. */
int change_begin(struct change *c, struct ve *v, const char *verb, unsigned flags, ve_error **ret_error);
/* KEY was OLD and is NEW (borrowed; NULL: nothing). The state is noted by itself. */
void change_note(struct change *c, const char *key, json_t *old_value, json_t *new_value);
/* Gives the lock back, and writes down what was done or refused. ERROR: the caller's ret_error. Returns R. */
int change_end(struct change *c, int r, ve_error **error);
/* May a VE have the configuration C, in the place of OLD (NULL: it is new)? Its keys are good together, and what it asks for beside OLD
 * the caller may set, and is there: hooks, mounts, devices. */
int change_check_config(struct ve_ctx *ctx, const struct config *old, const struct config *c, ve_error **ret_error);
/* VE_ERR_STATE if V is protected: "cannot VERB 'web1': it is protected". */
int change_check_protected(const struct ve *v, const char *verb, ve_error **ret_error);

#endif
