/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An account of a VE as the key "users" has it, one string each:
 *
 *	NAME [uid=N] [groups=GROUP,...] [home=PATH] [shell=PATH] [password=HASH] [locked] [ssh-key='LINE']...
 *
 * Words have blanks between them; one with blanks in it stands in '...' or "...". The password is one that crypt(5) has hashed
 * already: a plain one is refused, as a configuration is read, copied and shown. No error quotes what may be a secret.
 */
#ifndef MODEL_USERACCOUNT_H
#define MODEL_USERACCOUNT_H

#include <stdbool.h>

#include "base/error.h"

enum { USERACCOUNT_NAME_MAX = 32, USERACCOUNT_PATH_MAX = 200, USERACCOUNT_ID_MAX = 65533 };

struct useraccount {
	char *name, *home, *shell, *hash; /* but for the name: or NULL */
	char **groups, **ssh_keys;	  /* or NULL */
	bool has_uid, locked;
	unsigned uid;
};

/* VE_ERR_CONFIG. */
int useraccount_parse(const char *text, struct useraccount *ret, ve_error **ret_error);
void useraccount_done(struct useraccount *u);
#define _cleanup_useraccount_ __attribute__((cleanup(useraccount_done)))
/* The one spelling; the caller frees. */
int useraccount_canonical(const char *text, char **ret_text, ve_error **ret_error);
/* The same without its hash: what is shown. */
int useraccount_masked(const char *text, char **ret_text, ve_error **ret_error);

/* A name for a new account, as adduser(8) has them; and one that a VE may have given somebody. */
bool useraccount_is_name(const char *s);
bool useraccount_may_be_name(const char *s);
/* Absolute, without what would end a field of passwd(5); a home has a name at its end besides. */
bool useraccount_is_path(const char *s);
bool useraccount_is_home(const char *s);
/* A line of authorized_keys (sshd(8)): options may stand before the key's type, and base64 behind it. */
bool useraccount_is_ssh_key(const char *line);

#endif
