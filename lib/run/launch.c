/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "ns/idrange.h"
#include "run/account.h"
#include "run/adapters.h"
#include "run/credentials.h"
#include "run/devnodes.h"
#include "run/diskfull.h"
#include "run/fault.h"
#include "run/heal.h"
#include "run/lacking.h"
#include "run/notice.h"
#include "run/rootplan.h"
#include "run/supervision.h"
#include "run/tally.h"
#include "run/tenantpool.h"
#include "sys/fuseconn.h"

enum { SETUP_DEADLINE_MS = 60000, LOG_MAX_BYTES = 2 << 20, MAX_PROCS = 16 };

/* What a launch holds while it works. */
struct launching {
	struct plan *plan;
	const struct launch_command *cmd;
	struct cg *cg;
	int console_listen, notify_socket, quota_socket;
	struct rootplan_extra extra;
	struct devnodes nodes;
	struct hostmounts mounts;
	int traffic; /* the ledger */
	struct cg_watched watched[CG_WATCHED_MAX];
	unsigned n_watched;
	struct diskfull_gauges gauges;
	struct spawn spawn;
	pid_t init_pid, monitor_pid;
	int init_pidfd, netns_fd;
	int terminal_fd;
	bool let_go; /* no longer cancelled */
	struct undo *undo;
};

/* ---- undo steps ---- */

static void undo_groups(void *cg)
{
	cg_destroy(cg, NULL);
	cg_free(cg);
}

static void undo_pool(void *v)
{
	tenantpool_leave(v);
}

