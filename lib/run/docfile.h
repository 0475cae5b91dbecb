/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small JSON documents beside a VE's configuration: what its provider has said about it (blocked.json, locked.json). Each is
 * there as long as it holds, so that it survives a reboot of the host and goes along with a copy of the VE.
 */
#ifndef RUN_DOCFILE_H
#define RUN_DOCFILE_H

#include "run/handle.h"

/* A new reference to the object in NAME below DIR_FD; json_null() where there is no such file, NULL where it cannot be read. */
json_t *docfile_read(int dir_fd, const char *name);
/* Replaces NAME in V's directory, durably. */
int docfile_write(const struct ve *v, const char *name, const json_t *doc, ve_error **ret_error);
/* Removes it, durably; a missing one is success. */
int docfile_remove(const struct ve *v, const char *name, ve_error **ret_error);

#endif
