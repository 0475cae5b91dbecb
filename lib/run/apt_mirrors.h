/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which Debian mirrors an image is built from and will use: those of the host's own apt sources (one-line and
 * deb822 files, and "mirror+file:" lists), so that an image inherits the provider's mirror and the library
 * names none.
 *
 * Archives are told apart by a component of the URI's path: ".../debian" is the main archive,
 * ".../debian-security" the security archive. URIs with a user name in them are passed over: every tenant could
 * read it in the image.
 */
#ifndef RUN_APT_MIRRORS_H
#define RUN_APT_MIRRORS_H

#include "base/error.h"

struct apt_mirrors {
	char *main, *security; /* NULL: unknown */
};

/* Reads /etc/apt/sources.list and sources.list.d below ROOT_FD. Files that are missing or odd are passed over.
 * 0 or -ENOMEM. */
int apt_mirrors_of_host(int root_fd, struct apt_mirrors *m);
/* Adds what TEXT names and M does not have yet. RET_LISTS (may be NULL) gets the paths of "mirror+file:" lists. */
int apt_mirrors_from_text(struct apt_mirrors *m, const char *text, char ***ret_lists);
/* A URI that may stand in an apt source line as it is: http, https, file or copy, no user name, no odd
 * characters. */
bool apt_mirror_is_good(const char *uri);
void apt_mirrors_done(struct apt_mirrors *m);
#define _cleanup_mirrors_ __attribute__((cleanup(apt_mirrors_done)))

#endif
