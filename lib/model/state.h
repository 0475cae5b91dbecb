/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The states of a VE and what may be done in each: one table. */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include <stdbool.h>

#include "base/error.h"

enum ve_state {
	STATE_CREATING, /* a create is under way, or was interrupted */
	STATE_STOPPED,
	STATE_STARTING,
	STATE_RUNNING,
	STATE_FROZEN,
	STATE_STOPPING,
	STATE_BLOCKED,
	STATE_COUNT,
};

enum ve_verb {
	VERB_START, VERB_STOP, VERB_KILL, VERB_FREEZE, VERB_THAW, VERB_DESTROY, VERB_EXEC, VERB_SET, VERB_PASSWD,
	VERB_CONSOLE, VERB_BLOCK, VERB_UNBLOCK, VERB_RENAME, VERB_CLONE, VERB_PUSH, VERB_PULL, VERB_USER, VERB_COUNT,
};

enum state_answer {
	STATE_REFUSED, /* VE_ERR_STATE */
	STATE_ALLOWED,
	STATE_ALREADY, /* the wanted state is the present one: success, unchanged */
};

/* Does its init run, whatever it may be asked now? */
bool state_is_up(enum ve_state s);
/* Is nothing of it there but its files? A start or a create that was interrupted may have left more. */
bool state_is_at_rest(enum ve_state s);
const char *state_name(enum ve_state s);
int state_from_name(const char *name, enum ve_state *ret_state);
const char *verb_name(enum ve_verb v);
enum state_answer state_ask(enum ve_state s, enum ve_verb v);
/* The refusal in words: "cannot freeze 'web1': it is stopped", with a hint where the table has one. */
int state_refuse(const char *name, enum ve_state s, enum ve_verb v, ve_error **ret_error);

#endif
