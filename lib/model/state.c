/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of states and verbs. A verb names the state that is wanted, so that asking for the present one is
 * success (ALREADY). Verbs are asked under the VE's lock; STARTING and STOPPING are met there only when the
 * verb that made them was killed, and by verbs that take no lock (exec, console).
 */
#include "model/state.h"

#include "base/guard.h"
#include "base/str.h"

static const struct {
	const char *name; /* in documents, filters and records */
	const char *is;	  /* "it is ..." */
} states[STATE_COUNT] = {
	[STATE_CREATING] = { "creating", "being created, or its creation was interrupted" },
	[STATE_STOPPED] = { "stopped", "stopped" },
	[STATE_STARTING] = { "starting", "starting, or its start was interrupted" },
	[STATE_RUNNING] = { "running", "running" },
	[STATE_FROZEN] = { "frozen", "frozen" },
	[STATE_STOPPING] = { "stopping", "stopping" },
	[STATE_BLOCKED] = { "blocked", "blocked by the provider" },
};

static const char *const verbs[VERB_COUNT] = {
	[VERB_START] = "start",	    [VERB_STOP] = "stop", [VERB_KILL] = "kill", [VERB_FREEZE] = "freeze",
	[VERB_THAW] = "thaw",	    [VERB_DESTROY] = "destroy", [VERB_EXEC] = "run a command in",
	[VERB_SET] = "change",	    [VERB_PASSWD] = "set a password in", [VERB_CONSOLE] = "open the console of",
	[VERB_BLOCK] = "block",	    [VERB_UNBLOCK] = "unblock", [VERB_RENAME] = "rename", [VERB_CLONE] = "clone",
	[VERB_PUSH] = "copy into",  [VERB_PULL] = "copy out of", [VERB_USER] = "work on the users of",
};

#define NO(advice) { STATE_REFUSED, advice }
#define YES { STATE_ALLOWED, NULL }
#define ALREADY { STATE_ALREADY, NULL }
#define RECOVER NO("vectl recover %s")
#define START_IT NO("vectl start %s")
#define THAW_IT NO("vectl thaw %s")
#define FORCE NO("vectl destroy --force %s")
#define AWAIT NO("vectl wait %s stopped")
#define UNBLOCK NO("vectl unblock %s")
#define STOP_IT NO("vectl stop %s")