static void remove_run_files(int run_fd)
{
	static const char *const files[] = { "console.sock", "quota.sock", "ready", "reboot", "poweroff", "stopping", "frozen",
					     "running.json", "record.json" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(run_fd, files[i], 0);
	file_remove_tree(run_fd, "notify");
}

static void undo_run_files(void *data)
{
	remove_run_files(((struct ve *)data)->run_fd);
}

/* ---- steps ---- */

/* First of all, so that the program starts while we make what its plan needs. Not on the undo stack: on failure it goes
 * before everything else, as what it made is in the groups and has the links. */
static int step_monitor(struct launching *l, ve_error **ret_error)
{
	return spawn_begin(l->plan->ve->ctx->cancel_fd, &l->spawn, ret_error);
}

/* A jail lives for milliseconds, of which groups that nobody asked for are a part. */
static unsigned unneeded_groups(const struct plan *p)
{
	if (!config_identity_int(p->config, "ephemeral"))
		return 0;
	return (plan_limits_disks(p->config) ? 0 : CG_WITHOUT_IO) | (plan_binds_cpus(p->config) ? 0 : CG_WITHOUT_CPUSET);
}

static int step_groups(struct launching *l, ve_error **ret_error)
{
	struct ve *v = l->plan->ve;
	int r = fault_point("control-groups", ret_error);
	if (r == 0)
		r = ctx_cgroups(v->ctx, ret_error);
	if (r == 0)
		r = ctx_start_unit(v->ctx, ret_error);
	if (r == 0)
		r = undo_push(l->undo, undo_pool, v) < 0 ? err_nomem(ret_error) : tenantpool_enter(v, l->plan->config, ret_error);
	if (r == 0)
		r = cg_create_lean(v->ctx->cg, handle_place(v).path, l->plan->id_base, unneeded_groups(l->plan), &l->cg, ret_error);
	if (r < 0)
		return r;
	return undo_push(l->undo, undo_groups, l->cg) < 0 ? err_nomem(ret_error) : 0;
}

/* While the monitor makes the namespaces. Nothing of the VE's runs yet: its init waits for MSG_GO. */
static int step_limits(struct launching *l, ve_error **ret_error)
{
	int r = fault_point("device-filter", ret_error);
	if (r == 0)
		r = cg_attach_device_filter_with(l->cg, l->nodes.rules, l->nodes.n_rules, ret_error);
	if (r == 0)
		r = fault_point("limits", ret_error);
	return r < 0 ? r : cg_apply(l->cg, &l->plan->limits, ctx_warn_sentence, l->plan->ve->ctx, ret_error);
}

/* The VE gets the directory, read-only, not the socket's inode: a monitor that recover starts can bind anew. */
static int open_notify(int run_fd, int *ret_socket, int *ret_mount)
{
	if (mkdirat(run_fd, "notify", 0755) < 0 && errno != EEXIST)
		return -errno;
	_cleanup_close_ int dir = file_opendir(run_fd, "notify");
	if (dir < 0)
		return dir;
	_cleanup_close_ int sock = -1;
	int r = supervision_bind(dir, "socket", SOCK_DGRAM, 0666, &sock);
	if (r < 0)
		return r;
	_cleanup_close_ int tree = open_tree(dir, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	/* Private: where the host's /run is shared, as systemd has it, the clone would be a peer of it, and what the VE's root mounts there
	 * would be mounted on the host as well. */
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
				   .propagation = MS_PRIVATE };
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	*ret_socket = steal_fd(&sock);
	*ret_mount = steal_fd(&tree);
	return 0;
}

static int step_run_files(struct launching *l, ve_error **ret_error)
{
	struct ve *v = l->plan->ve;
	if (!l->cmd->attended)
		remove_run_files(v->run_fd); /* what a killed verb or a crashed host left */
	int r = fault_point("run-files", ret_error);
	if (r < 0)
		return r;
	if (undo_push(l->undo, undo_run_files, v) < 0)
		return err_nomem(ret_error);
	if (!l->cmd->attended)
		r = supervision_bind(v->run_fd, "console.sock", SOCK_SEQPACKET, 0600, &l->console_listen);
	if (r == 0 && !l->plan->jail)
		r = open_notify(v->run_fd, &l->notify_socket, &l->extra.notify);
	if (r == 0 && *l->plan->storage.device)
		r = supervision_bind(v->run_fd, "quota.sock", SOCK_DGRAM, 0600, &l->quota_socket);
	return r < 0 ? err_sys(ret_error, -r, "run-files", "cannot make the sockets of '%s'", v->name) : 0;
}

static char **command_of(const struct launching *l)
{
	char **argv = NULL;
	size_t i;
	json_t *e;
	const json_t *configured = config_list(l->plan->config, "command");
	for (const char *const *a = l->cmd->argv; a && *a; a++)
		if (strv_add(&argv, *a) < 0)
			goto oom;
	if (argv)
		return argv;
	json_array_foreach((json_t *)configured, i, e)
	{
		if (strv_add(&argv, json_string_value(e)) < 0)
			goto oom;
	}
	const char *init = config_string(l->plan->config, "init");
	if (!init && l->plan->image)
		init = l->plan->image->init;
	if (!argv && strv_add(&argv, init ? init : "/sbin/init") < 0)
		goto oom;
	return argv;
oom:
	strv_free(argv);
	return NULL;
}

/* Has the caller said himself what LANG is? */
static bool names_lang(const struct launching *l)
{
	size_t i;
	json_t *e;
	json_array_foreach(config_list(l->plan->config, "environment"), i, e)
		if (str_starts(json_string_value(e), "LANG="))
			return true;
	for (const char *const *p = l->cmd->env; p && *p; p++)
		if (str_starts(*p, "LANG="))
			return true;
	return false;
}

static char **environment_of(const struct launching *l)
{
	char **env = NULL;
	size_t i;
	json_t *e;
	_cleanup_free_ char *uuid = str_printf("container_uuid=%s", l->plan->ve->uuid);
	const json_t *configured = config_list(l->plan->config, "environment");
	bool ok = uuid && strv_add(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") == 0;
	const char *term = l->cmd->tty ? secure_getenv("TERM") : NULL;
	_cleanup_free_ char *term_is = str_printf("TERM=%s", term ? term : "vt220");
	const char *locale = config_string(l->plan->config, "locale");
	_cleanup_free_ char *lang = str_printf("LANG=%s", locale ? locale : "");
	if (ok && !l->plan->jail)
		ok = strv_add(&env, "container=vectl") == 0 && strv_add(&env, uuid) == 0;
	if (ok && l->plan->notify)
		ok = strv_add(&env, "NOTIFY_SOCKET=/run/host/notify/socket") == 0;
	if (ok && l->extra.credentials >= 0)
		ok = strv_add(&env, "CREDENTIALS_DIRECTORY=" CREDENTIALS_PLACE) == 0;
	if (ok && (l->cmd->tty || !l->plan->jail))
		ok = term_is && strv_add(&env, term_is) == 0;
	if (ok && l->plan->jail && locale && !names_lang(l))
		ok = lang && strv_add(&env, lang) == 0;
	json_array_foreach((json_t *)configured, i, e)
	{
		ok = ok && strv_add(&env, json_string_value(e)) == 0;
	}
	for (const char *const *p = l->cmd->env; ok && p && *p; p++)
		ok = strv_add(&env, *p) == 0;
	if (!ok) {
		strv_free(env);
		return NULL;
	}
	return env;
}

static void freeze_root(struct blobber *b, const struct plan *p)
{
	b->head.id_base = p->id_base;
	b->head.id_count = IDRANGE_SIZE;
	if (p->storage.is_mount)
		b->head.flags |= BLOB_OWN_MOUNT;
	if (p->storage.layered) {
		b->head.root_kind = ROOT_OVERLAY;
		b->head.lowers = blobber_fds(b, &p->storage.image_fd, 1);
		b->head.fd_upper = blobber_fd(b, p->storage.writable_fd);
	} else {
		b->head.root_kind = ROOT_DIR;
		b->head.fd_root = blobber_fd(b, p->storage.writable_fd);
	}
}

/* The mount goes twice: the one who answers for its quotas keeps it. */
static void freeze_quota(struct blobber *b, const struct launching *l)
{
	if (!*l->plan->storage.device)
		return;
	b->head.fd_quota = blobber_fd(b, l->quota_socket);
	b->head.fd_quota_fs = blobber_fd(b, l->plan->storage.writable_fd);
	b->head.quota_device = blobber_str(b, l->plan->storage.device);
}

void launch_freeze_watched(struct blobber *b, struct cg *cg, struct cg_watched kept[CG_WATCHED_MAX], unsigned *ret_n)
{
	struct blob_watched frozen[CG_WATCHED_MAX];
	unsigned n = cg_watch(cg, kept);
	for (unsigned i = 0; i < n; i++)
		frozen[i] = (struct blob_watched){ blobber_fd(b, kept[i].fd), blobber_str(b, kept[i].key), kept[i].silent };
	b->head.watched = blobber_vec(b, frozen, n, sizeof(frozen[0]));
	*ret_n = n;
}

int launch_freeze_monitor_groups(struct blobber *b, struct cg_host *cg, ve_error **ret_error)
{
	int fds[MAX_PROCS], dir;
	int n = cg_monitor_tasks_fds(cg, fds, MAX_PROCS, ret_error);
	int r = n < 0 ? n : cg_monitor_fd(cg, &dir, ret_error);
	if (r < 0)
		return r;
	b->head.monitor_tasks = blobber_fds(b, fds, (unsigned)n);
	b->head.fd_monitor_cgroup = blobber_fd(b, dir);
	return 0;
}

static int freeze_groups(struct blobber *b, struct launching *l, ve_error **ret_error)
{
	int fds[MAX_PROCS];
	b->head.fd_cgroup = blobber_fd(b, cg_guest_fd(l->cg));
	/* The monitor of a jail goes with its caller, and stays where that is. */
	if (!l->cmd->attended) {
		int r = launch_freeze_monitor_groups(b, l->plan->ve->ctx->cg, ret_error);
		if (r < 0)
			return r;
		launch_freeze_watched(b, l->cg, l->watched, &l->n_watched);
	}
	int n = cg_tasks_fds(l->cg, fds, MAX_PROCS, ret_error);
	if (n < 0)
		return n;
	b->head.tasks = blobber_fds(b, fds, (unsigned)n);
	return 0;
}

static void freeze_process(struct blobber *b, const struct launching *l, char **argv, char **env)
{
	const struct plan *p = l->plan;
	const char *hostname = config_string(p->config, "hostname");
	b->head.argv = blobber_strv(b, (const char *const *)argv);
	b->head.envp = blobber_strv(b, (const char *const *)env);
	b->head.hostname = blobber_str(b, hostname ? hostname : p->ve->name);
	if (p->jail) {
		b->head.cwd = blobber_str(b, l->cmd->cwd ? l->cmd->cwd : config_string(p->config, "run.cwd"));
		b->head.user = blobber_str(b, l->cmd->user ? l->cmd->user : config_string(p->config, "run.user"));
		b->head.flags |= BLOB_ADAPT;
	}
	/* A process more: not for a command that is over as soon as it has begun. */
	if (p->jail && (l->cmd->reaper || config_has_command(p->config)))
		b->head.flags |= BLOB_REAPER;
	if (p->jail && p->read_only)
		b->head.flags |= BLOB_READ_ONLY;
	if (p->notify)
		b->head.flags |= BLOB_SHARE_MOUNTS;
	if (l->cmd->tty)
		blobber_tty(b);
	for (int i = 0; l->cmd->stdio && i < 3; i++) {
		b->head.flags |= BLOB_STDIO;
		b->head.fd_stdio[i] = blobber_fd(b, l->cmd->stdio[i]);
	}
}

void launch_freeze_supervision(struct blobber *b, const struct ve *v, int console_listen, int notify_socket, int traffic,
			       bool attended)
{
	_cleanup_free_ char *program = str_printf("%s/vectl-ended", store_libexec_dir());
	_cleanup_free_ char *log = str_printf("%s.console.log", v->uuid);
	_cleanup_free_ char *data = str_printf("VECTL_DATADIR=%s", store_data_dir());
	_cleanup_free_ char *libexec = str_printf("VECTL_LIBEXECDIR=%s", store_libexec_dir());
	if (!program || !log || !data || !libexec) {
		b->failed = true;
		return;
	}
	b->head.uuid = blobber_str(b, v->uuid);
	b->head.root_dir = blobber_str(b, v->ctx->root);
	b->head.ended_program = blobber_str(b, program);
	b->head.ended_env[0] = blobber_str(b, data);
	b->head.ended_env[1] = blobber_str(b, libexec);
	b->head.log_name = attended ? 0 : blobber_str(b, log);
	b->head.log_max_bytes = LOG_MAX_BYTES;
	b->head.fd_run_dir = blobber_fd(b, v->run_fd);
	b->head.fd_log_dir = blobber_fd(b, v->ctx->store->log_fd);
	b->head.fd_console_listen = blobber_fd(b, console_listen);
	b->head.fd_notify = blobber_fd(b, notify_socket);
	b->head.fd_traffic = blobber_fd(b, traffic);
	b->head.account_ms = account_interval_ms();
	if (attended)
		b->head.flags |= BLOB_REPORT_END;
}

/* What a jail sends is not kept: nor is the jail. */
static int open_ledger(struct launching *l, ve_error **ret_error)
{
	struct ve *v = l->plan->ve;
	if (!l->plan->net.n_ifs || config_identity_int(l->plan->config, "ephemeral"))
		return 0;
	l->traffic = account_open(v->ctx->store, v->uuid, true);
	return l->traffic < 0 ? err_sys(ret_error, -l->traffic, "traffic", "cannot open the traffic ledger of '%s'",
					v->name) :
				0;
}

static int step_spawn(struct launching *l, ve_error **ret_error)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	/* Of a jail there is no init that would know what to do with them. */
	int found = l->plan->jail ? 0 : credentials_mount(l->plan->ve, l->plan->id_base, &l->extra.credentials, ret_error);
	if (found < 0)
		return found;
	_cleanup_strv_ char **argv = command_of(l), **env = environment_of(l);
	if (!argv || !env)
		return err_nomem(ret_error);
	blobber_init(&b, MON_SUPERVISE);
	plan_freeze_security(&b, l->plan);
	freeze_root(&b, l->plan);
	freeze_quota(&b, l);
	freeze_process(&b, l, argv, env);
	int r = open_ledger(l, ret_error);
	if (r < 0)
		return r;
	launch_freeze_supervision(&b, l->plan->ve, l->console_listen, l->notify_socket, l->traffic, l->cmd->attended);
	diskfull_freeze(&b, l->plan->ve, l->plan->config, l->plan, &l->gauges);
	rootplan_mounts(&b, l->plan, &l->extra, &l->nodes, &l->mounts);
	rootplan_files(&b, l->plan, NULL, 0);
	fault_forward(&b);
	r = fault_point("spawn", ret_error);
	if (r == 0)
		r = freeze_groups(&b, l, ret_error);
	return r < 0 ? r : spawn_send_plan(&l->spawn, &b, ret_error);
}

static int step_outside(struct launching *l, ve_error **ret_error)
{
	struct msg cloned;
	int fds[2] = { -1, -1 };
	unsigned n = 2;
	int r = spawn_expect(&l->spawn, MSG_CLONED, SETUP_DEADLINE_MS, &cloned, fds, &n, ret_error);
	if (r < 0)
		return r;
	l->init_pidfd = fds[0];
	l->netns_fd = fds[1];
	l->init_pid = cloned.pid;
	l->monitor_pid = cloned.status;
	if (l->plan->net.n_ifs) {
		r = fault_point("network", ret_error);
		if (r == 0)
			r = net_attach(&l->plan->net, l->netns_fd, l->undo, ret_error);
		/* Somebody has flushed the firewall, or this is the first VE since the host came up. */
		if (r > 0)
			heal_others(l->plan->ve);
		if (r >= 0 && l->traffic >= 0)
			r = account_begin(l->plan->ve, l->traffic, l->plan->config, &l->plan->net, ret_error);
	}
	if (r >= 0 && l->cmd->hands_on) {
		r = ctx_check_cancelled(l->plan->ve->ctx, ret_error);
		l->let_go = true;
		l->spawn.cancel_fd = -1;
	}
	return r < 0 ? r : spawn_tell(&l->spawn, MSG_GO, ret_error);
}

static int step_record(struct launching *l, ve_error **ret_error)
{
	struct ve *v = l->plan->ve;
	struct record rec;
	struct msg started;
	unsigned n = 1;
	int r = spawn_expect(&l->spawn, MSG_STARTED, SETUP_DEADLINE_MS, &started, &l->terminal_fd, &n, ret_error);
	if (r == 0)
		r = fault_point("record", ret_error);
	/* What the VE runs with, so that detaching and pending changes are told from the file's later state. */
	char *text = r == 0 ? json_dumps(l->plan->config->root, JSON_COMPACT) : NULL;
	if (text) {
		int e = file_replace(v->run_fd, "running.json", text, strlen(text), 0600, false);
		if (e < 0)
			r = err_sys(ret_error, -e, "record", "cannot write running.json of '%s'", v->name);
	}
	free(text);
	if (r == 0)
		adapters_warn(l->plan, &started);
	if (r == 0)
		r = record_make(l->init_pid, l->monitor_pid, &rec, ret_error);
	if (r == 0)
		r = record_write(v->run_fd, &rec, ret_error);
	return r < 0 ? r : spawn_tell(&l->spawn, MSG_COMMIT, ret_error);
}

static int run_steps(struct launching *l, ve_error **ret_error)
{
	int (*const steps[])(struct launching *, ve_error **) = { step_monitor, step_groups, step_run_files, step_spawn,
								  step_limits, step_outside, step_record };
	int r = fault_point("network-check", ret_error);
	if (r == 0)
		r = hostmounts_open(l->plan->ve->ctx->store, l->plan->config, &l->mounts, ret_error);
	if (r == 0)
		r = devnodes_open(l->plan->config, l->plan->id_base, &l->nodes, ret_error);
	if (r == 0 && *l->plan->storage.device)
		r = devnodes_show(&l->nodes, l->plan->storage.device, ret_error);
	if (r == 0 && l->plan->net.n_ifs)
		r = net_check(&l->plan->net, ret_error);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++) {
		r = steps[i](l, ret_error);
		if (r == 0 && !l->let_go)
			r = ctx_check_cancelled(l->plan->ve->ctx, ret_error);
	}
	return r;
}

