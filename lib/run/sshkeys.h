/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Public keys as callers give them, made lines of authorized_keys. */
#ifndef RUN_SSHKEYS_H
#define RUN_SSHKEYS_H

#include "base/error.h"

/* KEYS (NULL-terminated, or NULL; several lines each), checked, as one text that the caller frees; NULL: there are none. */
int sshkeys_join(const char *const *keys, char **ret_text, ve_error **ret_error);

#endif
