/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who sits behind a process that runs as root. */
#ifndef SYS_LOGIN_H
#define SYS_LOGIN_H

/* The name of the user who logged in, whatever he became since (sudo, su): of the login uid that the kernel keeps for a
 * session (pam_loginuid(8)), else, in a service or a cron job, of the real user id. A user without a name is his number. The
 * caller frees; NULL: out of memory. */
char *login_name(void);

#endif
