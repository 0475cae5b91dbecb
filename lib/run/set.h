/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a VE's configuration, whatever says how: assignments, or a template. */
#ifndef RUN_SET_H
#define RUN_SET_H

#include "run/handle.h"

struct set_edit {
	const char *verb; /* for the lock and audit.jsonl */
	/* Makes C, a copy of V's configuration, what it shall be. It is checked after that. */
	int (*fn)(struct ve *v, struct config *c, void *data, ve_error **ret_error);
	void *data;
	bool says_what_goes; /* FN has taken care that no volume goes unsaid */
};

/* As ve_set() says: all of it, to the file and to what runs, or nothing. */
int set_edited(struct ve *v, const struct set_edit *edit, enum ve_set_mode mode, json_t **ret_doc, ve_error **ret_error);

#endif
