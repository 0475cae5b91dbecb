/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd's credentials, as a container manager gives them: a read-only directory of files, one a credential, that the variable
 * CREDENTIALS_DIRECTORY of process 1 names. They are kept in the directory credentials/ beside the VE's configuration, on the
 * host, and given anew at each start: its root may replace or remove a file there at any time.
 */
#ifndef RUN_CREDENTIALS_H
#define RUN_CREDENTIALS_H

#include "run/handle.h"

/* systemd takes a megabyte, of all of them together. */
enum { CREDENTIALS_MAX_BYTES = 1 << 20, CREDENTIALS_MAX = 256 };
#define CREDENTIALS_PLACE "/run/host/credentials"

/* VE_ERR_USAGE: O has one with a name that systemd would not take, twice, or too much of them. */
int credentials_check(const struct ve_create_opts *o, ve_error **ret_error);
/* Puts O's into the directory of the new V. */
int credentials_save(const struct ve *v, const struct ve_create_opts *o, ve_error **ret_error);
/* Puts those that the directory FROM_FD of a VE of another host has into that of the new V. */
int credentials_adopt(const struct ve *v, int from_fd, ve_error **ret_error);
/* A detached mount with those of V, read-only and OWNER's alone; -1 where it has none. */
int credentials_mount(const struct ve *v, uint32_t owner, int *ret_mount, ve_error **ret_error);

#endif
