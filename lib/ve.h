/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ve.h - the public interface of libve, OS-level virtualization for Linux.
 *
 * Everything that vectl(8) does goes through this header; a panel or a daemon can do the same.
 *
 * Conventions, for every function unless it says otherwise:
 *   - Return: 0 (or a non-negative value where stated) on success, else a negative errno(3) value.
 *     The last parameter, `ve_error **ret_error`, may be NULL; on failure it receives an error object that
 *     the caller frees with ve_error_free(). It is never written on success.
 *   - Outputs come last, are named ret_*, and are written only on success. The caller owns what they
 *     receive and frees it with the function named in the declaration.
 *   - Strings are UTF-8, NUL-terminated. Options structs begin with their size: initialise with
 *     `struct ve_x_opts o = { .size = sizeof(o) };` so that a newer library can serve an older program.
 *   - Thread safety: a handle must be used by one thread at a time; different handles may be used by
 *     different threads at once. The library keeps no mutable globals and leaves the caller's signal
 *     dispositions, working directory, umask, environment and other children alone.
 *   - All calls that touch a VE need root on the host (CAP_SYS_ADMIN and friends in the initial user
 *     namespace); without it they fail with category VE_ERR_PERMISSION.
 *   - Every symbol exists since version 0.1 unless its comment says otherwise.
 */
#ifndef VE_H
#define VE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VE_API __attribute__((visibility("default")))
#else
#define VE_API
#endif

typedef struct ve_ctx ve_ctx;     /* one store (a root directory) and how to talk to the caller */
typedef struct ve ve;             /* one VE */
typedef struct ve_spec ve_spec;   /* configuration keys and values, checked against the schema */
typedef struct ve_error ve_error; /* why a call failed */
typedef struct ve_doc ve_doc;     /* data that a call returns: a JSON document, readable by path */

/* ---- errors ------------------------------------------------------------------------------------- */

/* What kind of failure it is. Each category has one process exit code (ve_category_exit_code) and one
 * name (ve_category_name); both are stable. */
enum ve_category {
	VE_ERR_NONE = 0,
	VE_ERR_USAGE,       /* 64: the call itself makes no sense */
	VE_ERR_DATA,        /* 65: an image, an archive or a record is damaged */
	VE_ERR_NOT_FOUND,   /* 66: no such VE, image, template, key or file */
	VE_ERR_UNSUPPORTED, /* 69: the host (or this version) lacks the feature */
	VE_ERR_BUG,         /* 70: vectl itself is wrong */
	VE_ERR_KERNEL,      /* 71: the kernel refused */
	VE_ERR_EXISTS,      /* 73: exists already, or is taken by somebody else */
	VE_ERR_NO_ROOM,     /* 74: disk, quota, ids, memory: no room */
	VE_ERR_BUSY,        /* 75: locked or timed out: try again */
	VE_ERR_PERMISSION,  /* 77: the caller may not */
	VE_ERR_CONFIG,      /* 78: bad configuration, template or value */
	VE_ERR_STATE,       /* 79: wrong state, blocked, protected: do not try again */
	VE_ERR_COUNT,
};

VE_API enum ve_category ve_error_category(const ve_error *e);
/* The errno of the failing call as a positive number, 0 where there was none. */
VE_API int ve_error_errno(const ve_error *e);
/* Where it failed, one word ("userns", "rootfs", "config"), never NULL. */
VE_API const char *ve_error_stage(const ve_error *e);
/* What was attempted, on which object, and why it failed: one sentence without a final period. */
VE_API const char *ve_error_message(const ve_error *e);
/* What to do about it, or NULL where the library does not truly know. */
VE_API const char *ve_error_hint(const ve_error *e);
VE_API void ve_error_free(ve_error *e); /* NULL is allowed */
VE_API const char *ve_category_name(enum ve_category c);
VE_API int ve_category_exit_code(enum ve_category c);

/* ---- documents ---------------------------------------------------------------------------------- */

enum ve_type { VE_NULL = 0, VE_BOOL, VE_INT, VE_REAL, VE_STRING, VE_ARRAY, VE_OBJECT };

/* The type at PATH ("addresses.0", "a.b"; "" is the document itself); VE_NULL also where nothing is. A key that
 * has dots of its own ("memory.limit" in a row of ve_list()) is found by its whole name before it is taken apart. */
