/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vectl-ended ROOT UUID STATUS: what a monitor becomes when its VE's init has ended and no verb is stopping it. It cleans up
 * and, after a reboot, starts the VE again. STATUS is a wait status, or -1 where nobody could wait.
 *
 * vectl-ended ROOT UUID quota: what a monitor runs when a transfer quota of its VE has been used up, or begins anew.
 * vectl-ended ROOT UUID notice: likewise, when its VE was refused memory or processes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ve.h>

/* Nobody waits for this process: it can afford to wait for whoever holds the VE's lock. */
enum { LOCK_TIMEOUT_MS = 120000 };

int main(int argc, char **argv)
{
	ve_ctx *ctx = NULL;
	ve_error *error = NULL;
	char *end = NULL;
	bool quota = argc == 4 && strcmp(argv[3], "quota") == 0, notice = argc == 4 && strcmp(argv[3], "notice") == 0;
	long status = argc == 4 ? strtol(argv[3], &end, 10) : 0;
	if (argc != 4 || *argv[3] == '\0' || (*end != '\0' && !quota && !notice)) {
		fprintf(stderr, "usage: vectl-ended ROOT UUID STATUS|quota|notice\nIt is started by a VE's monitor.\n");
		return 64;
	}
	int r = ve_ctx_new(argv[1], &ctx, &error);
	if (r == 0) {
		ve_ctx_set_lock_timeout_ms(ctx, LOCK_TIMEOUT_MS);
		r = quota  ? ve_quota(ctx, argv[2], &error) :
		    notice ? ve_notice(ctx, argv[2], &error) :
			     ve_ended(ctx, argv[2], (int)status, &error);
	}
	int code = r < 0 ? ve_category_exit_code(ve_error_category(error)) : 0;
	if (r < 0)
		fprintf(stderr, "vectl-ended: %s\n", ve_error_message(error));
	ve_error_free(error);
	ve_ctx_free(ctx);
	return code;
}
