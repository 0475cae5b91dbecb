/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The accounts of a VE: a user added, taken away, locked, unlocked, and all of them listed. By code of ours, as the VE's root,
 * inside its namespaces: no program of the VE's runs, and no library is loaded. passwd, group, shadow and gshadow are read
 * as the hostile text they are: regular files of at most a megabyte, no links, never waiting.
 *
 * Everything is made up in memory first. Then each file that changes is written under another name, and when all are there they
 * are renamed, passwd last when a user comes and first when one goes: whoever is killed in between leaves at most lines that
 * nobody reads. Meanwhile /etc/.pwd.lock is held, as the shadow tools hold it (lckpwdf(3)), and a file that somebody changed
 * nevertheless is left to him (EBUSY).
 */
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "accountfile.h"
#include "base/file.h"

enum { FIRST_ID = 1000, LAST_ID = 59999, DAY_S = 86400 };

static struct account_file passwd, group, shadow, gshadow;

static int load_all(struct failure *f)
{
	static const struct {
		struct account_file *file;
		const char *path, *temporary;
		bool needed;
	} files[] = { { &passwd, "/etc/passwd", "/etc/.passwd.vectl", true },
		      { &group, "/etc/group", "/etc/.group.vectl", true },
		      { &shadow, "/etc/shadow", "/etc/.shadow.vectl", true },
		      { &gshadow, "/etc/gshadow", "/etc/.gshadow.vectl", false } };
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		files[i].file->path = files[i].path;
		files[i].file->temporary = files[i].temporary;
		if (account_load(files[i].file, files[i].needed, f) < 0)
			return -1;
	}
	return 0;
}

/* ---- add -------------------------------------------------------------------------------------------- */

static bool uid_taken[ACCOUNT_IDS + 1], gid_taken[ACCOUNT_IDS + 1];

static uint32_t free_id(const bool *also)
{
	for (uint32_t id = FIRST_ID; id <= LAST_ID; id++)
		if (!gid_taken[id] && (!also || !also[id]))
			return id;
	return ACCOUNT_IDS;
}

static int choose_ids(const struct blob_user *u, uint32_t *ret_uid, uint32_t *ret_gid, struct failure *f)
{
	static char wanted[16];
	struct account_line l;
	for (size_t c = 0; account_next(&passwd, &c, &l);)
		uid_taken[account_id(&l, 2)] = true;
	for (size_t c = 0; account_next(&group, &c, &l);)
		gid_taken[account_id(&l, 2)] = true;
	uint32_t uid = u->uid == UINT32_MAX ? free_id(uid_taken) : u->uid;
	if (uid < ACCOUNT_IDS && uid_taken[uid] && u->uid != UINT32_MAX) {
		snprintf(wanted, sizeof(wanted), "%u", uid);
		errno = EEXIST;
		return fail(f, "uid", wanted);
	}
	uint32_t gid = uid < ACCOUNT_IDS && !gid_taken[uid] ? uid : free_id(NULL);
	if (uid >= ACCOUNT_IDS || gid >= ACCOUNT_IDS) {
		errno = ENOSPC;
		return fail(f, "uid", "all are taken");
	}
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}

static bool is_wanted_group(const struct mon *m, const struct account_line *l)
{
	const blob_str *names = mon_at(m, m->blob->user_change.groups);
	for (uint32_t i = 0; i < m->blob->user_change.groups.n; i++)
		if (account_is(l, 0, mon_str(m, names[i])))
			return true;
	return false;
}

static int check_new(const struct mon *m, const char *name, struct failure *f)
{
	const struct blob_user *u = &m->blob->user_change;
	const blob_str *names = mon_at(m, u->groups);
	struct account_line l;
	errno = EEXIST;
	if (account_find(&passwd, name, &l))
		return fail(f, "user", name);
	if (account_find(&group, name, &l))
		return fail(f, "group", name);
	errno = ENOENT;
	for (uint32_t i = 0; i < u->groups.n; i++)
		if (!account_find(&group, mon_str(m, names[i]), &l))
			return fail(f, "group", mon_str(m, names[i]));
	return 0;
}