VE_API enum ve_type ve_doc_type(const ve_doc *d, const char *path);
/* The value at PATH; strings belong to the document. A missing or differently typed value gives
 * NULL, 0, 0.0 or false. */
VE_API const char *ve_doc_string(const ve_doc *d, const char *path);
VE_API int64_t ve_doc_int(const ve_doc *d, const char *path);
VE_API double ve_doc_real(const ve_doc *d, const char *path);
VE_API bool ve_doc_bool(const ve_doc *d, const char *path);
/* Number of elements of the array, or of keys of the object, at PATH. */
VE_API size_t ve_doc_length(const ve_doc *d, const char *path);
/* The INDEX-th key of the object at PATH in document order, or NULL. */
VE_API const char *ve_doc_key(const ve_doc *d, const char *path, size_t index);
/* The INDEX-th element of the array, or value of the object, at PATH as a handle of its own (NULL: there is none);
 * it lives as long as D and is not freed. */
VE_API const ve_doc *ve_doc_at(const ve_doc *d, const char *path, size_t index);
/* The document as JSON text on one line (INDENT 0) or indented; the caller frees it with free(3). */
VE_API char *ve_doc_json(const ve_doc *d, int indent);
VE_API void ve_doc_free(ve_doc *d); /* NULL is allowed */

/* ---- context ------------------------------------------------------------------------------------ */

VE_API const char *ve_version(void);
/* The stages that the variable VE_FAULT can make fail in a test build, NULL-terminated; NULL in every other build. */
VE_API const char *const *ve_fault_stages(void);

/* Opens the store below ROOT (NULL: "/"). Nothing is created yet. */
VE_API int ve_ctx_new(const char *root, ve_ctx **ret_ctx, ve_error **ret_error);
VE_API void ve_ctx_free(ve_ctx *ctx);

/* FN hears of steps that take long: WHAT is a short phrase, DONE of TOTAL (TOTAL 0: unknown).
 * It is called on the thread that made the call. NULL: silence (the default). */
typedef void (*ve_progress_fn)(const char *what, uint64_t done, uint64_t total, void *data);
VE_API void ve_ctx_set_progress(ve_ctx *ctx, ve_progress_fn fn, void *data);
/* How long verbs wait for a VE's lock, in milliseconds (default 10000). */
VE_API void ve_ctx_set_lock_timeout_ms(ve_ctx *ctx, unsigned ms);
/* FD becomes readable (an eventfd, or the read end of a pipe) when the caller wants the verb under way to
 * stop: it is undone, and returns -EINTR. -1: never (the default). The descriptor stays the caller's. */
VE_API void ve_ctx_set_cancel_fd(ve_ctx *ctx, int fd);
/* Who asks for what is done on CTX, and why: one line each, for 'vectl history' and for locks (ve_lock()). ACTOR NULL, the
 * default: the user who logged in, else the one who runs the process. REASON NULL: none. Both are copied. */
VE_API int ve_ctx_set_actor(ve_ctx *ctx, const char *actor, ve_error **ret_error);
VE_API int ve_ctx_set_reason(ve_ctx *ctx, const char *reason, ve_error **ret_error);
/* What is done on CTX may not change configuration keys that hand power over the host (ve_keys(): privileged), whether a caller or
 * a template says so: VE_ERR_PERMISSION. For programs that act for people who shall not have that power. */
VE_API void ve_ctx_set_unprivileged_keys_only(ve_ctx *ctx, bool only);
/* Verbs end after their checks and before their first change: they fail as they would, as far as that can be told, and else return what
 * they would; ve_result() has "dry_run", and in "would_be" the state that would follow. Nothing is written, claimed or told, not even
 * into the history. ve_set(), ve_apply() and ve_edit() do as with VE_SET_DRY_RUN. What cannot be tried (ve_exec(), ve_push(),
 * ve_pull(), ve_run(), ve_recover(), ve_image_build(), ve_start_boot(), ve_stop_all(), ve_tune() but for looking) is VE_ERR_USAGE. */
VE_API void ve_ctx_set_dry_run(ve_ctx *ctx, bool on);
/* Warnings of the last verb on CTX, as an array of strings; owned by CTX, valid until the next verb. */
VE_API const ve_doc *ve_ctx_warnings(const ve_ctx *ctx);

/* ---- configuration ------------------------------------------------------------------------------ */

