/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /etc/passwd, /etc/group and /etc/shadow of a VE, read as the hostile text they are: by code of ours, without
 * the C library's name services (which would load libraries of the VE's), bounded, regular files only, never blocking.
 */
#include "passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "users.h"

enum { FILE_MAX_BYTES = 1 << 20, FIELDS = 9 };
/* A hash more than what was read fits. */
static char file_text[FILE_MAX_BYTES + 1], new_text[FILE_MAX_BYTES + 1024];

enum { HASH_MAX_BYTES = 512 };

/* The file as one string: what has a NUL in it is no text, and would lose its rest. */
static ssize_t read_file(const char *path, struct stat *ret_st)
{
	ssize_t len = file_read_regular(path, 0, file_text, FILE_MAX_BYTES, ret_st);
	file_text[len > 0 ? len : 0] = '\0';
	if (len > 0 && memchr(file_text, '\0', (size_t)len)) {
		errno = EINVAL;
		return -1;
	}
	return len;
}

/* Takes the next line off *CURSOR and splits it at ':' in place. Returns the number of fields, -1 at the end. */
static int next_line(char **cursor, char *field[FIELDS])
{
	if (!*cursor || !**cursor)
		return -1;
	char *line = *cursor, *end = strchr(line, '\n');
	*cursor = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	int n = 0;
	while (n < FIELDS) {
		field[n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static bool number(const char *s, uint32_t *ret)
{
	char *end;
	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	unsigned long v = strtoul(s, &end, 10);
	if (errno || *end || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool find_passwd(const char *name, bool by_uid, uid_t uid, struct identity *id)
{
	struct stat st;
	char *field[FIELDS], *cursor = file_text;
	if (read_file("/etc/passwd", &st) < 0)
		return false;
	for (int n; (n = next_line(&cursor, field)) >= 0;) {
		uint32_t u, g;
		if (n != 7 || !number(field[2], &u) || !number(field[3], &g))
			continue;
		if (by_uid ? u != uid : strcmp(field[0], name) != 0)
			continue;
		/* Cut short they would be somebody else's. */
		if (strlen(field[0]) >= sizeof(id->name) || strlen(field[5]) >= sizeof(id->home) ||
		    strlen(field[6]) >= sizeof(id->shell))
			continue;
		id->uid = u;
		id->gid = g;
		snprintf(id->name, sizeof(id->name), "%s", field[0]);
		snprintf(id->home, sizeof(id->home), "%s", field[5][0] == '/' ? field[5] : "/");
		snprintf(id->shell, sizeof(id->shell), "%s", field[6][0] == '/' ? field[6] : "/bin/sh");
		return true;
	}
	return false;
}

static bool is_member(char *list, const char *name)
{
	char *save = NULL;
	for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save))
		if (strcmp(word, name) == 0)
			return true;
	return false;
}

/* The groups of ID by /etc/group, its own first. Without the file there is that one. */
static int find_groups(struct identity *id, struct failure *f)
{
	struct stat st;
	char *field[FIELDS], *cursor = file_text;
	id->groups[0] = id->gid;
	id->n_groups = 1;
	if (!id->name[0] || read_file("/etc/group", &st) < 0)
		return 0;
	for (int n; (n = next_line(&cursor, field)) >= 0;) {
		uint32_t g;
		if (n != 4 || !number(field[2], &g) || g == id->gid || !is_member(field[3], id->name))
			continue;
		/* Exact or not at all: a group may also take something away. */
		if (id->n_groups == IDENTITY_MAX_GROUPS) {
			errno = E2BIG;
			return fail(f, "setgroups", "/etc/group");
		}
		id->groups[id->n_groups++] = g;
	}
	return 0;
}

static void without_entry(struct identity *id, uint32_t uid)
{
	id->uid = id->gid = uid;
	snprintf(id->home, sizeof(id->home), "%s", uid == 0 ? "/root" : "/");
	snprintf(id->name, sizeof(id->name), "%s", uid == 0 ? "root" : "");
}

int identity_find(const char *name, struct identity *ret_identity, struct failure *f)
{
	struct identity id = { .home = "/", .shell = "/bin/sh" };
	char copy[160];
	uint32_t uid = 0;
	errno = ENOENT;
	if (snprintf(copy, sizeof(copy), "%s", name ? name : "0") >= (int)sizeof(copy))
		return fail(f, "user", name);
	char *colon = strchr(copy, ':');
	if (colon)
		*colon++ = '\0';
	bool numeric = number(copy, &uid);
	bool found = find_passwd(copy, numeric, uid, &id);
	if (!found && !numeric) {
		errno = ENOENT;
		return fail(f, "user", name);
	}
	if (!found)
		without_entry(&id, uid);
	if (colon) {
		/* A group that is named is the only one. */
		if (!number(colon, &id.gid)) {
			errno = EINVAL;
			return fail(f, "group", name);
		}
		id.groups[0] = id.gid;
		id.n_groups = 1;
	} else if (find_groups(&id, f) < 0) {
		return -1;
	}
	*ret_identity = id;
	return 0;
}

static int replace_shadow(const struct stat *st, size_t len, struct failure *f)
{
	const char *temporary = "/etc/.shadow.vectl";
	unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(f, "open", temporary);
	bool ok = file_write_all(fd, new_text, len) == 0 && fchown(fd, st->st_uid, st->st_gid) == 0 &&
		  fchmod(fd, st->st_mode & 07777) == 0 && fsync(fd) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	if (ok && rename(temporary, "/etc/shadow") == 0)
		return 0;
	fail(f, "rename", "/etc/shadow");
	unlink(temporary);
	return -1;
}

int shadow_set(const char *user, const char *hash, struct failure *f)
{
	struct stat st;
	if (strlen(hash) > HASH_MAX_BYTES || strpbrk(hash, ":\n")) {
		errno = EINVAL;
		return fail(f, "write", "/etc/shadow");
	}
	if (users_lock(f) < 0)
		return -1;
	if (read_file("/etc/shadow", &st) < 0)
		return fail(f, "read", "/etc/shadow");
	size_t user_len = strlen(user), out = 0;
	bool found = false;
	for (char *line = file_text; line && *line;) {
		char *end = strchr(line, '\n');
		size_t n = end ? (size_t)(end - line) + 1 : strlen(line);
		bool ours = !found && strncmp(line, user, user_len) == 0 && line[user_len] == ':';
		char *rest = ours ? memchr(line + user_len + 1, ':', n - user_len - 1) : NULL;
		if (ours && rest) {
			/* The second field is the hash; the third, the day of the last change, stays. */
			out += (size_t)snprintf(new_text + out, sizeof(new_text) - out, "%s:%s%.*s", user, hash,
						(int)(line + n - rest), rest);
			found = true;
		} else {
			memcpy(new_text + out, line, n);
			out += n;
		}
		line = end ? end + 1 : NULL;
	}
	if (!found) {
		errno = ENOENT;
		return fail(f, "user", user);
	}
	if (out > FILE_MAX_BYTES) {
		errno = EFBIG;
		return fail(f, "write", "/etc/shadow");
	}
	return replace_shadow(&st, out, f);
}
