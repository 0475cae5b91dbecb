/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE that somebody keeps to himself for a while (vectl lock): ve/UUID/locked.json, {"by","reason","at","until"}. Whoever else
 * changes the VE is refused, with these words. Everybody who asks is root: it holds off colleagues and programs of good
 * will, who say who they are, and nobody else. The lock that serialises verbs is another: base/lock.h.
 */
#ifndef RUN_ADMINLOCK_H
#define RUN_ADMINLOCK_H

#include "run/handle.h"

/* A new reference to {"by","reason","at","until"}; json_null() where the VE is not locked, or not any more. */
json_t *adminlock_read(const struct ve *v);
/* May the caller change V? VE_ERR_BUSY, who locked it, since when and why; "cannot VERB 'web1': ...". */
int adminlock_check(struct ve *v, const char *verb, ve_error **ret_error);

#endif
