/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of the monitor: the plan that was received, and how a failure is reported. */
#ifndef MONITOR_MON_H
#define MONITOR_MON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "blob.h"

struct mon {
	const struct blob *blob;
	const char *base;      /* where the blob's offsets count from */
	int fds[BLOB_MAX_FDS]; /* as received */
	unsigned n_fds;
	int control;	       /* the socket to libve */
	int sync;	       /* the socket between monitor and child: each its own end */
	pid_t child;
	int pidfd;
	pid_t verb;  /* the process that runs the verb, our parent */
	int console; /* pty master, -1: none */
	int console_slave;
	int root_mount; /* the detached root tree */
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
void msg_failed(int sock, const char *stage, const struct failure *f);
int mon_receive(struct mon *m, void *buffer, size_t size);


/* ---- maps.c ---- */
int maps_write(struct mon *m, struct failure *f);
int timens_write(struct mon *m, struct failure *f);

/* ---- layers.c ---- */
int layers_open(struct mon *m, int userns_fd, struct failure *f);

/* ---- birth.c: the monitor's side of a start ---- */
int birth(struct mon *m);
void steps_print(void);
/* Writes PID ("0": ourselves) into every cgroup.procs of V. */
int groups_enter(const struct mon *m, struct blob_vec v, pid_t pid, struct failure *f);

/* ---- child.c: the child's side ---- */
int child_main(struct mon *m);
void stages_print(void);
/* Closes all but 0, 1, 2 and the sync socket. */
int stage_shed(struct mon *m, struct failure *f);

/* ---- fault.c ---- */
int fault_here(struct mon *m, const char *stage, struct failure *f);

/* ---- files.c: what the VE's root writes into its own tree ---- */
int files_apply(const struct mon *m, struct failure *f);

/* ---- supervise.c ---- */
int supervise(struct mon *m);
int adopt(struct mon *m);
int join_main(struct mon *m);

#endif
