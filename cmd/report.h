/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command says and how it ends: errors, warnings, what was done; in words for people, as JSON for
 * programs. All return the exit code that the command ends with.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "command.h"
#include "options.h"

/* How the commands that run something inside a VE end where the command itself gave no status. */
enum { EXIT_OURS = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* A library call failed with R (-errno) and E, which is freed. */
int report_failure(const struct call *call, int r, ve_error *e);
/* The program itself refuses; FMT is a sentence as the library's. */
int report_refusal(const struct call *call, enum ve_category category, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* WHAT ("--root chooses the store") is not for callers with --unprivileged-keys-only. */
int report_unprivileged(const struct call *call, const char *what);
int report_usage(const struct call *call, const struct usage *usage);

/* A verb on V succeeded with R (enum ve_changed). DONE ("started") and ALREADY ("is running already") word it: the
 * line is "started web1 (192.0.2.10)" or "web1 is running already". */
int report_change(struct call *call, ve *v, int r, const char *done, const char *already);
/* The same without addresses, for verbs after which they mean nothing. */
int report_change_plain(struct call *call, ve *v, int r, const char *done, const char *already);
/* Warnings of the last verb, on standard error; nothing with --json, whose document has them. */
void report_warnings(const struct call *call);
/* One line, unless --quiet or --json. report_done(): about what was done, or would be. */
void report_done(const struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report_line(const struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What a command looked at: R (-errno) with E, which is freed, or DOC. True: it is told already, as an error or as the JSON that
 * was asked for, and the command ends with *RET_CODE. False: warnings are told, and DOC is to be shown to a person. */
bool report_look(const struct call *call, int r, ve_error *e, const ve_doc *doc, int *ret_code);
/* Prints DOC as the command's one JSON document. */
int report_json(const ve_doc *doc);
int report_json_text(const char *json);
/* {"name":NAME,"changed":...}, where JSON is wanted. */
int report_changed(const struct call *call, const char *name, int changed);
/* The image or pool NAME was removed. */
int report_removed(const struct call *call, const char *name);
/* What was looked at has nothing wrong: "NAME is VERDICT", as a document {"name":NAME,"valid":true}. */
int report_valid(const struct call *call, const char *name, const char *verdict);

/* FD has all that was printed: 0, or the exit code after a message about the failed write. */
int report_flush(void);

#endif