VE_API int ve_spec_new(ve_ctx *ctx, ve_spec **ret_spec, ve_error **ret_error);
VE_API void ve_spec_free(ve_spec *spec);
/* One assignment as typed: "KEY=VALUE", "KEY+=VALUE" or "KEY-=VALUE" (lists), "KEY=default" unsets.
 * Key, unit and range are checked here; see vectl-config(5). */
VE_API int ve_spec_assign(ve_spec *spec, const char *assignment, ve_error **ret_error);

/* The keys of a JSON document of ve_show()'s, or of a part of one, become SPEC's: but for those that say who that VE was (name, uuid,
 * hostname, aliases, owner, labels, notes, protect, addresses, MAC, gateways, forwards). WHAT names it in errors, which tell line and
 * column. For ve_create(), where SPEC's template is taken if the options name none. */
VE_API int ve_spec_read(ve_spec *spec, const char *text, const char *what, ve_error **ret_error);

/* The schema: an array of {key,type,unit,words,default,live,fixed,built,privileged,doc}, those whose key matches the glob
 * PATTERN (NULL: all). unit, words (the array of values that an enum takes) and default may be null; fixed: create alone sets it;
 * privileged: it hands power over the host. */
VE_API int ve_keys(ve_ctx *ctx, const char *pattern, ve_doc **ret_doc, ve_error **ret_error);

/* ---- lifecycle ---------------------------------------------------------------------------------- */

/* What every verb that changes something answers. */
enum ve_changed { VE_UNCHANGED = 0, VE_CHANGED = 1 };

struct ve_credential {
	const char *id;   /* a file name of printable ASCII, without ':' */
	const char *data; /* any bytes */
	size_t n_bytes;
};
struct ve_create_opts {
	size_t size;
	const char *template_name; /* NULL: the host's default.template */
	const char *image;         /* NULL: the template's, else the host's default.image */
	const ve_spec *spec;       /* assignments applied after the template, or NULL */
	const char *const *ips;    /* addresses ("192.0.2.10", "2001:db8::1/128") for network.0, NULL-terminated */
	const char *const *ssh_keys; /* lines of authorized_keys for root, NULL-terminated, or NULL */
	const char *password;      /* root's password in clear, or NULL; wiped from the library's memory */
	bool if_missing;           /* an existing VE of that name is success, unchanged */
	bool start;                /* create and start are one verb: a failed start undoes the create */
	bool keep;                 /* ... unless keep */
	bool wait;                 /* with start: wait until booted */
	unsigned wait_s;           /* 0: 120 */
	/* What cloud-init inside finds as its NoCloud seed, any bytes; NULL: none. Either brings the other: without METADATA it
	 * names the VE's uuid and hostname. At most 64 and 16 KiB. */
	const char *user_data, *meta_data;
	size_t user_data_bytes, meta_data_bytes;
	/* systemd's credentials, a megabyte of all of them at most: kept in the VE's directory on the host, and given to its init at
	 * each start. */
	const struct ve_credential *credentials;
	size_t n_credentials;
};
/* Makes a VE. Returns enum ve_changed. */
VE_API int ve_create(ve_ctx *ctx, const char *name, const struct ve_create_opts *opts, ve **ret_ve,
		     ve_error **ret_error);

struct ve_clone_opts {
	size_t size;
	const ve_spec *spec;    /* assignments on top of V's configuration, or NULL */
	const char *const *ips; /* addresses for network.0, NULL-terminated, or NULL: a routed VE becomes one with a private address */
};
/* Makes a VE called NAME from the stopped VE V: its configuration and a copy of its files, shared as far as the file system can.
 * It is another machine: uuid, ids, MAC, host keys, machine id and random seed are its own, hostname, aliases, addresses,
 * forwards, protect, credentials and what cloud-init was given are not copied; owner, labels and notes are. V is not changed. Returns enum ve_changed. */
VE_API int ve_clone(ve *v, const char *name, const struct ve_clone_opts *opts, ve **ret_ve, ve_error **ret_error);

struct ve_register_opts {
	size_t size;
	const char *name; /* NULL: the one that it has */
	bool new_uuid;    /* it is another machine than the one of this uuid, or a second one like it */
};
/* Makes a VE of DIR, a copy of a VE's directory of another host, which stays as it is: only root may be able to enter it. Its ids
 * and private addresses are allocated anew; uuid, name, addresses and everything else are its own, and refused where they are
 * taken. Its image must be here. Returns enum ve_changed. */
