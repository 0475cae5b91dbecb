/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan of a start: everything that the kernel will be asked for, validated, before anything is asked. It is made from a
 * configuration and changes nothing but to open descriptors.
 */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "cg/cgroup.h"
#include "fs/storage.h"
#include "model/config.h"
#include "model/image.h"
#include "net/net.h"
#include "run/blobber.h"
#include "run/handle.h"
#include "run/volumes.h"
#include "sec/rlimits.h"
#include "sec/seccomp.h"

enum { PLAN_MAX_IFS = 8 };

struct plan {
	struct ve *ve;
	const struct config *config;
	bool jail;		/* runs one application: the lean root, no notify socket */
	bool read_only;		/* its root tree */
	uint32_t id_base;
	struct image *image;	/* NULL with a rootfs directory */
	struct storage storage;
	struct volumes volumes;
	bool plain; /* plan_plain_names are there in its storage */
	struct seccomp_policy policy;
	uint64_t caps;
	struct rlimit_value rlimits[RLIMITS_MAX];
	int n_rlimits;
	struct cg_limits limits;
	struct net_plan net;
	struct net_if ifs[PLAN_MAX_IFS];
	char *resolv_conf; /* NULL: left as it is */
	bool notify;	   /* the image's init reports over NOTIFY_SOCKET */
};

/* What of /var/lib is no part of an overlay where containers may run inside: their own overlays want a plain file system. */
enum { PLAN_N_PLAIN = 3 };
extern const char *const plan_plain_names[PLAN_N_PLAIN + 1];

/* ROOTFS_FD: a root tree in the place of the image's (run --rootfs), or -1; taken over. */
int plan_make(struct ve *v, const struct config *c, int rootfs_fd, struct plan *ret_plan, ve_error **ret_error);
void plan_done(struct plan *p);
#define _cleanup_plan_ __attribute__((cleanup(plan_done)))
/* The image that V was made from, as C says. */
int plan_image(const struct ve *v, const struct config *c, struct image **ret_image, ve_error **ret_error);
/* Filters, capabilities and rlimits alone (joiners); P->limits must be there. */
int plan_security(struct plan *p, ve_error **ret_error);
/* Can V be started with C's limits, filters, capabilities and rlimits? For those who would write it down. */
int plan_check(struct ve *v, const struct config *c, ve_error **ret_error);
/* Has this host what L needs? */
int plan_check_limits(struct ve *v, const struct cg_limits *l, ve_error **ret_error);
void plan_freeze_security(struct blobber *b, const struct plan *p);
/* What a configuration says about control groups and about the network alone (set, detach). NET's storage is IFS. */
void plan_limits(const struct config *c, struct cg_limits *ret_limits);
/* Does it limit or weigh what is read and written of disks? Then they must be known: those that the files FDS are on. */
bool plan_limits_disks(const struct config *c);
/* Does it bind the VE to some CPUs? */
bool plan_binds_cpus(const struct config *c);
void plan_disks(struct cg_limits *l, const int *fds, unsigned n_fds);
/* plan_limits() and the disks of V's own files. */
void plan_limits_of(struct ve *v, const struct config *c, struct cg_limits *ret_limits);
/* P->rlimits alone; P->limits must be there. */
int plan_rlimits(struct plan *p, ve_error **ret_error);
/* The plan borrows from C, which lives as long. */
int plan_network(struct ve_ctx *ctx, const struct config *c, struct net_if ifs[PLAN_MAX_IFS], struct net_plan *ret_net,
		 ve_error **ret_error);
void plan_network_done(struct net_plan *net);

#endif
