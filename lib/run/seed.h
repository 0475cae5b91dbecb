/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cloud-init's NoCloud seed: files in a VE that cloud-init reads at its first boot, and at the first one as another instance. What is
 * in them is the caller's, and may be secret: it is in the VE's tree and nowhere else.
 */
#ifndef RUN_SEED_H
#define RUN_SEED_H

#include "run/launch.h"

/* More is no seed: others who take such data draw the line at 16 or 64 KiB. */
enum { SEED_USER_DATA_MAX = 64 * 1024, SEED_META_DATA_MAX = 16 * 1024, SEED_CHANGES = 8 };

/* VE_ERR_USAGE: O has more of it than may be. */
int seed_check(const struct ve_create_opts *o, ve_error **ret_error);
/* What brings O's seed into the new V, behind CHANGES[*N]; nothing where O has none. RET_TEXT is the caller's to free when they are
 * done. */
int seed_make(const struct ve *v, const struct ve_create_opts *o, struct file_change *changes, unsigned *n, char **ret_text,
	      ve_error **ret_error);
/* The same for V, a clone: its pattern's seed is emptied, where there is one, and names V. */
int seed_renew(const struct ve *v, struct file_change *changes, unsigned *n, char **ret_text, ve_error **ret_error);

#endif