/* T with NAME as a member, the fourth field, of the groups that are wanted; without a stale line of its own. */
static void add_member(const struct mon *m, struct account_file *t, const char *name)
{
	struct account_line l;
	for (size_t c = 0; account_next(t, &c, &l);) {
		if (l.n_fields == 4 && is_wanted_group(m, &l) && !account_has_word(&l, 3, name)) {
			account_put(t, l.start, l.n);
			account_put_text(t, l.length[3] ? "," : "");
			account_put_text(t, name);
			account_put_text(t, "\n");
		} else if (!account_is(&l, 0, name)) {
			account_put_line(t, &l);
		}
	}
	t->changed = t->there;
}

static void copy_without(struct account_file *t, const char *name)
{
	struct account_line l;
	for (size_t c = 0; account_next(t, &c, &l);)
		if (!account_is(&l, 0, name))
			account_put_line(t, &l);
	t->changed = t->there;
}

/* Expired on the second day of 1970: what an account is that nobody gets into, by key or by cron either. */
static const char expired[] = "1";

static const char *shell_of(const struct mon *m)
{
	const char *asked = mon_str(m, m->blob->user_change.shell);
	return asked ? asked : access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh";
}

static void compose_new(const struct mon *m, const char *name, uint32_t uid, uint32_t gid)
{
	const struct blob_user *u = &m->blob->user_change;
	const char *hash = mon_str(m, u->hash);
	char line[2048];
	copy_without(&passwd, name);
	snprintf(line, sizeof(line), "%s:x:%u:%u::%s:%s\n", name, uid, gid, mon_str(m, u->home), shell_of(m));
	account_put_text(&passwd, line);
	add_member(m, &group, name);
	snprintf(line, sizeof(line), "%s:x:%u:\n", name, gid);
	account_put_text(&group, line);
	add_member(m, &gshadow, name);
	snprintf(line, sizeof(line), "%s:!::\n", name);
	account_put_text(&gshadow, line);
	copy_without(&shadow, name);
	/* Without a password '*', not '!', which an sshd without PAM takes for a locked account. */
	snprintf(line, sizeof(line), "%s:%s%s:%lld:0:99999:7::%s:\n", name, u->locked ? "!" : "", hash ? hash : "*",
		 (long long)time(NULL) / DAY_S, u->locked ? expired : "");
	account_put_text(&shadow, line);
}

/* A home that is there already stays as it is. RET_MADE: it is to be taken away if the rest fails. */
static int make_home(const char *home, uint32_t uid, uint32_t gid, bool *ret_made, struct failure *f)
{
	struct stat st;
	*ret_made = false;
	if (lstat(home, &st) == 0)
		return 0;
	if (files_make_parents(home, 0755, 0, 0) < 0)
		return fail(f, "mkdir", home);
	bool skel = lstat("/etc/skel", &st) == 0 && S_ISDIR(st.st_mode);
	if (skel ? copy_inside("/etc/skel", home, uid, gid) < 0 : mkdir(home, 0700) < 0 || lchown(home, uid, gid) < 0)
		return fail(f, "mkdir", home);
	*ret_made = true;
	return chmod(home, 0700) < 0 ? fail(f, "chmod", home) : 0;
}

/* As the user: what is in a home that was there before may lead anywhere. */
static int add_keys(const struct mon *m, const char *home, uint32_t uid, uint32_t gid, struct failure *f)
{
	const char *keys = mon_str(m, m->blob->user_change.keys);
	static char path[512];
	if (!keys)
		return 0;
	snprintf(path, sizeof(path), "%s/.ssh/authorized_keys", home);
	const struct blob_file o = { .kind = BF_ADD_LINES, .data = { m->blob->user_change.keys, (uint32_t)strlen(keys) }, .mode = 0600,
				     .uid = uid, .gid = gid };
	setfsgid(gid);
	setfsuid(uid);
	int r = files_add_lines(m, &o, path);
	int saved = errno;
	setfsuid(0);
	setfsgid(0);
	errno = saved;
	return r < 0 ? fail(f, "write", path) : 0;
}