VE_API int ve_register(ve_ctx *ctx, const char *dir, const struct ve_register_opts *opts, ve **ret_ve, ve_error **ret_error);

/* Finds a VE by name, uuid or alias. */
VE_API int ve_open(ve_ctx *ctx, const char *name, ve **ret_ve, ve_error **ret_error);
VE_API void ve_close(ve *v); /* NULL is allowed */
VE_API const char *ve_name(const ve *v);
VE_API const char *ve_uuid(const ve *v);
/* The result document of the last verb on V: {name,uuid,changed,state,pending,warnings}. */
VE_API int ve_result(ve *v, int changed, ve_doc **ret_doc, ve_error **ret_error);

struct ve_start_opts {
	size_t size;
	bool wait;       /* return when init says it has booted (NOTIFY_SOCKET), else when init runs */
	unsigned wait_s; /* deadline of the wait, 0: 120; then -ETIMEDOUT (VE_ERR_BUSY), the VE left running */
};
VE_API int ve_start(ve *v, const struct ve_start_opts *opts, ve_error **ret_error);

struct ve_stop_opts {
	size_t size;
	int timeout_s; /* how long init may take before it is killed; -1: the VE's stop.timeout */
};
/* Asks init to stop; kills what is left after the timeout, and says so in the warnings. */
VE_API int ve_stop(ve *v, const struct ve_stop_opts *opts, ve_error **ret_error);
VE_API int ve_restart(ve *v, const struct ve_stop_opts *stop, const struct ve_start_opts *start,
		      ve_error **ret_error);
VE_API int ve_kill(ve *v, ve_error **ret_error); /* power off, at once */
VE_API int ve_freeze(ve *v, ve_error **ret_error);
VE_API int ve_thaw(ve *v, ve_error **ret_error);

enum ve_block_how {
	VE_BLOCK_STOP = 0, /* it is stopped */
	VE_BLOCK_NETWORK,  /* it runs on, and reaches nothing but the host */
	VE_BLOCK_FREEZE,   /* it is frozen */
};
struct ve_block_opts {
	size_t size;
	enum ve_block_how how;
	const char *reason; /* one line for whoever looks at it, or NULL */
};
/* The provider closes the VE, until ve_unblock(): over reboots of the host, with reason and date in ve_status(). But for
 * VE_BLOCK_NETWORK it cannot be started (VE_ERR_STATE). A block that is there is replaced. */
VE_API int ve_block(ve *v, const struct ve_block_opts *opts, ve_error **ret_error);
/* Opens it again. What was stopped is not started by this. */
VE_API int ve_unblock(ve *v, ve_error **ret_error);

struct ve_lock_opts {
	size_t size;
	const char *reason; /* one line for those whom it holds off; needed */
	uint64_t for_s;	    /* it ends by itself after so many seconds; 0: with ve_unlock() only */
};
/* Keeps V to the context's actor (ve_ctx_set_actor()): until ve_unlock() every verb of anybody else's that changes V fails
 * with VE_ERR_BUSY and says who, since when and why. Over reboots of the host; the VE itself and the host's own boot and
 * shutdown are not held off. It is for administrators who tell their names: all of them are root. The actor's own lock
 * is replaced, and somebody else's is VE_ERR_BUSY. */
VE_API int ve_lock(ve *v, const struct ve_lock_opts *opts, ve_error **ret_error);
/* Lets the others change V again. FORCE: whosever the lock is. */
VE_API int ve_unlock(ve *v, bool force, ve_error **ret_error);

struct ve_destroy_opts {
	size_t size;
	bool force; /* stop (kill) it first if it runs */
};
/* Removes the VE and everything that belongs to it. V stays to be closed. */
VE_API int ve_destroy(ve *v, const struct ve_destroy_opts *opts, ve_error **ret_error);

/* Repairs what an interrupted verb or a killed monitor left. V NULL: the whole store. It never stops,
 * restarts or reconfigures a running VE. RET_DOC (may be NULL) lists what was mended. */
VE_API int ve_recover(ve_ctx *ctx, ve *v, ve_doc **ret_doc, ve_error **ret_error);

/* Starts what boot.auto says, by boot.order, in parallel. RET_DOC: an array of results. Returns the number
 * of VEs that did not start. */
VE_API int ve_start_boot(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);
/* Stops every running VE, in reverse boot.order, in parallel, each within its stop.timeout. Returns the
 * number of VEs that did not stop. */
