/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole files relative to a directory descriptor, and trees. All return 0 or -errno and make no sentence:
 * the caller knows what the file is. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads at most MAX bytes (longer: -EFBIG) of a regular file or a kernel file into fresh memory, with a NUL
 * behind them. A link as last component is not followed. RET_SIZE may be NULL. */
int file_read(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_size);
/* Reads a small kernel file into BUF and cuts trailing white space. Returns the length. */
int file_read_line(int dir_fd, const char *path, char *buf, size_t size);

/* Replaces PATH as one step: temporary file in the same directory, fsync where DURABLE, rename, fsync of the
 * directory where DURABLE. */
int file_replace(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, bool durable);

/* One write(2) to an existing kernel file (cgroup, sysctl). */
int file_poke(int dir_fd, const char *path, const char *text);

/* Writes all of DATA. */
int write_all(int fd, const void *data, size_t size);

/* mkdir -p below DIR_FD (AT_FDCWD for absolute paths); what is made gets MODE. */
int file_mkdirs(int dir_fd, const char *path, mode_t mode);
/* Opens a directory, O_PATH not set, link not followed. */
int file_opendir(int dir_fd, const char *path);

/* Removes the tree NAME below DIR_FD without ever leaving it: links are removed, not followed; mount points
 * are not crossed (-EXDEV). A missing tree is success. */
int file_remove_tree(int dir_fd, const char *name);

#endif
