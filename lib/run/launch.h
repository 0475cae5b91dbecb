/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Launching: a plan becomes processes. Used by start and run (a whole VE), and by create and passwd (work inside
 * a stopped VE). Everything acquired pushes its undo; on failure nothing is left.
 */
#ifndef RUN_LAUNCH_H
#define RUN_LAUNCH_H

#include "base/undo.h"
#include "run/plan.h"
#include "run/spawn.h"

struct launch_command {
	const char *const *argv; /* NULL: the configuration's command, else the image's init */
	const char *const *env;	 /* added to the configuration's */
	const char *cwd, *user;
	const int *stdio; /* three descriptors handed to the command, or NULL */
	bool tty;
	bool attended; /* run: the VE lives as long as its caller, and its end is reported */
	bool hands_on; /* once the command may run, what would cancel is the command's, and waits for the caller */
	bool reaper;   /* a jail's process 1 is vectl's own, as it is wherever the configuration has a command */
};

struct launched {
	struct spawn spawn; /* open only with `attended` */
	pid_t init_pid;
	int init_pidfd;	 /* with `attended`, else -1; the caller's */
	int terminal_fd; /* with `tty`: the master */
};

/* Starts PLAN's VE, whose lock is held. On success groups, links and the running record stand. */
int launch(struct plan *p, const struct launch_command *cmd, struct launched *ret_launched, ve_error **ret_error);
/* The same as a start: what the last run left is cleaned first, hooks are run, and it is written down. Returns VE_CHANGED.
 * ROOTFS_FD as in plan_make(), taken over. (start.c) */
int start_launch(struct ve *v, int rootfs_fd, const struct launch_command *cmd, struct launched *ret_launched, ve_error **ret_error);
/* Takes away what a launch left on the host when init is dead: groups, links, routes, run files. C: the configuration it was
 * started with. Tolerates what is gone already; the first trouble is reported, the rest is still done. Of a dry run nothing is. */
int launch_clean(struct ve *v, const struct config *c, ve_error **ret_error);

/* What a monitor needs to watch V: sockets (-1: none), log, and whom to tell of the end. */
void launch_freeze_supervision(struct blobber *b, const struct ve *v, int console_listen, int notify_socket, int traffic, bool attended);

/* What tells it that V is refused something. KEPT is the caller's to close once the plan is sent. */
void launch_freeze_watched(struct blobber *b, struct cg *cg, struct cg_watched kept[CG_WATCHED_MAX], unsigned *ret_n);
/* Where a monitor that outlives the verb belongs. */
int launch_freeze_monitor_groups(struct blobber *b, struct cg_host *cg, ve_error **ret_error);

/* One change of the VE's own files. */
struct file_change {
	enum blob_file_kind kind;
	const char *path, *data;
	unsigned mode;
	size_t n_data;		/* 0: DATA up to its NUL */
	const char *only_with;	/* a path without which nothing is done, or NULL */
};
/* Applies CHANGES inside a stopped VE: its namespaces without its init. */
int launch_work(struct plan *p, const struct file_change *changes, unsigned n, ve_error **ret_error);
/* The same for work that B (role MON_WORK) already says: up to where the VE's root begins with it. */
int launch_work_begin(struct plan *p, struct blobber *b, struct spawn *ret_spawn, ve_error **ret_error);
/* Until it is done. Closes S. */
int launch_work_end(struct plan *p, struct spawn *s, int deadline_ms, ve_error **ret_error);

#endif
