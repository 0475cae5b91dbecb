/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vectl-ended ROOT UUID STATUS: what a monitor becomes when its VE's init has ended and no verb is stopping it. It cleans up
 * and, after a reboot, starts the VE again. STATUS is a wait status, or -1 where nobody could wait.
 *
 * vectl-ended ROOT UUID quota: what a monitor runs when a transfer quota of its VE has been used up, or begins anew.
 * vectl-ended ROOT UUID notice: likewise, when its VE was refused memory or processes.
 * vectl-ended ROOT UUID disk-full|files-full DISK: likewise, when a disk of its VE's, or the host's below it, is full.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ve.h>

/* Nobody waits for this process: it can afford to wait for whoever holds the VE's lock. */
enum { LOCK_TIMEOUT_MS = 120000 };

/* Words that tell of something in a running VE. */
enum word { QUOTA, NOTICE, DISK_FULL, FILES_FULL, WORD_COUNT };
static const struct {
	const char *word;
	int argc;
} words[WORD_COUNT] = { { "quota", 4 }, { "notice", 4 }, { "disk-full", 5 }, { "files-full", 5 } };

/* WORD_COUNT: it is none. */
static enum word word_of(int argc, char **argv)
{
	unsigned w = 0;
	while (w < WORD_COUNT && !(argc == words[w].argc && strcmp(argv[3], words[w].word) == 0))
		w++;
	return (enum word)w;
}

static int tell(ve_ctx *ctx, enum word w, char **argv, ve_error **ret_error)
{
	switch (w) {
	case QUOTA:
		return ve_quota(ctx, argv[2], ret_error);
	case NOTICE:
		return ve_notice(ctx, argv[2], ret_error);
	default:
		return ve_disk_full(ctx, argv[2], argv[4], w == FILES_FULL, ret_error);
	}
}

int main(int argc, char **argv)
{
	ve_ctx *ctx = NULL;
	ve_error *error = NULL;
	char *end = NULL;
	enum word w = word_of(argc, argv);
	long status = argc == 4 ? strtol(argv[3], &end, 10) : 0;
	if (w == WORD_COUNT && (argc != 4 || *argv[3] == '\0' || *end != '\0')) {
		fprintf(stderr, "usage: vectl-ended ROOT UUID STATUS|quota|notice\n"
				"       vectl-ended ROOT UUID disk-full|files-full DISK\nIt is started by a VE's monitor.\n");
		return 64;
	}
	int r = ve_ctx_new(argv[1], &ctx, &error);
	if (r == 0) {
		ve_ctx_set_lock_timeout_ms(ctx, LOCK_TIMEOUT_MS);
		r = w == WORD_COUNT ? ve_ended(ctx, argv[2], (int)status, &error) : tell(ctx, w, argv, &error);
	}
	int code = r < 0 ? ve_category_exit_code(ve_error_category(error)) : 0;
	if (r < 0)
		fprintf(stderr, "vectl-ended: %s\n", ve_error_message(error));
	ve_error_free(error);
	ve_ctx_free(ctx);
	return code;
}
