/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that came from elsewhere. A VE makes directories, files, links, FIFOs and sockets on its storage, and an overlay the
 * marks of what was removed; whoever brings a directory along may have put in more.
 */
#ifndef FS_FOREIGN_H
#define FS_FOREIGN_H

#include <stdint.h>

#include "base/error.h"

/* VE_ERR_DATA, with its path, where the tree or file NAME below DIR_FD (missing: success) has what no VE could have made: a device,
 * another file system in it, a file with a name outside of the tree (a hard link to one of the host's would give that one away),
 * or directories that are nested too deeply. No link is followed, nothing but directories is opened. RET_BYTES is raised by what it
 * takes on the disk. */
int foreign_check(int dir_fd, const char *name, uint64_t *ret_bytes, ve_error **ret_error);

#endif
