/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key "volumes", and the disks that are there for it (fs/volume.h), brought together. One that a configuration has for the first
 * time is made before that is written; one that it has no longer goes after that, and not while a running VE has it.
 */
#ifndef RUN_VOLUMES_H
#define RUN_VOLUMES_H

#include "fs/storage.h"
#include "model/volume.h"
#include "run/handle.h"

/* Opened for a start: detached mounts, in their order. */
struct volumes {
	struct volume of[VOLUMES_MAX];
	int fds[VOLUMES_MAX];
	unsigned n;
};

/* Makes those of TO that FROM (NULL: nothing) has not. */
int volumes_make(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error);
/* Makes V's: copies of OLD's, which does not run, as far as that has them. */
int volumes_clone(struct ve *old, struct ve *v, ve_error **ret_error);
/* Makes V's of what is in the directory FROM_FD, which came from elsewhere. */
int volumes_adopt(int from_fd, struct ve *v, ve_error **ret_error);
/* Before TO is written: what FROM has besides may go. */
int volumes_let_go(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error);
/* C's, each brought to its size. */
int volumes_open(struct ve *v, const struct config *c, struct volumes *ret, ve_error **ret_error);
void volumes_close(struct volumes *all);
/* Brings those that both have from FROM's sizes to TO's. RUNNING: while the VE runs. On error all have those that they had. */
int volumes_resize(struct ve *v, const struct config *from, const struct config *to, bool running, ve_error **ret_error);
/* After C is written, or instead of it: of those that came or went, those go that neither C has nor V runs with. */
void volumes_sweep(struct ve *v, const struct config *c);

/* VE_ERR_STATE, where one of the list OLD is not in FRESH: it would go without anybody having said so. */
int volumes_check_kept(const json_t *old, const json_t *fresh, ve_error **ret_error);
/* Warns of those of OLD that FRESH has not: they go with all that is in them. */
void volumes_warn_gone(struct ve *v, const struct config *old, const struct config *fresh);

/* What one of them holds; all -1 where that is not known. */
void volumes_usage(struct ve *v, const char *name, struct storage_usage *ret_usage);
/* One more mount of one of the running V's; -1 where there is none. */
void volumes_look(struct ve *v, const char *name, int *ret_mount_fd);

#endif
