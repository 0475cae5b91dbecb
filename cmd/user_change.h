/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands about one user of a VE share: their operands are the VE's NAME and USER. */
#ifndef CMD_USER_CHANGE_H
#define CMD_USER_CHANGE_H

#include "command.h"

/* Opens the VE, lets CHANGE do it, and says so: "DONE the user ann in web1", or "web1 ALREADY". Returns the exit code. */
int user_change(struct call *call, int (*change)(ve *v, const char *user, ve_error **e), const char *done, const char *already);

#endif
