/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a VE may be called, and uuids. */
#ifndef MODEL_NAME_H
#define MODEL_NAME_H

#include "base/error.h"

enum { UUID_LENGTH = 36, NAME_MAX_LENGTH = 63 };

/* [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?, and not shaped like a UUID. The error (VE_ERR_USAGE) quotes NAME safely,
 * says what is wrong with it; KIND words it ("VE", "image", "template"). */
int name_check(const char *kind, const char *name, ve_error **ret_error);
bool uuid_is(const char *s);
/* A random (version 4) uuid from getrandom(2). */
int uuid_make(char ret_uuid[UUID_LENGTH + 1], ve_error **ret_error);

#endif
