/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One piece of work on the accounts inside a VE, whether it runs or not. The VE's files are read and written by a process inside
 * (run/monitor/users.c), of which we hear one word, or a list that is taken for what a stranger wrote.
 */
#ifndef RUN_USERWORK_H
#define RUN_USERWORK_H

#include "run/handle.h"
#include "run/monitor/blob.h"

/* Nothing here is checked; but for BU_ADD there is a name at most. */
struct user_request {
	enum blob_user_what what;
	const char *name, *home;
	const char *shell, *keys, *hash; /* or NULL */
	const char *const *groups;	 /* NULL-terminated, or NULL */
	bool has_uid, locked;		 /* LOCKED: nobody gets in as him until he is unlocked */
	unsigned uid;
};

/* V's lock is held. RET_ANSWER (the caller frees): "changed", "unchanged", or with BU_LIST a line a user,
 * NAME:UID:GID:HOW:HOME:SHELL:GROUPS. */
int userwork_do(struct ve *v, const struct user_request *q, char **ret_answer, ve_error **ret_error);

#endif
