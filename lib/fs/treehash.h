/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree's manifest, and its SHA-256: what an image's content is.
 *
 * The manifest is text, one line a file in the order of a walk that takes each directory's names in byte order,
 * a directory before what it holds; the root is ".":
 *
 *   etc/passwd type=file mode=0644 uid=0 gid=0 size=926 sha256=...
 *   usr/bin/ping type=file mode=0755 uid=0 gid=0 size=90568 sha256=... xattr.security.capability=<sha256 of the value>
 *   bin type=link uid=0 gid=0 target=usr/bin
 *   dev/null type=char mode=0666 uid=0 gid=0 device=1:3
 *   usr/bin/perl5.36.0 type=hardlink to=usr/bin/perl      (the name that the walk meets first has the rest)
 *
 * Bytes up to space, DEL, and '\' are written \xNN in names. What is left out, and why: times (a build's, not
 * the content's: with them no two builds would agree), inode numbers, allocation, labels of the host's security
 * modules, and the link counts of files that have names outside the tree.
 *
 * The tree is hostile: nothing outside it is opened (each step is one name relative to a held descriptor, links
 * not followed), nothing that is no regular file or directory is opened at all, mount points are not crossed,
 * memory and depth are bounded. trusted.* and user.overlay.* attributes would steer an overlay that has the
 * tree as a layer: a tree with one is refused.
 */
#ifndef FS_TREEHASH_H
#define FS_TREEHASH_H

#include <stddef.h>

#include "base/error.h"

enum { TREEHASH_DIGEST_LENGTH = 64 };

struct treehash_opts {
	ve_progress_fn progress; /* NULL: silence. Called with files done of n_expected */
	void *progress_data;
	const char *what;        /* the phrase for progress */
	uint64_t n_expected;     /* 0: unknown */
	int cancel_fd;           /* see ve_ctx_set_cancel_fd(); -1: never */
};

struct treehash {
	char digest[TREEHASH_DIGEST_LENGTH + 1]; /* SHA-256 of the manifest */
	uint64_t n_files;    /* lines */
	uint64_t size_bytes; /* disk space, files with several names counted once */
};

/* Walks the tree at ROOT_FD (a directory, not O_PATH), writes the manifest to OUT_FD (-1: nowhere). WHAT names
 * the tree in messages ("image 'busybox'"). Errors: VE_ERR_DATA (refused tree), -EINTR (cancelled), system
 * errors. */
int treehash_write(int root_fd, int out_fd, const char *what, const struct treehash_opts *opts,
		   struct treehash *ret, ve_error **ret_error);

/* Compares the tree with the manifest that can be read from MANIFEST_FD (a regular file; the position moves).
 * VE_ERR_DATA names the first difference: which file is missing, was added, or was changed, and in what. */
int treehash_check(int root_fd, int manifest_fd, const char *what, const struct treehash_opts *opts,
		   ve_error **ret_error);

/* SHA-256 of the file at FD from its present position, in hexadecimal. 0 or -errno. */
int treehash_file(int fd, char ret[TREEHASH_DIGEST_LENGTH + 1]);

#endif