VE_API int ve_stop_all(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);

/* What the monitor's helper (libexec/vectl/vectl-ended) calls when a VE's init has ended with the wait status STATUS (-1:
 * not known): groups, links and records are cleaned up, and the VE is started again where it rebooted or boot.restart says so. */
VE_API int ve_ended(ve_ctx *ctx, const char *uuid, int status, ve_error **ret_error);

/* What the same helper calls, while the VE runs, when one of its transfer quotas has been used up or its billing period has
 * ended: network.N.quota_action is taken, or lifted. */
VE_API int ve_quota(ve_ctx *ctx, const char *uuid, ve_error **ret_error);

/* What the same helper calls, while the VE runs, when it was refused memory or processes: that becomes an event. */
VE_API int ve_notice(ve_ctx *ctx, const char *uuid, ve_error **ret_error);

/* What the same helper calls, while the VE runs, when its disk DISK ("disk", "volume.NAME"), or the host's below it ("host"), has no
 * room for more bytes, or OF_FILES for more files: that becomes an event. */
VE_API int ve_disk_full(ve_ctx *ctx, const char *uuid, const char *disk, bool of_files, ve_error **ret_error);

/* Waits until the VE's state is STATE ("running", "stopped", "booted"); TIMEOUT_MS -1: for ever. */
VE_API int ve_wait(ve *v, const char *state, int timeout_ms, ve_error **ret_error);

/* ---- inside ------------------------------------------------------------------------------------- */

struct ve_exec_opts {
	size_t size;
	const char *const *argv; /* NULL or empty: a login shell of the user */
	const char *const *env;  /* "K=V", added to a clean environment; NULL-terminated, or NULL */
	const char *cwd;         /* NULL: the user's home, else "/" */
	const char *user;        /* name or uid[:gid]; NULL: root */
	bool tty;                /* a new pty of the VE's own, joined to fds 0 and 1 of the caller */
	int stdio[3];            /* descriptors for 0, 1, 2 without tty; all 0: the caller's own 0, 1, 2 */
};
/* Runs a command in a running VE and waits for it. RET_STATUS: what a shell would report (its exit
 * status, or 128 + signal). A failure of vectl is a negative return; when the command could not be run
 * the category is VE_ERR_NOT_FOUND (no such command) or VE_ERR_KERNEL with stage "exec". */
VE_API int ve_exec(ve *v, const struct ve_exec_opts *opts, int *ret_status, ve_error **ret_error);

struct ve_run_opts {
	size_t size;
	const char *image;  /* NULL: the host's default jail image, unless rootfs */
	const char *rootfs; /* a directory used as the root tree, read through an idmapped mount */
	const char *template_name; /* NULL: "jail" */
	const ve_spec *spec;
	const char *const *argv; /* NULL: /bin/sh */
	const char *const *env;
	const char *cwd;
	const char *user;
	bool no_network;
	bool tty; /* not for ve_run_detached() */
	int stdio[3]; /* likewise */
	const char *name; /* NULL: one is made up */
	bool read_only;	  /* key run.read_only */
	bool keep;	  /* the VE stays, stopped, when the command has ended: its files, and in its keys all that is said here */
	bool init;	  /* process 1 is vectl's own: it reaps, and hands signals on. Always so with keep and in ve_run_detached() */
	int signal_fd;	  /* 0: none. Each byte that can be read from it is the number of a signal, which process 1 gets. It may be
			   * the context's cancel descriptor: what comes before the command may run ends the verb */
};
/* Runs one command in a VE made for it, and removes the VE. RET_STATUS as in ve_exec(). */
VE_API int ve_run(ve_ctx *ctx, const struct ve_run_opts *opts, int *ret_status, ve_error **ret_error);
/* The same, but returns when the command runs. It has the VE's console (ve_console(), ve_logs()); when it ends, or is stopped, the
 * VE is gone, unless it is kept. */
VE_API int ve_run_detached(ve_ctx *ctx, const struct ve_run_opts *opts, ve **ret_ve, ve_error **ret_error);

/* Joins the caller's terminal (fds 0 and 1) to the VE's console until the escape sequence (Ctrl-] three times) or
 * until the VE stops. Scrollback is shown first. */
