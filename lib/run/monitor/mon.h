/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of the monitor: the plan that was received, and how a failure is reported. */
#ifndef MONITOR_MON_H
#define MONITOR_MON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "blob.h"

enum { MON_MAX_LAYERS = 17 };

struct mon {
	const struct blob *blob;
	const char *base;      /* where the blob's offsets count from */
	int fds[BLOB_MAX_FDS]; /* as received */
	unsigned n_fds;
	int control;	       /* the socket to libve */
	int sync;	       /* the socket between monitor and child: each its own end */
	bool is_child;	       /* on which side of the fork we are */
	pid_t child;
	int pidfd;
	bool child_ended; /* its wait status is STATUS */
	int status;
	struct msg tried; /* what the child said before its exec */
	bool exec_tried; /* the child had come to its exec: its end of file means that it runs */
	bool relayed;	 /* the child's own record has gone to libve: none of ours follows */
	pid_t verb;	 /* the process that runs the verb, our parent */
	int console;	 /* pty master, -1: none */
	int console_slave;
	int listener; /* of the child's filter, -1: none */
	int root_mount; /* the detached root tree */
	int layers[MON_MAX_LAYERS]; /* what it was made of, until layers_close() */
	unsigned n_layers;
	int binds[BLOB_MAX_BINDS]; /* the host's directories and files for it, in both until they are attached */
	unsigned n_binds;
	unsigned n_attached; /* so many of them */
	int volumes[BLOB_MAX_VOLUMES]; /* likewise what is of its own disks besides the root: BM_PLAIN, BM_VOLUME */
	unsigned n_volumes, n_volumes_attached;
	int host_root;	/* the child's, for devices */
	int proc_mount; /* the child's: the procfs that it made, wherever the tree's links have put it */
};

/* The string at OFF, or NULL. */
static inline const char *mon_str(const struct mon *m, blob_str off)
{
	return off ? m->base + off : NULL;
}
static inline const void *mon_at(const struct mon *m, struct blob_vec v)
{
	return m->base + v.off;
}
static inline int mon_fd(const struct mon *m, int32_t index)
{
	return index >= 0 && (unsigned)index < m->n_fds ? m->fds[index] : -1;
}

/* A failure of OP on OBJECT with ERR, to be reported as MSG_FAILED: each stage fills one and returns -1. */
struct failure {
	const char *op;
	const char *object;
	int err;
	char text[160];
};
int fail(struct failure *f, const char *op, const char *object); /* takes errno; returns -1 */

/* ---- msg.c ---- */
int msg_send(int sock, const struct msg *msg, const int *fds, unsigned n_fds);
/* Returns 1 with a message, 0 at end of file, -1 with errno. RET_FDS: at most *N_FDS, which is set. */
int msg_recv(int sock, struct msg *ret_msg, int *ret_fds, unsigned *n_fds);
/* The one descriptor that comes with a message of any kind, -1: none did. Does not wait. */
int msg_recv_fd(int sock);
void msg_failed(int sock, const char *stage, const struct failure *f);
int mon_receive(struct mon *m, void *buffer, size_t size);

/* ---- caller.c: what a process inherits that nobody asked for ---- */
void caller_forget(void);
/* Raises our hard limits to the plan's: in the VE's user namespace nothing can. */
int caller_raise_limits(const struct mon *m, struct failure *f);

/* ---- reap.c: the end of the child ---- */
enum { REAP_DEADLINE_MS = 10000, TIDY_DEADLINE_MS = 5000 };
/* Waits for it at most so long; true: M->status is set. */
bool reap_await(struct mon *m, int deadline_ms);
/* Kills it and waits, within the deadline: a process that hangs in the kernel is left to it. One that copies into the VE or
 * changes its accounts may first take away what is half made. */
void reap_kill(struct mon *m);
/* The child is gone before its exec: fills F and returns -1; or 0, where it was made to end and has done its work. */
int reap_early(struct mon *m, bool may_end, struct failure *f);
/* Of a child that has ended: the record that it left unheard, which says more than our broken pipe, goes to libve. */
void reap_relay(struct mon *m);

/* ---- maps.c ---- */
int maps_write(struct mon *m, struct failure *f);
int timens_write(struct mon *m, struct failure *f);

/* ---- layers.c ---- */
/* Gives back what the root tree was made of, which it holds itself by now. */
void layers_close(struct mon *m);
int layers_open(struct mon *m, int userns_fd, struct failure *f);

/* ---- birth.c: the monitor's side of a start ---- */
int birth(struct mon *m);
void steps_print(void);
/* Moves this process into the groups of the v1 files TASKS. */
int groups_enter(const struct mon *m, struct blob_vec tasks, struct failure *f);

/* ---- child.c: the child's side ---- */
int child_main(struct mon *m);
void stages_print(void);
/* Closes all but 0, 1, 2 and the sync socket. */
int stage_shed(struct mon *m, struct failure *f);

/* ---- fault.c ---- */
int fault_here(struct mon *m, const char *stage, struct failure *f);

/* ---- files.c: what the VE's root writes into its own tree ---- */
int files_apply(const struct mon *m, struct failure *f);
int file_write_all(int fd, const char *data, size_t n);
/* The directories above PATH; what is made gets MODE, UID and GID. */
int files_make_parents(const char *path, mode_t mode, uid_t uid, gid_t gid);
/* BF_ADD_LINES: O's lines into PATH. */
int files_add_lines(const struct mon *m, const struct blob_file *o, const char *path);
/* A whole regular file of less than SIZE bytes, never waiting for one: the number of bytes, or -1 with errno (EINVAL: it is no
 * regular file, EFBIG). FLAGS: O_NOFOLLOW or none. */
struct stat;
ssize_t file_read_regular(const char *path, int flags, char *buf, size_t size, struct stat *ret_st);

/* ---- copy.c: what goes in and out of the VE ---- */
enum { COPY_STREAM_FD = 0 };
/* Descriptor 0 becomes the stream, before everything else is closed. */
int copy_keep_stream(const struct mon *m, struct failure *f);
int copy_run(const struct mon *m, struct failure *f);
/* The directory FROM becomes TO, which is not there yet, all of it owned by UID and GID. Returns -1 with errno. */
int copy_inside(const char *from, const char *to, uid_t uid, gid_t gid);
/* In the parent, once the child has it: only then does the other end see the child go. */
void copy_forget_stream(const struct mon *m);

/* ---- supervise.c ---- */
int supervise(struct mon *m);
/* Before the VE can speak: the notify socket will tell who does. */
void supervise_prepare(const struct mon *m);
/* Becomes the program of libve's that decides: vectl-ended ROOT UUID WHAT, and OF_WHICH where it is not NULL. Returns only on
 * failure. */
void helper_become(const struct mon *m, const char *what, const char *of_which);

/* ---- join.c ---- */
int join_main(struct mon *m);
/* Up to the child's exec, or to the end of its work. On failure libve has been told and the child is gone. */
int join_child(struct mon *m);

/* ---- adopt.c ---- */
int adopt(struct mon *m);

#endif