static int add(const struct mon *m, const char *name, struct failure *f)
{
	static struct account_file *const order[4] = { &shadow, &gshadow, &group, &passwd };
	const char *home = mon_str(m, m->blob->user_change.home);
	uint32_t uid = ACCOUNT_IDS, gid = ACCOUNT_IDS;
	bool made = false;
	if (check_new(m, name, f) < 0 || choose_ids(&m->blob->user_change, &uid, &gid, f) < 0)
		return -1;
	compose_new(m, name, uid, gid);
	int r = make_home(home, uid, gid, &made, f);
	if (r == 0)
		r = add_keys(m, home, uid, gid, f);
	if (r == 0)
		r = account_commit(order, f);
	if (r < 0 && made)
		file_remove_tree(AT_FDCWD, home);
	return r;
}

/* ---- remove ----------------------------------------------------------------------------------------- */

/* Is GID the primary group of somebody else than NAME? */
static bool has_others(const char *name, uint32_t gid)
{
	struct account_line l;
	for (size_t c = 0; account_next(&passwd, &c, &l);)
		if (!account_is(&l, 0, name) && account_id(&l, 3) == gid)
			return true;
	return false;
}

/* T without NAME among members and administrators, and without its own group where OWN says so. */
static void drop_member(struct account_file *t, const char *name, bool own)
{
	struct account_line l;
	for (size_t c = 0; account_next(t, &c, &l);) {
		if (own && account_is(&l, 0, name))
			continue;
		bool admin = t == &gshadow && account_has_word(&l, 2, name), member = account_has_word(&l, 3, name);
		if (l.n_fields != 4 || (!admin && !member)) {
			account_put_line(t, &l);
			continue;
		}
		account_put_before(t, &l, 2);
		if (t == &gshadow)
			account_put_without(t, &l, 2, name);
		else
			account_put(t, l.field[2], l.length[2]);
		account_put_text(t, ":");
		account_put_without(t, &l, 3, name);
		account_put_text(t, "\n");
	}
	t->changed = t->there;
}

static int no_such_user(const char *name, struct failure *f)
{
	errno = ENOENT;
	return fail(f, "user", name);
}

static int take_away(const char *name, struct failure *f)
{
	static struct account_file *const order[4] = { &passwd, &shadow, &group, &gshadow };
	struct account_line l, g;
	if (!account_find(&passwd, name, &l))
		return no_such_user(name, f);
	uint32_t gid = account_id(&l, 3);
	bool own = account_find(&group, name, &g) && account_id(&g, 2) == gid && g.n_fields == 4 && g.length[3] == 0 && !has_others(name, gid);
	copy_without(&passwd, name);
	copy_without(&shadow, name);
	drop_member(&group, name, own);
	drop_member(&gshadow, name, own);
	return account_commit(order, f);
}

/* ---- lock, unlock ----------------------------------------------------------------------------------- */

static bool is_locked(const struct account_line *l)
{
	return l->n_fields >= 2 && l->length[1] > 0 && l->field[1][0] == '!' && account_is(l, 7, expired);
}

static void put_locked(struct account_file *t, const struct account_line *l, bool locked)
{
	const char *hash = l->field[1];
	size_t n = l->length[1];
	bool marked = n > 0 && hash[0] == '!';
	account_put_before(t, l, 1);
	if (locked && !marked)
		account_put_text(t, "!");
	if (!locked && marked) {
		hash++;
		n--;
	}
	/* Nothing left: that would be an account that needs no password. */
	account_put(t, n || locked ? hash : "*", n || locked ? n : 1);
	account_put(t, l->field[1] + l->length[1], (size_t)(l->field[7] - l->field[1]) - l->length[1]);
	if (locked)
		account_put_text(t, expired);
	else if (!account_is(l, 7, expired))
		account_put(t, l->field[7], l->length[7]);
	account_put_after(t, l, 7);
}

