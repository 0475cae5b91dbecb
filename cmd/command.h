/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command is. Each command's row (its words, operands, options, texts and handler) stands in the
 * command's own file; table.c lists the rows. The parser, --help, the man pages and the shell completion all
 * derive from these rows and from nothing else.
 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <ve.h>

/* ---- options ---- */

struct strings { /* an option that may be repeated; NULL-terminated, NULL while it was never given */
	const char **items;
	size_t n;
};

struct seconds { /* a time, or a time that may be left out ("--wait[=SECONDS]": given, with value 0) */
	bool given;
	unsigned value;
};

enum option_kind {
	OPTION_FLAG,	/* bool */
	OPTION_STRING,	/* const char * */
	OPTION_STRINGS, /* struct strings */
	OPTION_UNSIGNED, /* unsigned */
	OPTION_SECONDS, /* struct seconds: "90", "90s", "5m", "1h", "1d" */
	OPTION_MAYBE_SECONDS, /* struct seconds, the value only behind '=' */
};

struct option {
	const char *name;  /* without the dashes */
	char letter;       /* of the short form, or 0 */
	enum option_kind kind;
	const char *value; /* what the value is called, "DIR"; decides how it is completed */
	size_t offset;     /* of the member in the command's options struct */
	const char *doc;
	bool common;	   /* it is stored in struct common_options, though only some commands have it */
	bool instead;      /* it stands in place of the first operand: "start --boot", "set --all KEY=VALUE" */
	bool hidden;       /* for the build and the tests; not in the help */
};

/* The offset of MEMBER, refused by the compiler unless it is of type WANT. */
#define MEMBER_OF(type, member, want) \
	(offsetof(type, member) + \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->member), want) ? 1 : -1]))

#define FLAG(name, letter, type, member, doc) \
	{ name, letter, OPTION_FLAG, NULL, MEMBER_OF(type, member, bool), doc }
#define FLAG_INSTEAD(name, type, member, doc) \
	{ name, 0, OPTION_FLAG, NULL, MEMBER_OF(type, member, bool), doc, .instead = true }
#define STRINGS_INSTEAD(name, value, type, member, doc) \
	{ name, 0, OPTION_STRINGS, value, MEMBER_OF(type, member, struct strings), doc, .instead = true }
#define FLAG_HIDDEN(name, type, member, doc) \
	{ name, 0, OPTION_FLAG, NULL, MEMBER_OF(type, member, bool), doc, .hidden = true }
#define STRING(name, value, type, member, doc) \
	{ name, 0, OPTION_STRING, value, MEMBER_OF(type, member, const char *), doc }
#define STRINGS(name, value, type, member, doc) \
	{ name, 0, OPTION_STRINGS, value, MEMBER_OF(type, member, struct strings), doc }
#define UNSIGNED(name, letter, value, type, member, doc) \
	{ name, letter, OPTION_UNSIGNED, value, MEMBER_OF(type, member, unsigned), doc }
#define SECONDS(name, type, member, doc) \
	{ name, 0, OPTION_SECONDS, "SECONDS", MEMBER_OF(type, member, struct seconds), doc }
#define MAYBE_SECONDS(name, type, member, doc) \
	{ name, 0, OPTION_MAYBE_SECONDS, "SECONDS", MEMBER_OF(type, member, struct seconds), doc }
#define OPTIONS_END { .name = NULL }

/* The options that every command takes; see options.c. */
struct common_options {
	const char *root, *actor, *reason;
	bool json, quiet, help, unprivileged_keys_only, dry_run;
	struct seconds lock_timeout;
};
extern const struct option common_options[];
/* The row of a command that changes something and can be tried: ve_ctx_set_dry_run(). */
#define DRY_RUN_OPTION \
	{ "dry-run", 0, OPTION_FLAG, NULL, MEMBER_OF(struct common_options, dry_run, bool), \
	  "Check what can be checked, say what would be done, and do nothing.", .common = true }
/* Of one that has no other. */
extern const struct option dry_run_options[];

/* ---- commands ---- */

struct operand {
	const char *name; /* "NAME"; decides how it is completed */
	bool optional;
	bool many; /* it may be repeated; of two such the command itself tells which word is which */
};

struct example {
	const char *command; /* what is typed; several lines are several commands */
	const char *says;    /* what it does */
};

enum command_group {
	GROUP_LIFECYCLE,
	GROUP_INSIDE,
	GROUP_JAILS,
	GROUP_LOOK,
	GROUP_CHANGE,
	GROUP_IMAGES,
	GROUP_TEMPLATES,
	GROUP_HOST,
	GROUP_HELP,
	GROUP_COUNT,
};

enum command_flags {
	COMMAND_GUEST = 1 << 0,  /* ends in a command of the guest's, whose status is ours */
	COMMAND_CANCEL = 1 << 1, /* a signal asks the library to undo the verb (see cancel.c) */
	COMMAND_NO_STORE = 1 << 2, /* works without a ve_ctx */
};

enum { OPERANDS_MAX = 3, EXAMPLES_MAX = 4 };

struct call;

struct command {
	const char *name; /* one word, or two: "image list" */
	enum command_group group;
	unsigned flags;
	struct operand operands[OPERANDS_MAX + 1];
	const struct option *options; /* ends with OPTIONS_END; NULL: none of its own */
	size_t options_size;
	int (*run)(struct call *call); /* returns the exit code */
	const char *summary;           /* one line, no period */
	const char *description;       /* paragraphs, an empty line between them */
	struct example examples[EXAMPLES_MAX + 1];
	const char *exits; /* "CODE why" lines: what the codes of vectl(8) mean for this command */
	const char *see;   /* further pages, "start(8) stop(8)" without the vectl- */
	const char *since;
};

/* One command line, parsed. */
struct call {
	const struct command *command;
	const void *options; /* the command's own struct */
	struct common_options common;
	const char **operands; /* NULL-terminated */
	size_t n_operands;
	ve_ctx *ctx;
	bool detached; /* of a command with COMMAND_GUEST: nobody waits for the guest's status, and ours are those of other commands */
};

/* ---- the table ---- */

extern const struct command *const command_table[]; /* in the order of the help, NULL-terminated */
const char *command_group_title(enum command_group group);
/* The command called NAME ("start", "image list"), or NULL. */
const struct command *command_find(const char *name);
/* Is WORD the first of two words ("image")? */
bool command_is_prefix(const char *word);

#endif
