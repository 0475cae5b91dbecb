/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Password hashes for /etc/shadow, by libcrypt (crypt(5): yescrypt, "$y$"). The library is loaded on first
 * need, so that the verbs without a password do not pay for it, and unloaded again.
 */
#ifndef SYS_HASH_H
#define SYS_HASH_H

#include "base/error.h"

/* The hash of PASSWORD (1 to 511 bytes, no control characters: else VE_ERR_USAGE, which does not quote it) with
 * a fresh salt; the caller frees. VE_ERR_UNSUPPORTED: the host's libcrypt is missing or does not know yescrypt.
 * Nothing of the password stays in the library's memory; wiping PASSWORD itself is the caller's. Thread-safe. */
int hash_password(const char *password, char **ret_hash, ve_error **ret_error);

#endif
