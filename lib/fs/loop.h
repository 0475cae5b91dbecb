/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loop devices. Each is set to go by itself with its last user (autoclear): nobody need take it away, and a verb that is
 * killed leaves none.
 */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include <stdbool.h>

#include "base/error.h"

struct loop {
	int fd; /* holds it until something is mounted from it */
	unsigned number;
};

/* Is the file open in anybody's hands but ours, so that it may be behind a device? FILE_FD must be open for writing. */
int loop_in_use(int file_fd);
/* The device that is behind FILE_FD: 0, or -ENOENT without a message. */
int loop_find(int file_fd, struct loop *ret_loop);
/* A new one. VE_ERR_NO_ROOM: none is free. */
int loop_attach(int file_fd, struct loop *ret_loop, ve_error **ret_error);
/* Is the file system of FD mounted from the device that is behind FILE_FD? */
bool loop_backs(int file_fd, int fd);
/* The device that the file system of FD is mounted from; -ENODEV: no loop device. -errno without a message. */
int loop_number(int fd, unsigned *ret_number);
/* Its path: "/dev/loop3". */
enum { LOOP_NAME_SIZE = 32 };
int loop_name(int fd, char ret_name[LOOP_NAME_SIZE]);
/* Waits until nobody else has the file: a mount goes some time after the last process that had it. VE_ERR_BUSY. */
int loop_await_end(int file_fd, const char *what, ve_error **ret_error);
/* The same for so long; false: somebody still has it. */
bool loop_await_end_for(int file_fd, int deadline_ms);

#endif
