/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file or a tree of files as a stream of frames between two processes that share nothing but a socket: one of the host's, and
 * one that has nothing but a VE's namespaces (vectl push, vectl pull). Either end may be the sender, and neither believes
 * the other.
 *
 * Why not tar: its names are whole paths, which a receiver takes apart and looks up again, and there extractors have been led
 * out of their directory; it can say links to other members, devices, owners by name, and sizes in four ways; and the end
 * in the VE is a static program without libraries, so that one side would be written by hand all the same. Here an entry
 * has one name without a '/', in the directory that was begun last: "../x" cannot even be said, and nothing is ever looked
 * up by more than one name below a directory that the receiver itself has just made.
 *
 *	COUNTING ...				while the sender still counts
 *	TOTAL	 size bytes, count entries	what is to come
 *	then one entry, without its name:
 *	FILE	 size; its DATA ... at rising offsets; END with the size that it had
 *	LINK	 what it says
 *	DIR	 its entries ...; END
 *	DONE	 count: how many entries were left out; the name of the first
 *
 * What is copied: regular files (holes stay holes), directories, symbolic links as links; permission bits, times of the last
 * change, owners where the receiver asks for them. What is not: set-user-ID and set-group-ID bits, extended attributes, that
 * two names are one file. Left out, and counted: devices, FIFOs, sockets, and what is on another file system than the top.
 *
 * The receiver makes everything below a temporary name beside the target, ".NAME.vectl-new", and renames it when it is
 * whole. On any failure that is removed; where the receiver itself was killed it stays, and the next copy to the same place
 * removes it: its lock (flock(2)) tells whether somebody is still at it.
 *
 * Nothing here allocates but for file_remove_tree(). All return 0 or -errno: EBADMSG is a stream that is none, EFBIG one that
 * is longer than was announced, EPIPE one that ended early, EOPNOTSUPP a top that is no file, directory or link, ELOOP a tree
 * deeper than TREE_DEPTH_MAX.
 */
#ifndef BASE_TREESTREAM_H
#define BASE_TREESTREAM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { TREE_DEPTH_MAX = 128, TREE_CHUNK = 64 * 1024, TREE_NAME_SIZE = NAME_MAX + 1 };

enum tree_kind { TREE_COUNTING = 1, TREE_TOTAL, TREE_FILE, TREE_DATA, TREE_LINK, TREE_DIR, TREE_END, TREE_DONE };

/* Both ends are built from one source: the layout is the compiler's. */
struct tree_frame {
	uint32_t kind, length; /* bytes that follow: a name (LINK: and a NUL, and the target), or data */
	uint64_t size;	       /* FILE, END: of the file; DATA: its offset; TOTAL: bytes */
	uint64_t count;
	uint32_t mode, uid, gid, nsec;
	int64_t mtime;
};
#define TREE_SIZE_UNKNOWN UINT64_MAX /* of a FILE that comes from a pipe */

struct treestream {
	int fd;				/* SOCK_STREAM */
	int (*wait)(void *data, int fd, short events); /* before each read and write: 0, or -errno to give up. NULL: for ever */
	void (*progress)(void *data, uint64_t done, uint64_t total); /* or NULL */
	void *data;
	uint64_t done, total;	/* bytes */
	uint64_t left_out;	/* entries */
	char first_left_out[TREE_NAME_SIZE];
	char at[PATH_MAX];	/* the entry that is under way, below the top: for messages */
	size_t begin, end;	/* of what the buffer holds */
	char buffer[TREE_CHUNK], chunk[TREE_CHUNK];
};

/* PATH below DIR_FD, with all that is below it. FOLLOW: where PATH is a link, what it leads to. */
int tree_send(struct treestream *t, int dir_fd, const char *path, bool follow);
/* What is read from IN until its end, as one file with the bits MODE. */
int tree_send_fd(struct treestream *t, int in, unsigned mode);

/* Where a copy goes, by cp's rules: a directory DST receives it under the name BASE; else DST is its new name, in a directory
 * that must be there. DST that ends in '/' must be a directory. */
int tree_target(const char *dst, const char *base, int *ret_dir_fd, char ret_name[TREE_NAME_SIZE]);

struct tree_rules {
	int dir_fd;
	const char *name; /* of the copy, in DIR_FD */
	int out_fd;	  /* with NAME NULL: one file's bytes go here */
	bool replace;	  /* a tree may take the place of a directory; a file always takes that of a file or a link */
	bool keep_owner;  /* the sender's numbers; else these: */
	uid_t uid;
	gid_t gid;
	bool bounded; /* no more than was announced, with some room for what grows meanwhile; never of unknown size */
};
int tree_receive(struct treestream *t, const struct tree_rules *rules);

/* ---- for both ends ---- */
/* Until EVENTS are there. */
int tree_await(struct treestream *t, int fd, short events);
int tree_flush(struct treestream *t);
int tree_put(struct treestream *t, const void *data, size_t n);
int tree_get(struct treestream *t, void *data, size_t n);
/* Steps down to NAME in T->at, and back to where it was: the length to go back to. */
size_t tree_enter(struct treestream *t, const char *name);
void tree_leave(struct treestream *t, size_t before);

#endif
