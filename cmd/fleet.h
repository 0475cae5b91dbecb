/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A verb on several VEs: NAME..., --all or --where. All of them are found before the first is touched; each is then worked on in
 * a process of its own, at most --parallel at a time, and what that prints is passed on whole: a line a VE, or an element
 * of one JSON array. One NAME alone is no fleet: the verb runs here, and its document is the only one.
 */
#ifndef CMD_FLEET_H
#define CMD_FLEET_H

#include "command.h"

struct fleet_options {
	bool all;
	struct strings where;
	unsigned parallel;
};

/* Rows for the options of a command whose struct TYPE has a member `struct fleet_options fleet`. */
#define FLEET_OPTIONS(type) \
	FLAG_INSTEAD("all", type, fleet.all, "Every VE, in place of NAME."), \
	STRINGS_INSTEAD("where", "FIELD=GLOB", type, fleet.where, \
			"Every VE whose FIELD matches, as 'vectl list' filters; FIELD!=GLOB: does not match. May be " \
			"repeated; all must hold."), \
	UNSIGNED("parallel", 0, "N", type, fleet.parallel, "Of several VEs work on N at a time; else on one after the other.")
/* The end of such a command's description, and its line among the exit codes. */
#define FLEET_DESCRIPTION \
	"\n\nOf several VEs all are found before the first is touched. One that fails does not keep the others from it. With --json " \
	"there is one array, with an element a VE, as soon as there is more than one NAME, --all or --where."
#define FLEET_EXIT "1 of several VEs some failed\n"
#define FLEET_OPERAND { "NAME", .many = true }

struct fleet_member {
	char *name, *uuid; /* uuid NULL: there is no such VE */
	int pid, pidfd, out, err, code;
};

struct fleet {
	bool several; /* else the call's one operand is meant, and nothing was looked up */
	struct fleet_member *members;
	size_t n;
};

/* Who is meant: the first N_NAMES operands, or --all, or --where. MISSING_OK: a NAME that is none is a member without uuid.
 * Returns 0, or the exit code after it was told what is wrong. */
int fleet_find(struct call *call, const struct fleet_options *o, size_t n_names, bool missing_ok, struct fleet *ret);
/* Runs ONE for each, with the member as the first operand and what followed the names behind it. Returns the exit code. */
int fleet_run(struct call *call, const struct fleet_options *o, const struct fleet *f, size_t n_names,
	      int (*one)(struct call *call));
void fleet_done(struct fleet *f);
#define _cleanup_fleet_ __attribute__((cleanup(fleet_done)))
/* Both, where every operand is a NAME. */
int fleet_verb(struct call *call, const struct fleet_options *o, int (*one)(struct call *call));

#endif
