/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libve hands the monitor: one frozen plan, and what the two say to each other afterwards.
 *
 * The plan is one message on the control socket (descriptor 3 of the monitor, SOCK_SEQPACKET): `struct blob`, then the
 * bytes that its offsets point to; the descriptors that it speaks of by index come with it (SCM_RIGHTS). Both
 * sides are built from one tree, so the layout is the compiler's; the version word only catches an
 * installation torn in two by an upgrade.
 *
 * Then, for a VE (roles MON_SUPERVISE and MON_WORK):
 *
 *     monitor -> libve   MSG_CLONED   pid, status (the monitor's pid), and fds {pidfd, network namespace}
 *     libve -> monitor   MSG_GO       the links are made
 *     monitor -> libve   MSG_STARTED  init runs (MON_SUPERVISE; status: enum adapt_note, object: the distribution's ID), or the
 *                                     files are written (MON_WORK)
 *     libve -> monitor   MSG_COMMIT   the running record is on disk; from here on libve may go away
 *     monitor -> libve   MSG_ENDED    wait status (only while libve still listens: `run`)
 *
 * and for a joiner (MON_JOIN):
 *
 *     joiner -> libve    MSG_CLONED   pid of the finished child
 *     libve -> joiner    MSG_GO       it is in the VE's groups
 *     joiner -> libve    MSG_STARTED  the command runs; with a terminal: fds {pty master}
 *     joiner -> libve    MSG_ENDED    wait status
 *
 * At any point MSG_FAILED may come instead: one fixed record of the stage that failed. End of file from libve
 * before MSG_COMMIT means that the verb was killed: the monitor kills what it made and ends.
 */
#ifndef MONITOR_BLOB_H
#define MONITOR_BLOB_H

#include <stdint.h>

enum { BLOB_MAGIC = 0x62656c76, BLOB_VERSION = 11, BLOB_MAX_BYTES = 192 * 1024, BLOB_MAX_FDS = 96, BLOB_MAX_BINDS = 16, BLOB_MAX_VOLUMES = 11, BLOB_MAX_DISKS = 10, CONTROL_FD = 3 };

enum mon_role { MON_SUPERVISE = 1, MON_WORK, MON_JOIN, MON_ADOPT };

/* Offsets count from the start of the blob; offset 0 is "none". */
typedef uint32_t blob_str;
struct blob_vec {
	uint32_t off, n; /* N elements of the type that the field's comment says */
};

enum blob_flags {
	BLOB_NO_NEW_PRIVS = 1 << 0,
	BLOB_NESTING = 1 << 1,	     /* user namespaces are allowed inside */
	BLOB_TTY = 1 << 2,	     /* stdio is a new pty of the VE's own, whose master the caller gets */
	BLOB_STDIO = 1 << 3,	     /* stdio is fds fd_stdio[0..2] (run, exec); with neither it is the console */
	BLOB_LOGIN = 1 << 4,	     /* the command is the user's login shell */
	BLOB_REPORT_END = 1 << 5,    /* libve waits for MSG_ENDED, and the VE goes with it (run) */
	BLOB_ADAPT = 1 << 6,	     /* the environment is completed from the VE's passwd file (HOME, USER, SHELL) */
	BLOB_OWN_MOUNT = 1 << 7,     /* fd_root or fd_upper is a detached mount of its own, no directory of the store's */
	BLOB_NAMESPACES = 1 << 8,    /* the filter lets it make some, whose number is to be bounded */
	BLOB_REAPER = 1 << 9,	     /* process 1 is ours (reaper.c), and the command its child */
	BLOB_READ_ONLY = 1 << 10,    /* the root tree is, once its mounts and files are made */
	BLOB_SHARE_MOUNTS = 1 << 11, /* inside, mounts propagate from one mount namespace to another (systemd) */
	BLOB_USER_QUOTA = 1 << 12,   /* the first of the programs is listened to: see userquota.h */
};

enum root_kind { ROOT_DIR = 1, ROOT_OVERLAY };

/* What the child mounts below its root, in order; see stage_mounts. Made in the child's own namespaces. */
enum blob_mount_kind {
	BM_FS = 1,  /* fsopen(fstype), options "k=v,k" */
	BM_DEVICE,  /* the host's node of the same path, bound onto a new file */
	BM_LINK,    /* symlink: SOURCE is what it says */
	BM_DIR,	    /* mkdir, MODE */
	BM_FD,	    /* the detached mount fds[FD] */
	BM_NODES,   /* the same, over the host's /dev as the child sees it until it pivots: nodes of the VE's own */
	BM_NODE,    /* as BM_DEVICE, of those; with the directories above it */
	BM_UNBIND,  /* of a VE that runs: such a mount of the host's fds[FD] goes, if it is there */
	BM_BIND,    /* the same of the host's SOURCE, with the VE's ids and ATTRS that its root cannot change */
	BM_VOLUME,  /* the same of a further file system of the VE's own, with its ids */
	BM_PLAIN,   /* the directory SOURCE beside the overlay's upper layer; before those of BM_VOLUME */
};
struct blob_mount {
	uint32_t kind;
	blob_str target; /* below the root, without leading slash */
	blob_str fstype, options;
	blob_str source;
	uint32_t attrs; /* MOUNT_ATTR_* */
	uint32_t mode;	/* of what is made where the target is missing (optional mounts: 0): a file with S_IFREG, else a directory */
	int32_t fd;
	uint32_t optional; /* a refusal is no failure (cgroup2 on a v1 host) */
};

/* What is written into the VE's files, by the VE's root, after pivot_root. */
enum blob_file_kind {
	BF_REPLACE = 1,	 /* the whole file, through a temporary file and rename */
	BF_ADD_LINES,	 /* lines that are not there yet are appended (authorized_keys) */
	BF_PASSWORD,	 /* the hash DATA of user PATH in /etc/shadow */
	BF_REMOVE,	 /* the file goes; nothing there is as good */
	BF_REMOVE_TREE,	 /* the directory goes, and all that is in it */
	BF_EMPTY,	 /* the file, where there is one, becomes an empty one */
	BF_ZONE,	 /* the link PATH to the time zone DATA, where the VE has it: see adapt_zone() */
	BF_LOCALE,	 /* as BF_REPLACE; of the locale that DATA, "LANG=NAME\n", names, where the VE has it: see adapt_takes_locale() */
	BF_HOSTS,	 /* the line DATA, "ADDRESS\tNAME\tBLOB_HOSTS_TAG\n", of /etc/hosts: see hosts_set() */
};
/* Kinds of distributions that keep their settings at the same places: see adapt.c. */
enum blob_family {
	FAMILY_DEBIAN = 1 << 0,
	FAMILY_ALPINE = 1 << 1,
	FAMILY_BUSYBOX = 1 << 2,
	FAMILY_RHEL = 1 << 3,
	FAMILY_ARCH = 1 << 4,
	FAMILY_SUSE = 1 << 5,
	FAMILIES_ALL = (1 << 6) - 1,
};
#define BLOB_HOSTS_TAG "# set by vectl"
struct blob_file {
	uint32_t kind;
	blob_str path;
	struct blob_vec data; /* bytes */
	uint32_t mode, uid, gid;
	uint32_t optional;
	blob_str only_with; /* a path without which nothing is written, or none */
	uint32_t families;  /* enum blob_family: for these alone; 0: for all, known or not */
};

/* A file or a tree that goes into the VE or out of it (base/treestream.h), after its files are written; or none. */
enum blob_copy_what { BC_NONE, BC_SEND, BC_RECEIVE };
enum blob_copy_flags { BC_FOLLOW = 1 << 0, BC_REPLACE = 1 << 1, BC_KEEP_OWNER = 1 << 2 };
struct blob_copy {
	uint32_t what, flags;
	blob_str path;
	blob_str base; /* BC_RECEIVE: its name, where PATH is a directory */
	uint32_t uid, gid;
};

/* What is done to the VE's accounts; or none. The answer comes over the stream. */
enum blob_user_what { BU_NONE, BU_ADD, BU_REMOVE, BU_LOCK, BU_UNLOCK, BU_LIST };
struct blob_user {
	uint32_t what;
	uint32_t uid; /* UINT32_MAX: the next free one */
	uint32_t locked; /* BU_ADD: nobody gets in as him */
	blob_str name, home, shell, hash, keys; /* but for the name and the home: or none */
	struct blob_vec groups;			/* blob_str */
};

/* Something that tells of a refusal: an event file with the counter KEY in it, or (KEY none) an eventfd. */
struct blob_watched {
	int32_t fd;
	blob_str key;
	uint32_t silent; /* nobody notifies it: it has to be looked at */
};

/* Something that can be full. FD: what statfs(2) is asked of; with a LIMIT_FD both are files with a number of bytes, those in use and
 * those that may be (0: any number). */
struct blob_disk {
	int32_t fd, limit_fd;
	blob_str name; /* "disk", "volume.NAME", "host" */
};

struct blob_rlimit {
	uint32_t resource, pad;
	uint64_t soft, hard;
};

struct blob {
	uint32_t magic, version, size, role, flags;
	blob_str uuid;
	blob_str ended_program; /* exec'd when init has ended: PROGRAM ROOT UUID STATUS; or "quota" is due, or "notice"; or "disk-full" or
				 * "files-full", and of which */
	blob_str root_dir;	/* the store's root, for that program */
	blob_str log_name;	/* console log, below fd_log_dir */
	uint64_t log_max_bytes;
	uint32_t id_base, id_count;
	uint64_t cap_bounding;
	struct blob_vec rlimits;  /* struct blob_rlimit */
	struct blob_vec programs; /* struct blob_vec of struct sock_filter */
	uint32_t root_kind;
	struct blob_vec lowers; /* int32_t fd indexes, topmost layer first */
	struct blob_vec mounts; /* struct blob_mount */
	struct blob_vec files;	/* struct blob_file */
	struct blob_vec argv, envp; /* blob_str */
	blob_str hostname, cwd;
	blob_str user; /* none: root, without a look into the VE's files where the VE is a whole system */
	int32_t fd_root, fd_upper; /* ROOT_DIR: the tree; ROOT_OVERLAY: the directory of upper/ and work/, -1: in memory */
	int32_t fd_cgroup;		    /* for CLONE_INTO_CGROUP, -1: none */
	struct blob_vec tasks, monitor_tasks; /* int32_t fd indexes of v1 "tasks" files: for the child, for the monitor */
	int32_t fd_monitor_cgroup;	      /* the monitors' cgroup2 directory, -1: none */
	int32_t fd_run_dir, fd_log_dir;
	int32_t fd_console_listen; /* unix socket, listening */
	int32_t fd_notify;	   /* unix datagram socket, bound */
	int32_t fd_quota;	   /* with BLOB_USER_QUOTA: a datagram socket for listeners, bound; of a joiner, connected to it, -1: nobody's */
	int32_t fd_quota_fs;	   /* the mount of the file system whose quotas they are */
	blob_str quota_device;	   /* its name inside */
	int32_t fd_traffic; /* the ledger that is kept once in ACCOUNT_MS, -1: none */
	uint32_t account_ms;
	struct blob_vec watched; /* struct blob_watched */
	struct blob_vec disks; /* struct blob_disk, the host's first: looked at once in ACCOUNT_MS */
	int32_t fd_stdio[3];
	struct blob_copy copy;
	struct blob_user user_change;
	int32_t fd_stream; /* a socket that the end of either speaks over, -1: none */
	uint16_t rows, columns; /* BLOB_TTY: of the caller's terminal, 0: not known */
	int32_t fd_pidfd; /* MON_JOIN, MON_ADOPT: init */
	int32_t fd_userns; /* MON_JOIN, for BM_BIND: the VE's user namespace */
	uint32_t init_pid; /* MON_ADOPT: whose notifications are believed */
	blob_str ended_env[2]; /* further variables for ended_program, or none */
	blob_str fault;	       /* test builds: the stage that is to fail */
	int32_t fault_errno;   /* with this; 0: the verb is killed there */
};

/* What was left undone of a VE's adaptation, and is a warning. */
enum adapt_note {
	ADAPT_UNKNOWN = 1 << 0, /* the distribution is none that we know */
	ADAPT_NO_ZONE = 1 << 1, /* the time zone is not in its tree */
	ADAPT_FAILED = 1 << 2,	/* a file could not be written */
	ADAPT_NO_LOCALE = 1 << 3, /* the locale is not in its tree */
};

enum msg_kind { MSG_CLONED = 1, MSG_GO, MSG_STARTED, MSG_COMMIT, MSG_ENDED, MSG_FAILED };

/* The one record of a failure, and the carrier of everything else. No pointers: it crosses processes. */
struct msg {
	uint32_t kind;
	int32_t pid;	 /* MSG_CLONED: init, in the host's pid namespace */
	int32_t status;	 /* MSG_ENDED: as waitpid(2) gives it */
	int32_t err;	 /* MSG_FAILED: errno */
	char stage[24];	 /* name of the stage, from the stage table */
	char op[24];	 /* the system call, or a word */
	char object[96]; /* what it was done to */
	char text[160];	 /* the kernel's own words (mount fd log, netlink), or nothing */
};

/* What the child asks of the monitor, and back, on their own socket pair; apart from msg_kind, as MSG_FAILED goes there too. */
enum child_msg { CHILD_MAPPED = 16, CHILD_TIMENS, CHILD_GO, CHILD_CONSOLE, CHILD_FAULT, CHILD_EXEC, CHILD_LISTENER };

#endif
