/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VE's disk.* keys and its storage (fs/storage.h) brought together. */
#ifndef RUN_DISK_H
#define RUN_DISK_H

#include "fs/storage.h"
#include "run/handle.h"

/* What disk.user_quota asks for beside it: the back end, VE_ERR_UNSUPPORTED, which says what has it; the system call policy that can
 * have its calls answered, VE_ERR_CONFIG. */
int disk_check_quota(const struct config *c, ve_error **ret_error);
/* And of the host, if it is on: tried out. For those who would write it down. */
int disk_check_host(const struct config *c, ve_error **ret_error);
/* Makes the storage that V's configuration asks for, from the image's tree. */
int disk_prepare(struct ve *v, int image_fd, ve_error **ret_error);
/* Makes it of a copy of OLD's, which does not run. */
int disk_clone(struct ve *old, struct ve *v, ve_error **ret_error);
/* Makes it of what is in the directory FROM_FD, which came from elsewhere (storage_adopt()). */
int disk_adopt(int from_fd, struct ve *v, ve_error **ret_error);
/* Opens it as C says. IMAGE_FD is taken over. */
int disk_open(struct ve *v, const struct config *c, int image_fd, struct storage *ret_storage, ve_error **ret_error);
/* Brings it from FROM's limits to TO's. RUNNING: while the VE runs. On error nothing has changed. */
int disk_resize(struct ve *v, const struct config *from, const struct config *to, bool running, ve_error **ret_error);
/* What it holds; all -1 where that is not known. */
void disk_usage(struct ve *v, struct storage_usage *ret_usage);

#endif
