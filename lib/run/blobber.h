/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building the plan that the monitor receives (run/monitor/blob.h). Out of memory and overflow are sticky: they are
 * checked once, by blobber_finish(). Descriptors stay the caller's. */
#ifndef RUN_BLOBBER_H
#define RUN_BLOBBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "run/monitor/blob.h"

struct blobber {
	struct blob head;
	char *data; /* the head's room, then what its offsets point to */
	size_t len, cap;
	int fds[BLOB_MAX_FDS];
	unsigned n_fds;
	bool failed, too_large;
};

void blobber_init(struct blobber *b, enum mon_role role);
void blobber_done(struct blobber *b);
#define _cleanup_blobber_ __attribute__((cleanup(blobber_done)))
blob_str blobber_str(struct blobber *b, const char *s); /* NULL: 0 */
/* N elements of SIZE bytes, copied, aligned to 8. */
struct blob_vec blobber_vec(struct blobber *b, const void *data, size_t n, size_t size);
/* A vector of strings. */
struct blob_vec blobber_strv(struct blobber *b, const char *const *v);
/* The index of FD among those that are sent; -1 for a negative FD. */
int32_t blobber_fd(struct blobber *b, int fd);
struct blob_vec blobber_fds(struct blobber *b, const int *fds, unsigned n);
/* The command gets a terminal of its own, of the size of the caller's (descriptor 0). */
void blobber_tty(struct blobber *b);
/* Writes the head. The message is DATA and LEN, with FDS. */
int blobber_finish(struct blobber *b, ve_error **ret_error);

#endif
