/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images in the store: images/NAME/DIGEST/{image.json,rootfs/} and the link images/NAME/current -> DIGEST.
 * What a digest holds never changes. DIGEST is 64 hexadecimal digits, SHA-256 over the tree (see run/image_digest.h).
 */
#ifndef MODEL_IMAGE_H
#define MODEL_IMAGE_H

#include <jansson.h>

#include "base/error.h"

struct image {
	char *name, *digest;
	char *distribution, *version, *architecture;
	char *init;        /* absolute path inside, "/sbin/init"; NULL: none (jails only) */
	char *init_system; /* "systemd", "sysv", "busybox", "none": which adapter */
	int stop_signal;   /* SIGRTMIN+3 for systemd */
	json_t *doc;       /* the whole image.json */
};

/* REFERENCE is NAME, or NAME@DIGEST. IMAGES_FD is the store's images directory. A missing image is VE_ERR_NOT_FOUND with the
 * nearest name, a damaged image.json VE_ERR_DATA. */
int image_open(int images_fd, const char *reference, struct image **ret_image, ve_error **ret_error);
/* A descriptor (O_PATH | O_DIRECTORY) of the root tree. */
int image_open_rootfs(int images_fd, const struct image *image, int *ret_fd, ve_error **ret_error);
void image_free(struct image *image);
void image_freep(struct image **image);
#define _cleanup_image_ __attribute__((cleanup(image_freep)))
/* An array of the images' documents with name, digest, size_bytes, created_at. */
int image_list(int images_fd, json_t **ret_array, ve_error **ret_error);

#endif