int launch(struct plan *p, const struct launch_command *cmd, struct launched *ret_launched, ve_error **ret_error)
{
	struct undo undo = { 0 };
	struct launching l = { .plan = p, .cmd = cmd, .console_listen = -1, .notify_socket = -1, .quota_socket = -1, .extra = { -1, -1 },
			       .nodes = { .mount = -1 }, .traffic = -1, .init_pidfd = -1, .netns_fd = -1, .terminal_fd = -1, .undo = &undo,
			       .spawn = { .control = -1, .cancel_fd = -1 } };
	int r = run_steps(&l, ret_error);
	if (r == 0) {
		if (!cmd->attended)
			spawn_close(&l.spawn);
		*ret_launched = (struct launched){ .spawn = l.spawn, .init_pid = l.init_pid,
						   .init_pidfd = cmd->attended ? steal_fd(&l.init_pidfd) : -1,
						   .terminal_fd = steal_fd(&l.terminal_fd) };
		cg_free(l.cg);
		undo_commit(&undo);
	} else {
		spawn_close(&l.spawn);
		undo_run(&undo);
		r = lacking_explain(p->ve->ctx, config_string(p->config, "disk.backend"), p->storage.image_fd, r, ret_error);
	}
	close_fd(&l.console_listen);
	close_fd(&l.notify_socket);
	close_fd(&l.quota_socket);
	close_fd(&l.extra.notify);
	close_fd(&l.extra.credentials);
	devnodes_done(&l.nodes);
	hostmounts_done(&l.mounts);
	close_fd(&l.traffic);
	for (unsigned i = 0; i < l.n_watched; i++)
		close_fd(&l.watched[i].fd);
	diskfull_close(&l.gauges);
	close_fd(&l.init_pidfd);
	close_fd(&l.netns_fd);
	close_fd(&l.terminal_fd);
	return r;
}