static const struct {
	enum state_answer answer;
	const char *hint; /* the command that helps; %s is the VE's name */
} table[STATE_COUNT][VERB_COUNT] = {
	/* Half a VE: it can only be taken away, or be looked at by recover. */
	[STATE_CREATING] = {
		[VERB_START] = RECOVER, [VERB_STOP] = RECOVER, [VERB_KILL] = RECOVER, [VERB_FREEZE] = RECOVER,
		[VERB_THAW] = RECOVER, [VERB_DESTROY] = YES, [VERB_EXEC] = RECOVER, [VERB_SET] = RECOVER,
		[VERB_PASSWD] = RECOVER, [VERB_CONSOLE] = RECOVER, [VERB_BLOCK] = RECOVER, [VERB_UNBLOCK] = RECOVER,
		[VERB_RENAME] = RECOVER, [VERB_CLONE] = RECOVER, [VERB_PUSH] = RECOVER, [VERB_PULL] = RECOVER, [VERB_USER] = RECOVER,
	},
	[STATE_STOPPED] = {
		[VERB_START] = YES, [VERB_STOP] = ALREADY, [VERB_KILL] = ALREADY, [VERB_FREEZE] = NO(NULL),
		[VERB_THAW] = START_IT, [VERB_DESTROY] = YES, [VERB_EXEC] = START_IT, [VERB_SET] = YES,
		[VERB_PASSWD] = YES, [VERB_CONSOLE] = START_IT, [VERB_BLOCK] = YES, [VERB_UNBLOCK] = YES,
		[VERB_RENAME] = YES, [VERB_CLONE] = YES, [VERB_PUSH] = YES, [VERB_PULL] = YES, [VERB_USER] = YES,
	},
	/* stop and kill take down whatever part of the start there is. */
	[STATE_STARTING] = {
		[VERB_START] = RECOVER, [VERB_STOP] = YES, [VERB_KILL] = YES, [VERB_FREEZE] = RECOVER,
		[VERB_THAW] = RECOVER, [VERB_DESTROY] = FORCE, [VERB_EXEC] = NO(NULL), [VERB_SET] = RECOVER,
		[VERB_PASSWD] = RECOVER, [VERB_CONSOLE] = YES, [VERB_BLOCK] = YES, [VERB_UNBLOCK] = YES,
		[VERB_RENAME] = STOP_IT, [VERB_CLONE] = STOP_IT, [VERB_PUSH] = RECOVER, [VERB_PULL] = RECOVER, [VERB_USER] = RECOVER,
	},
	[STATE_RUNNING] = {
		[VERB_START] = ALREADY, [VERB_STOP] = YES, [VERB_KILL] = YES, [VERB_FREEZE] = YES,
		[VERB_THAW] = ALREADY, [VERB_DESTROY] = FORCE, [VERB_EXEC] = YES, [VERB_SET] = YES,
		[VERB_PASSWD] = YES, [VERB_CONSOLE] = YES, [VERB_BLOCK] = YES, [VERB_UNBLOCK] = YES,
		[VERB_RENAME] = STOP_IT, [VERB_CLONE] = STOP_IT, [VERB_PUSH] = YES, [VERB_PULL] = YES, [VERB_USER] = YES,
	},
	/* stop thaws first: a frozen init hears no signal. What would need a running process inside is refused,
	 * because it would hang until the thaw. */
	[STATE_FROZEN] = {
		[VERB_START] = THAW_IT, [VERB_STOP] = YES, [VERB_KILL] = YES, [VERB_FREEZE] = ALREADY,
		[VERB_THAW] = YES, [VERB_DESTROY] = FORCE, [VERB_EXEC] = THAW_IT, [VERB_SET] = YES,
		[VERB_PASSWD] = THAW_IT, [VERB_CONSOLE] = YES, [VERB_BLOCK] = YES, [VERB_UNBLOCK] = YES,
		[VERB_RENAME] = STOP_IT, [VERB_CLONE] = STOP_IT, [VERB_PUSH] = THAW_IT, [VERB_PULL] = THAW_IT, [VERB_USER] = THAW_IT,
	},
	[STATE_STOPPING] = {
		[VERB_START] = AWAIT, [VERB_STOP] = YES, [VERB_KILL] = YES, [VERB_FREEZE] = NO(NULL),
		[VERB_THAW] = NO(NULL), [VERB_DESTROY] = FORCE, [VERB_EXEC] = NO(NULL), [VERB_SET] = AWAIT,
		[VERB_PASSWD] = AWAIT, [VERB_CONSOLE] = YES, [VERB_BLOCK] = YES, [VERB_UNBLOCK] = YES,
		[VERB_RENAME] = STOP_IT, [VERB_CLONE] = STOP_IT, [VERB_PUSH] = AWAIT, [VERB_PULL] = AWAIT, [VERB_USER] = AWAIT,
	},
	[STATE_BLOCKED] = {
		[VERB_START] = UNBLOCK, [VERB_STOP] = ALREADY, [VERB_KILL] = ALREADY, [VERB_FREEZE] = NO(NULL),
		[VERB_THAW] = UNBLOCK, [VERB_DESTROY] = YES, [VERB_EXEC] = UNBLOCK, [VERB_SET] = YES,
		[VERB_PASSWD] = YES, [VERB_CONSOLE] = UNBLOCK, [VERB_BLOCK] = YES, [VERB_UNBLOCK] = YES,
		[VERB_RENAME] = YES, [VERB_CLONE] = YES, [VERB_PUSH] = YES, [VERB_PULL] = YES, [VERB_USER] = YES,
	},
};

bool state_is_up(enum ve_state s)
{
	return s == STATE_RUNNING || s == STATE_FROZEN || s == STATE_STOPPING;
}

bool state_is_at_rest(enum ve_state s)
{
	return s == STATE_STOPPED || s == STATE_BLOCKED || s == STATE_CREATING;
}

const char *state_name(enum ve_state s)
{
	return (unsigned)s < STATE_COUNT ? states[s].name : "unknown";
}

int state_from_name(const char *name, enum ve_state *ret_state)
{
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		if (str_eq(name, states[s].name)) {
			*ret_state = (enum ve_state)s;
			return 0;
		}
	}
	return -EINVAL;
}

const char *verb_name(enum ve_verb v)
{
	return (unsigned)v < VERB_COUNT ? verbs[v] : "unknown";
}

enum state_answer state_ask(enum ve_state s, enum ve_verb v)
{
	if ((unsigned)s >= STATE_COUNT || (unsigned)v >= VERB_COUNT)
		return STATE_REFUSED;
	return table[s][v].answer;
}

int state_refuse(const char *name, enum ve_state s, enum ve_verb v, ve_error **ret_error)
{
	if ((unsigned)s >= STATE_COUNT || (unsigned)v >= VERB_COUNT)
		return err_plain(ret_error, VE_ERR_BUG, EINVAL, "state", "no such state or verb (%d, %d)", (int)s,
				 (int)v);
	int r = err_plain(ret_error, VE_ERR_STATE, EINVAL, "state", "cannot %s '%s': it is %s", verbs[v], name,
			  states[s].is);
	if (table[s][v].hint)
		err_hint(ret_error, table[s][v].hint, name);
	return r;
}
