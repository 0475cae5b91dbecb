/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/login.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

/* (uid_t)-1 stands for "nobody has logged in"; a kernel without audit has no such file. */
static uid_t login_uid(void)
{
	char text[16];
	if (file_read_line(AT_FDCWD, "/proc/self/loginuid", text, sizeof(text)) <= 0)
		return getuid();
	uid_t uid = (uid_t)strtoul(text, NULL, 10);
	return uid == (uid_t)-1 ? getuid() : uid;
}

char *login_name(void)
{
	uid_t uid = login_uid();
	struct passwd entry, *found = NULL;
	char buffer[4096];
	int r = getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found);
	return r == 0 && found ? strdup(found->pw_name) : str_printf("%u", (unsigned)uid);
}