VE_API int ve_console(ve *v, ve_error **ret_error);
/* Writes the console log (its last LINES lines; 0: all) to FD; FOLLOW: goes on until the VE stops. */
VE_API int ve_logs(ve *v, int fd, unsigned lines, bool follow, ve_error **ret_error);
struct ve_copy_opts {
	size_t size;
	bool replace;	   /* a tree may take the place of a directory of the same name, as a whole */
	const char *owner; /* "UID" or "UID:GID" (numbers on the side that it is copied to), "keep": the numbers that it has; NULL:
			    * root in a VE, the caller on the host */
	int fd;		   /* where one of the two paths is NULL */
	unsigned mode;	   /* of the file that ve_push() makes of FD; 0: 0644 */
};
/* Copies the file, link or tree SRC of the host's (NULL: what opts->fd gives until its end) into the VE, running or stopped.
 * DST: a directory in the VE that it goes into, or its new name in one that is there. Inside, all is done by a process that has
 * nothing of the host's but a socket. A copy is made under another name (".NAME.vectl-new") and renamed when it is whole. Devices,
 * FIFOs, sockets and what is mounted below SRC are left out, with a warning; set-user-ID and set-group-ID are not copied. */
VE_API int ve_push(ve *v, const char *src, const char *dst, const struct ve_copy_opts *opts, ve_error **ret_error);
/* The other way round. DST NULL: the bytes of one file go to opts->fd. Whatever the VE sends, nothing is written, and no link
 * followed, outside of what is made for it; VE_ERR_DATA: it sends no copy, or more than it had announced. */
VE_API int ve_pull(ve *v, const char *src, const char *dst, const struct ve_copy_opts *opts, ve_error **ret_error);
/* Sets the password of USER (NULL: root) in the VE, running or stopped. PASSWORD in clear. */
VE_API int ve_passwd(ve *v, const char *user, const char *password, ve_error **ret_error);

struct ve_user_opts {
	size_t size;
	const char *const *groups;   /* further ones, which are there; NULL-terminated, or NULL */
	const char *home;	     /* NULL: /home/USER. Made from /etc/skel where it is not there */
	const char *shell;	     /* NULL: /bin/bash where there is one, else /bin/sh */
	const char *const *ssh_keys; /* lines of authorized_keys, NULL-terminated, or NULL */
	const char *password;	     /* in clear; NULL: none, he gets in by key only */
	bool has_uid;
	unsigned uid; /* with has_uid; else the next free one */
};
/* Adds USER, with a group of the same name, to the VE, running or stopped: in passwd, group, shadow and gshadow, under the lock
 * of the shadow tools, without running any program of the VE's. VE_ERR_EXISTS: the VE has a user, group or uid like that. */
VE_API int ve_user_add(ve *v, const char *user, const struct ve_user_opts *opts, ve_error **ret_error);
/* Takes USER out of all four. The home and its processes stay. */
VE_API int ve_user_remove(ve *v, const char *user, ve_error **ret_error);
/* LOCKED: nobody gets in as USER, by password, key or otherwise: the password is marked, and the account has expired. Else takes
 * both back. Returns enum ve_changed. */
VE_API int ve_user_lock(ve *v, const char *user, bool locked, ve_error **ret_error);
/* An array of {name,uid,gid,locked,password,home,shell,groups}; password: there is one. */
VE_API int ve_user_list(ve *v, ve_doc **ret_doc, ve_error **ret_error);

/* ---- look --------------------------------------------------------------------------------------- */

VE_API int ve_status(ve *v, ve_doc **ret_doc, ve_error **ret_error);
VE_API int ve_show(ve *v, ve_doc **ret_doc, ve_error **ret_error); /* configuration, with defaults */
/* The value of one key, as typed on a command line ("1G"); frees with free(3). */
VE_API int ve_get(ve *v, const char *key, char **ret_value, ve_error **ret_error);

struct ve_list_opts {
	size_t size;
	const char *const *patterns; /* globs on the name; NULL: all. NULL-terminated */
	const char *const *where;    /* "FIELD=GLOB" or "FIELD!=GLOB", all must hold; or NULL */
	const char *const *fields;   /* NULL: the default columns. Only these are computed */
	const char *sort;            /* "FIELD" or "-FIELD"; NULL: name, natural order */
};
/* An array of objects, one a VE, with the asked-for fields as keys. */
VE_API int ve_list(ve_ctx *ctx, const struct ve_list_opts *opts, ve_doc **ret_doc, ve_error **ret_error);
/* The fields that ve_list knows: an array of {field,unit,doc,default}; unit is "bytes", "seconds", "time" (RFC 3339)
 * or null. */
