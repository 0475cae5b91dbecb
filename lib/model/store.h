/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where everything on disk is. A store is a root directory with the usual places below it:
 *
 *   etc/vectl/                    host.json, templates/
 *   var/lib/vectl/images/         NAME/DIGEST/{image.json,rootfs}, NAME/current
 *   var/lib/vectl/ve/UUID/        config.json, state.json, rootfs storage (see fs/), 0700
 *   var/lib/vectl/claims/KIND/KEY -> UUID   links that make names, id ranges and addresses unique
 *   run/vectl/UUID/               lock, record.json, console.sock, notify/
 *   var/log/vectl/                events.jsonl, audit.jsonl, UUID.console.log
 *
 * A claim is made by symlinkat(2), which is atomic: whoever makes it owns the key. Claims are an index: the
 * truth is in the configurations, and recover makes the claims anew from them. A claim whose VE has no
 * directory is dead and may be taken over under the store's lock.
 */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

#include <jansson.h>

#include "base/error.h"
#include "model/name.h"

struct store {
	char *root;       /* "/" or an absolute path without a trailing slash */
	char tag[12]; /* "" for "/", else "-" and eight hexadecimal digits of the root: keeps kernel names of two
			 stores apart */
	int etc_fd;       /* etc/vectl, -1 if missing */
	int lib_fd;       /* var/lib/vectl */
	int run_fd;       /* run/vectl */
	int log_fd;       /* var/log/vectl */
	int images_fd, ve_fd, claims_fd;
	int jails_fd; /* run/vectl/jails: what ve/ is for VEs that last, for those that go with their caller */
	bool look_only; /* claims are asked for, as if they were taken, and neither made nor given up */
	char **template_dirs; /* for template_open() */
};

/* ROOT: NULL is "/"; links in it are resolved, so that one directory has one tag. MAKE: directories are made
 * (mutating verbs); else missing ones give descriptors of -1. Refused (VE_ERR_PERMISSION): a directory of the
 * store that is not root's (or the caller's), that others may write to, or, of images/ and ve/, that others may
 * enter (files in there carry the setuid bits of tenants). */
int store_open(const char *root, bool make, struct store **ret_store, ve_error **ret_error);
void store_free(struct store *s); /* NULL is allowed */
void store_freep(struct store **s);
#define _cleanup_store_ __attribute__((cleanup(store_freep)))

enum claim_kind { CLAIM_NAME, CLAIM_IDS, CLAIM_ADDRESS, CLAIM_PREFIX, CLAIM_LINK, CLAIM_PORT, CLAIM_KIND_COUNT };

/* Claims KEY (letters, digits and "._:-") for UUID. -EEXIST (VE_ERR_EXISTS) names the owner; its own claim is
 * success. The VE's directory must be there before: a claim without it is dead, and taken over by whoever
 * comes. */
int store_claim(struct store *s, enum claim_kind kind, const char *key, const char *uuid, ve_error **ret_error);
/* Gives it up; nothing where it is somebody else's. destroy does this before it removes the VE's directory. */
void store_unclaim(struct store *s, enum claim_kind kind, const char *key, const char *uuid);
/* All keys of KIND that are claimed, dead claims among them, unordered; strv_free(). For looking for a free one.
 */
int store_claim_keys(struct store *s, enum claim_kind kind, char ***ret_keys, ve_error **ret_error);
/* Removes the claims whose VE has no directory: of verbs that were killed, of jails when the host went down. */
int store_sweep_claims(struct store *s, ve_error **ret_error);
/* The owner's uuid: 0, or -ENOENT without a message (no claim, or a dead one). */
int store_claimed_by(struct store *s, enum claim_kind kind, const char *key, char ret_uuid[UUID_LENGTH + 1]);

/* The uuid of the VE called NAME_OR_UUID (VE_ERR_NOT_FOUND, with the nearest name as hint). */
int store_find(struct store *s, const char *name_or_uuid, char ret_uuid[UUID_LENGTH + 1], ve_error **ret_error);
/* All uuids that have a directory, NULL-terminated; strv_free(). */
int store_uuids(struct store *s, char ***ret_uuids, ve_error **ret_error);
/* Descriptors of a VE's directories. store_open_run() makes its one where MAKE says so; else a missing one (the VE
 * does not run) is -ENOENT without a message. */
int store_open_ve(struct store *s, const char *uuid, int *ret_fd, ve_error **ret_error);
/* Makes the VE's directory: below var/lib/vectl/ve, or, of one that goes with its caller, below run/vectl/jails, which is in
 * memory and gone with the boot. store_remove_ve() removes it with all that is in it; what is missing is success. */
int store_make_ve(struct store *s, const char *uuid, bool ephemeral, ve_error **ret_error);
int store_remove_ve(struct store *s, const char *uuid); /* 0 or -errno, no sentence */
bool store_has_ve(const struct store *s, const char *uuid);
int store_open_run(struct store *s, const char *uuid, bool make, int *ret_fd, ve_error **ret_error);

/* The installation's own directories: compiled in, or from VECTL_DATADIR and VECTL_LIBEXECDIR (a build tree). */
const char *store_data_dir(void);    /* .../share/vectl: ve/ (templates), recipes/, seccomp/, nft/ , schema/ */
const char *store_libexec_dir(void); /* .../libexec/vectl */

#endif