/* Who waits for a file system in user space does not die of cg_destroy()'s signal alone. */
static void release_fuse(const struct config *c, struct cg *cg)
{
	cg_kill(cg, NULL);
	fuseconn_abort((uint32_t)config_identity_int(c, "id_base"), IDRANGE_SIZE);
}

int launch_clean(struct ve *v, const struct config *c, ve_error **ret_error)
{
	struct net_plan net = { 0 };
	struct net_if ifs[PLAN_MAX_IFS];
	struct cg *cg = NULL;
	ve_error **error = ret_error;
	if (v->ctx->dry_run)
		return 0;
	int r = ctx_host(v->ctx, error), first = 0;
	if (r == 0)
		r = plan_network(v->ctx, c, ifs, &net, error);
	if (r == 0 && net.n_ifs) {
		account_end(v, &net); /* before the counters go */
		r = net_detach(&net, error);
	}
	plan_network_done(&net);
	first = r;
	r = ctx_cgroups(v->ctx, error);
	if (r == 0 && cg_open(v->ctx->cg, handle_place(v).path, &cg, NULL) == 0) {
		notice_write(v); /* before its groups go, and their counters */
		tally_save(v);
		if (config_bool(c, "features.fuse"))
			release_fuse(c, cg);
		r = cg_destroy(cg, error);
		cg_free(cg);
	}
	if (r == 0)
		tenantpool_leave(v);
	if (v->run_fd >= 0)
		remove_run_files(v->run_fd);
	return first < 0 ? first : r;
}

