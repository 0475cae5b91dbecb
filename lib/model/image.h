/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images in the store:
 *
 *   images/NAME/DIGEST/image.json   what it is (below)
 *   images/NAME/DIGEST/manifest     one line a file (fs/treehash.h), so that `verify` can name the one that differs
 *   images/NAME/DIGEST/rootfs/      the tree
 *   images/NAME/current -> DIGEST   what NAME means to the next `create`
 *
 * What a digest holds never changes. DIGEST is 64 hexadecimal digits: SHA-256 over the fields of image.json
 * that say how the tree is run and over the manifest (image_digest()).
 *
 * image.json:
 *   schema 1, name, digest, distribution, version, architecture ("amd64"); init (absolute path inside, or null: jails
 *   only), init_system ("systemd", "sysv", "busybox", "none"), stop_signal ("SIGRTMIN+3"; null without an init),
 *   tree (SHA-256 of the manifest), size_bytes (disk space of the tree), files (lines of the manifest), created_at
 *   (RFC 3339), recipe {name,digest} or null.
 */
#ifndef MODEL_IMAGE_H
#define MODEL_IMAGE_H

#include <jansson.h>

#include "base/error.h"

enum { IMAGE_SCHEMA = 1, IMAGE_DIGEST_LENGTH = 64, IMAGE_JSON_MAX_BYTES = 1 << 20 };

struct image {
	char *name, *digest;
	char *distribution, *version, *architecture;
	char *init;        /* absolute path inside, "/sbin/init"; NULL: none (jails only) */
	char *init_system; /* "systemd", "sysv", "busybox", "none": which adapter */
	int stop_signal;   /* SIGRTMIN+3 for systemd; 0 without an init */
	json_t *doc;       /* the whole image.json */
};

/* What REFERENCE (see image_open()) names, without looking into the image, which may be damaged. RET_DIGEST: within REFERENCE,
 * or NULL: it names none. */
int image_refer(int images_fd, const char *reference, char **ret_name, const char **ret_digest, ve_error **ret_error);
/* REFERENCE is NAME, or NAME@DIGEST. IMAGES_FD is the store's images directory (-1: there is none yet). A
 * missing image is VE_ERR_NOT_FOUND with the nearest name, a damaged image.json VE_ERR_DATA, a malformed
 * reference VE_ERR_USAGE. */
int image_open(int images_fd, const char *reference, struct image **ret_image, ve_error **ret_error);
/* A descriptor (O_PATH | O_DIRECTORY) of the root tree. */
int image_open_rootfs(int images_fd, const struct image *image, int *ret_fd, ve_error **ret_error);
/* A descriptor (O_RDONLY | O_DIRECTORY) of images/NAME/DIGEST. */
int image_open_dir(int images_fd, const struct image *image, int *ret_fd, ve_error **ret_error);
void image_free(struct image *image);
void image_freep(struct image **image);
#define _cleanup_image_ __attribute__((cleanup(image_freep)))

/* An array of the images' documents with name, digest, size_bytes, created_at and "current" (whether NAME means
 * this digest), by name, the current one first. A damaged image does not spoil the list: it is
 * {name,digest,current,"damaged": why}. */
int image_list(int images_fd, json_t **ret_array, ve_error **ret_error);

/* Checks image.json's DOC (WHAT names it in messages): VE_ERR_DATA names the field. RET_IMAGE may be NULL. */
int image_parse(json_t *doc, const char *what, struct image **ret_image, ve_error **ret_error);
/* The digest that DOC must have, into RET (fields "tree", "distribution", "version", "architecture", "init",
 * "init_system", "stop_signal"). Returns 0 or -ENOMEM. */
int image_digest(const json_t *doc, char ret[IMAGE_DIGEST_LENGTH + 1]);
bool image_is_digest(const char *s);

/* "SIGTERM", "SIGRTMIN+3", "37": the number, or -EINVAL. */
int image_parse_signal(const char *name);

#endif
