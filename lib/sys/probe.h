/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this host's kernel can do, asked feature by feature and never by version. A probe changes nothing and
 * leaves nothing: what has to be tried is tried on detached mounts and in throwaway children. All probes
 * together take some milliseconds; no verb runs them ahead of its work. A verb that failed where a feature may
 * be missing asks probe_one(), and fails with the words that `vectl check` prints.
 */
#ifndef SYS_PROBE_H
#define SYS_PROBE_H

#include "base/error.h"

/* LOW: it is a number that would do for a few VEs only, as the host's limits often are when it is new. */
enum probe_answer { PROBE_ABSENT, PROBE_LOW, PROBE_PRESENT };

/* FEATURE is a stable word ("idmapped-mounts"); NEEDED_BY a phrase; DETAIL what was seen, never NULL; HINT what
 * to do where the feature is absent, or NULL. REQUIRED: without it no VE starts; else something is weaker, and
 * NEEDED_BY says what. All strings live until the function returns. */
typedef void (*probe_row_fn)(const char *feature, enum probe_answer answer, bool required,
			     const char *needed_by, const char *detail, const char *hint, void *data);

/* Calls FN for every feature, in the order of the table. STORE_DIR_FD: any directory of the filesystem that
 * holds (or will hold) the store; not O_PATH; -1 where there is none. Returns the number of required features
 * that are absent. */
int probe_all(int store_dir_fd, probe_row_fn fn, void *data);

/* 0 if FEATURE is present; else -EOPNOTSUPP (VE_ERR_UNSUPPORTED) in the words of the row: "the host lacks
 * 'FEATURE', needed by NEEDED_BY: DETAIL", and its hint. A word that is no feature: -EINVAL (VE_ERR_BUG). */
int probe_one(const char *feature, int store_dir_fd, ve_error **ret_error);

/* A file descriptor of a user namespace of nobody's, ids 0 to 65535 mapped to BASE and up, as idmapped mounts
 * want one; the child that made it is gone when this returns. -errno on failure. */
int probe_userns(unsigned base);

#endif