/* 1: it was so already. */
static int set_locked(const char *name, bool locked, struct failure *f)
{
	static struct account_file *const order[4] = { &shadow, &passwd, &group, &gshadow };
	struct account_line l, user;
	if (!account_find(&passwd, name, &user) || !account_find(&shadow, name, &l))
		return no_such_user(name, f);
	errno = EINVAL;
	if (l.n_fields != 9)
		return fail(f, "read", shadow.path);
	bool marked = l.length[1] > 0 && l.field[1][0] == '!';
	if (locked ? is_locked(&l) : !marked && !account_is(&l, 7, expired))
		return 1;
	bool done = false;
	struct account_line each;
	for (size_t c = 0; account_next(&shadow, &c, &each);) {
		if (!done && each.start == l.start) {
			put_locked(&shadow, &each, locked);
			done = true;
		} else {
			account_put_line(&shadow, &each);
		}
	}
	shadow.changed = true;
	return account_commit(order, f);
}

/* ---- list ------------------------------------------------------------------------------------------- */

/* NAME:UID:GID:HOW:HOME:SHELL:GROUP,GROUP, HOW being locked, password or none. In passwd's room for what is new. */
static void list_groups(const char *name, const char *gid, size_t gid_length)
{
	struct account_line l;
	bool first = true;
	for (size_t c = 0; account_next(&group, &c, &l);) {
		bool own = l.n_fields == 4 && l.length[2] == gid_length && memcmp(l.field[2], gid, gid_length) == 0;
		if (l.n_fields != 4 || (!own && !account_has_word(&l, 3, name)))
			continue;
		account_put_text(&passwd, first ? "" : ",");
		account_put(&passwd, l.field[0], l.length[0]);
		first = false;
	}
}

static const char *how(const char *name)
{
	struct account_line l;
	if (!account_find(&shadow, name, &l) || l.n_fields < 2)
		return "none";
	if (is_locked(&l))
		return "locked";
	return l.length[1] > 1 && l.field[1][0] != '!' && l.field[1][0] != '*' ? "password" : "none";
}

static int list(struct failure *f)
{
	struct account_line l;
	for (size_t c = 0; account_next(&passwd, &c, &l);) {
		char name[64];
		if (l.n_fields != 7 || l.length[0] == 0 || l.length[0] >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)l.length[0], l.field[0]);
		account_put_text(&passwd, name);
		account_put_text(&passwd, ":");
		account_put(&passwd, l.field[2], l.length[2] + 1 + l.length[3]);
		account_put_text(&passwd, ":");
		account_put_text(&passwd, how(name));
		account_put_text(&passwd, ":");
		account_put(&passwd, l.field[5], l.length[5] + 1 + l.length[6]);
		account_put_text(&passwd, ":");
		list_groups(name, l.field[3], l.length[3]);
		account_put_text(&passwd, "\n");
	}
	errno = EFBIG;
	return passwd.overflow ? fail(f, "list", passwd.path) : 0;
}

/* ---- the stage -------------------------------------------------------------------------------------- */

static int change(const struct mon *m, const char *name, struct failure *f)
{
	switch (m->blob->user_change.what) {
	case BU_ADD:
		return add(m, name, f);
	case BU_REMOVE:
		return take_away(name, f);
	case BU_LOCK:
		return set_locked(name, true, f);
	case BU_UNLOCK:
		return set_locked(name, false, f);
	default:
		return list(f);
	}
}

int users_run(const struct mon *m, struct failure *f)
{
	const struct blob_user *u = &m->blob->user_change;
	if (u->what == BU_NONE)
		return 0;
	if ((u->what != BU_LIST && users_lock(f) < 0) || load_all(f) < 0)
		return -1;
	int r = change(m, mon_str(m, u->name), f);
	if (r < 0)
		return -1;
	/* What libve hears: the list, or whether anything was changed. */
	const char *said = u->what == BU_LIST ? passwd.fresh : r ? "unchanged" : "changed";
	return file_write_all(COPY_STREAM_FD, said, u->what == BU_LIST ? passwd.n : strlen(said)) < 0 ? fail(f, "write", "answer") : 0;
}