VE_API int ve_list_fields(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);

/* What was sold against what is there: {host,total,ratio,templates,pools}. CPU in thousandths of a core, memory and disk in bytes. Of each,
 * "sold" is the sum of the VEs' limits, "unlimited" how many VEs have no such limit, "used" what they use now (null: not known). */
VE_API int ve_capacity(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);

struct ve_history_opts {
	size_t size;
	const char *name; /* a VE's name, alias or uuid, also of one that is gone; NULL: everything */
	int64_t since;	  /* seconds since 1970 */
};
/* Who changed what: an array of {seq,time,actor,verb,name,uuid,result,message,reason,changes,duration_ms}, oldest first. result is
 * "ok" or the name of a category; changes an array of {key,old,new}. Passwords and the like are never there. */
VE_API int ve_history(ve_ctx *ctx, const struct ve_history_opts *opts, ve_doc **ret_doc, ve_error **ret_error);

struct ve_limits_opts {
	size_t size;
	bool refused; /* only what was refused at least once */
};
/* What is used, and how often more was refused: an array of {name,uuid,resource,unit,limit_unit,used,peak,guarantee,limit,
 * refused}, of V or (NULL) of all VEs of the store. Peaks, refusals and what is used up (CPU time, disk input and output)
 * count from when the VE was made. null: no limit, or not counted here. */
VE_API int ve_limits(ve_ctx *ctx, ve *v, const struct ve_limits_opts *opts, ve_doc **ret_doc, ve_error **ret_error);

struct ve_traffic_opts {
	size_t size;
	const char *month; /* "YYYY-MM", of the last 400 days; NULL: the running one. Months and days are UTC's */
};
/* What was sent and received: {month,ves}, each VE with its sums of the month and since it was made, interface by interface
 * with their quotas. V NULL: all VEs of the store; else this one, with the days of the month. What has not been
 * saved yet is included. */
VE_API int ve_traffic(ve_ctx *ctx, ve *v, const struct ve_traffic_opts *opts, ve_doc **ret_doc, ve_error **ret_error);

struct ve_events_opts {
	size_t size;
	const char *since; /* "2026-01-31T10:00:00Z", or how long ago: "90s", "2h", "7d". NULL: all that are kept */
	const char *const *kinds; /* "oom", ...: only these; NULL: all. NULL-terminated */
	bool follow;	   /* go on as events come, until the cancel descriptor (ve_ctx_set_cancel_fd) is readable; without SINCE
			    * only those to come */
};
/* Hears of one event: {seq,time,event,name,uuid} and what else is known. Whatever but 0 ends ve_events(), which returns it. */
typedef int (*ve_event_fn)(const ve_doc *event, void *data);
/* What has happened, oldest first: to V, or (NULL) to all VEs of the store. The log is bounded: old events go. */
VE_API int ve_events(ve_ctx *ctx, ve *v, const struct ve_events_opts *opts, ve_event_fn fn, void *data, ve_error **ret_error);

/* ---- change ------------------------------------------------------------------------------------- */

enum ve_set_mode {
	VE_SET_NOW = 0, /* refused (VE_ERR_STATE) if a key needs a restart and the VE runs */
	VE_SET_PENDING, /* written now, taken at the next start */
	VE_SET_RESTART, /* written, and the VE restarted if a key needs it */
	VE_SET_DRY_RUN, /* nothing is written; RET_DOC tells the difference */
};
/* Applies every assignment of SPEC to the file and to the running VE, or none. RET_DOC (may be NULL) is the difference:
 * an array of {key,old,new,live}. Returns enum ve_changed. */
VE_API int ve_set(ve *v, const ve_spec *spec, enum ve_set_mode mode, ve_doc **ret_doc,
		  ve_error **ret_error);

/* Brings V to what a template says now: the keys that TEMPLATE_NAME (NULL: the one that V was made from or brought to last)
 * names, and no others; never those that say who it is (hostname, aliases, owner, labels, notes, protect, addresses, MAC,
 * gateways, forwards, and what create fixed). MODE and RET_DOC as in ve_set(). Returns enum ve_changed. */
VE_API int ve_apply(ve *v, const char *template_name, enum ve_set_mode mode, ve_doc **ret_doc, ve_error **ret_error);

/* The keys of V that can be changed, and are set, as a JSON document for somebody to edit: values as they are typed ("1G"). The
 * caller frees it with free(3). */