static int explain_work(struct plan *p, int r, ve_error **ret_error)
{
	return lacking_explain(p->ve->ctx, config_string(p->config, "disk.backend"), p->storage.image_fd, r, ret_error);
}

int launch_work_begin(struct plan *p, struct blobber *b, struct spawn *ret_spawn, ve_error **ret_error)
{
	struct spawn s = { .control = -1 };
	plan_freeze_security(b, p);
	freeze_root(b, p);
	rootplan_work_mounts(b, p);
	fault_forward(b);
	int r = spawn_monitor(b, p->ve->ctx->cancel_fd, &s, ret_error);
	if (r < 0)
		return r;
	int fds[2] = { -1, -1 };
	unsigned n_fds = 2;
	r = spawn_expect(&s, MSG_CLONED, SETUP_DEADLINE_MS, NULL, fds, &n_fds, ret_error);
	close_fd(&fds[0]);
	close_fd(&fds[1]);
	if (r == 0)
		r = spawn_tell(&s, MSG_GO, ret_error);
	if (r < 0) {
		spawn_close(&s);
		return explain_work(p, r, ret_error);
	}
	*ret_spawn = s;
	return 0;
}

int launch_work_end(struct plan *p, struct spawn *s, int deadline_ms, ve_error **ret_error)
{
	int r = spawn_expect(s, MSG_STARTED, deadline_ms, NULL, NULL, NULL, ret_error);
	spawn_close(s);
	return explain_work(p, r, ret_error);
}

int launch_work(struct plan *p, const struct file_change *changes, unsigned n, ve_error **ret_error)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	struct spawn s = { .control = -1 };
	blobber_init(&b, MON_WORK);
	rootplan_files(&b, p, changes, n);
	int r = launch_work_begin(p, &b, &s, ret_error);
	return r < 0 ? r : launch_work_end(p, &s, SETUP_DEADLINE_MS, ret_error);
}
