/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One row a back end, for the files of fs/ alone: what fs/storage.h promises, done by one of them. VE_FD is the VE's
 * directory everywhere. A NULL stands for "nothing to do".
 */
#ifndef FS_BACKEND_H
#define FS_BACKEND_H

#include "fs/storage.h"

struct backend {
	const char *name;
	bool copies;
	bool user_quotas;
	int (*prepare)(int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error);
	/* FROM_FD: the directory of a VE whose storage is of this back end, and not in use. */
	int (*clone)(int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch, ve_error **ret_error);
	/* Of what was cloned from a directory that came from elsewhere: what cannot be seen from outside. */
	int (*inspect)(int ve_fd, const struct storage_size *size, ve_error **ret_error);
	/* Fills writable_fd and is_mount. */
	int (*open)(int ve_fd, const struct storage_size *size, struct storage *s, ve_error **ret_error);
	int (*resize)(int ve_fd, const struct storage_size *from, const struct storage_size *to, bool online,
		      ve_error **ret_error);
	int (*usage)(int ve_fd, pid_t holder, struct storage_usage *usage, ve_error **ret_error);
	/* WRITABLE_FD of one that is in use, once more. */
	int (*look)(int ve_fd, int *ret_writable_fd, ve_error **ret_error);
	/* storage_gauge(), where statfs(2) does not tell. -errno. */
	int (*gauge)(int writable_fd, struct storage_gauge *ret);
	int (*destroy)(int ve_fd, ve_error **ret_error);
	const char *const *remains; /* below the VE's directory, what a failed prepare leaves; NULL-terminated */
};

extern const struct backend backend_overlay, backend_dir, backend_btrfs, backend_image;

/* The directory NAME of the VE's storage. VE_ERR_DATA: it is not there. */
int backend_open_directory(int ve_fd, const char *name, int *ret_fd, ve_error **ret_error);
/* The tree below FROM_FD into the directory TO_FD, with everything that a file has; links are copied, and never followed. WATCH may
 * be NULL. */
int backend_copy_tree(int from_fd, int to_fd, const struct storage_watch *watch, ve_error **ret_error);
/* VE_ERR_UNSUPPORTED: KEY cannot be enforced by BACKEND on the file system of DIR_FD, WHY, and which back end can. */
int backend_cannot_limit(const char *backend, const char *key, int dir_fd, const char *why, ve_error **ret_error);
/* VE_ERR_NO_ROOM, where USED bytes are more than SIZE; 0 is no size at all. */
int backend_check_fits(uint64_t used, uint64_t size, ve_error **ret_error);

#endif