VE_API int ve_edit_text(ve *v, char **ret_text, ve_error **ret_error);
/* Brings V to what the edited TEXT says: all of it or nothing, and a key that is not in it is unset. A mistake is told with line
 * and column; VE_ERR_BUSY: V was changed since ve_edit_text(). MODE and RET_DOC as in ve_set(). Returns enum ve_changed. */
VE_API int ve_edit(ve *v, const char *text, enum ve_set_mode mode, ve_doc **ret_doc, ve_error **ret_error);

struct ve_rename_opts {
	size_t size;
	bool keep_alias; /* the old name becomes one of its aliases */
};
/* Calls V, which must not run (VE_ERR_STATE), NAME. uuid, ids, addresses, counters and history stay; so does a hostname that
 * was set, and one that was not is the new name at the next start. */
VE_API int ve_rename(ve *v, const char *name, const struct ve_rename_opts *opts, ve_error **ret_error);

/* ---- images and templates ----------------------------------------------------------------------- */

VE_API int ve_image_build(ve_ctx *ctx, const char *recipe, ve_doc **ret_doc, ve_error **ret_error);
VE_API int ve_image_list(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);
VE_API int ve_image_show(ve_ctx *ctx, const char *name, ve_doc **ret_doc, ve_error **ret_error);
VE_API int ve_image_remove(ve_ctx *ctx, const char *name, ve_error **ret_error);
/* Reads every file again and compares the digest; VE_ERR_DATA names the first difference found. */
VE_API int ve_image_verify(ve_ctx *ctx, const char *name, ve_error **ret_error);

VE_API int ve_template_list(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);
VE_API int ve_template_show(ve_ctx *ctx, const char *name, ve_doc **ret_doc, ve_error **ret_error);
/* Checks a template by name or, where NAME has a '/', a file. */
VE_API int ve_template_check(ve_ctx *ctx, const char *name, ve_error **ret_error);

/* ---- host --------------------------------------------------------------------------------------- */

/* What this host can do: an array of {feature,present,required,needed_by,detail,hint}; required: no VE starts
 * without it. Reads only. */
VE_API int ve_host_check(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);
VE_API int ve_host_show(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);
VE_API int ve_host_set(ve_ctx *ctx, const char *const *assignments, ve_error **ret_error);

enum ve_tune_mode {
	VE_TUNE_LOOK = 0, /* nothing is changed */
	VE_TUNE_APPLY,	  /* what is too small is set, and again at each boot (/etc/sysctl.d/60-vectl.conf) */
	VE_TUNE_REVERT,	  /* what was set by this call is as it was before the first time */
};
struct ve_tune_opts {
	size_t size;
	enum ve_tune_mode mode;
	uint64_t ves;		     /* for how many VEs; 0: as many as there are */
	const char *const *settings; /* only these ("fs.aio-max-nr"); NULL: all. NULL-terminated */
};
/* The host's settings that all VEs share, and how large they should be: {ves,changed,settings}, an array of
 * {setting,now,wanted,low,before,reason}. Nothing is made smaller; all or none is set. Returns enum ve_changed. */
VE_API int ve_tune(ve_ctx *ctx, const struct ve_tune_opts *opts, ve_doc **ret_doc, ve_error **ret_error);

/* ---- pools -------------------------------------------------------------------------------------- */

/* Limits that several VEs share: those whose key pool names it. An array of {name,limits,ves}; limits has the keys that
 * are set, nested at their dots. */
VE_API int ve_pool_list(ve_ctx *ctx, ve_doc **ret_doc, ve_error **ret_error);
/* The same of one, with resources: an array of {resource,unit,limit_unit,used,peak,limit,refused}, of all its VEs together. */
VE_API int ve_pool_show(ve_ctx *ctx, const char *name, ve_doc **ret_doc, ve_error **ret_error);
/* Makes the pool NAME, or changes it, also for VEs that run in it: all of ASSIGNMENTS ("memory.limit=8G", NULL-terminated)
 * or none. Returns enum ve_changed. */
VE_API int ve_pool_set(ve_ctx *ctx, const char *name, const char *const *assignments, ve_error **ret_error);
/* VE_ERR_STATE while a VE names it or runs in it. */
VE_API int ve_pool_remove(ve_ctx *ctx, const char *name, ve_error **ret_error);

#ifdef __cplusplus
}
#endif
#endif
