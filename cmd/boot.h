/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs on all VEs at once, for the unit of the host: start --boot and stop --shutdown. */
#ifndef CMD_BOOT_H
#define CMD_BOOT_H

#include "command.h"

typedef int (*boot_fn)(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);

/* Calls FN and tells what it did, VE by VE: "DONE web1", or why not. 1 if some failed. */
int boot_run(struct call *call, boot_fn fn, const char *done);

#endif
