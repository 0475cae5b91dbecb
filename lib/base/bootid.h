/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which boot of the host this is: what was written down in another one says nothing about processes and cgroups. */
#ifndef BASE_BOOTID_H
#define BASE_BOOTID_H

enum { BOOT_ID_SIZE = 40 };

/* Into *RET_ID the kernel's random id (random(4)); or -errno. Read once, for it cannot change while we live. */
int boot_id(const char **ret_id);

#endif
