/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key "mounts": directories and files of the host's, opened for a VE.
 *
 * What the VE writes there has its ids taken off: root inside is root on the host, with every setuid bit that it sets. So a
 * place that other users of the host can reach is given to write in only where the host mounts it nosuid. And no component of
 * the path may be a symbolic link: whoever may write above it could make it lead elsewhere.
 */
#ifndef RUN_HOSTMOUNT_H
#define RUN_HOSTMOUNT_H

#include "model/bindmount.h"
#include "model/config.h"
#include "model/store.h"

struct hostmount {
	struct bindmount spec;
	bool is_dir;
	int fd; /* a detached mount, without the mounts below it */
};

struct hostmounts {
	struct hostmount *of;
	unsigned n;
};

/* By M's spec, the rest of M. Errors: see hostmounts_open(). */
int hostmount_open(const struct store *s, struct hostmount *m, ve_error **ret_error);
/* All of C's. VE_ERR_NOT_FOUND, VE_ERR_CONFIG: it is a link, no directory or file, one of the store's own, above them, or
 * not safe to write in. */
int hostmounts_open(const struct store *s, const struct config *c, struct hostmounts *ret, ve_error **ret_error);
void hostmounts_done(struct hostmounts *m);
/* The same for who writes C down in OLD's place (NULL: nothing's), where it has others than OLD. */
int hostmounts_check(const struct store *s, const struct config *old, const struct config *c, ve_error **ret_error);

#endif
