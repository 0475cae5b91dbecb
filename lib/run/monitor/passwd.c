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

enum { FILE_MAX_BYTES = 1 << 20, FIELDS = 9 };
static char text[FILE_MAX_BYTES + 1], changed[FILE_MAX_BYTES + 1024];

static ssize_t read_file(const char *path, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	size_t len = 0;
	ssize_t n = 0;
	if (fstat(fd, ret_st) < 0 || !S_ISREG(ret_st->st_mode))
		errno = EINVAL;
	else if (ret_st->st_size > FILE_MAX_BYTES)
		errno = EFBIG;
	else
		while ((n = read(fd, text + len, FILE_MAX_BYTES - len)) > 0)
			len += (size_t)n;
	bool ok = S_ISREG(ret_st->st_mode) && ret_st->st_size <= FILE_MAX_BYTES && n == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	text[len] = '\0';
	return ok ? (ssize_t)len : -1;
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
	char *field[FIELDS], *cursor = text;
	if (read_file("/etc/passwd", &st) < 0)
		return false;
	for (int n; (n = next_line(&cursor, field)) >= 0;) {
		uint32_t u, g;
		if (n != 7 || !number(field[2], &u) || !number(field[3], &g))
			continue;
		if (by_uid ? u != uid : strcmp(field[0], name) != 0)
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

static void find_groups(struct identity *id)
{
	struct stat st;
	char *field[FIELDS], *cursor = text;
	id->groups[0] = id->gid;
	id->n_groups = 1;
	if (!id->name[0] || read_file("/etc/group", &st) < 0)
		return;
	for (int n; (n = next_line(&cursor, field)) >= 0;) {
		uint32_t g;
		if (n != 4 || !number(field[2], &g) || g == id->gid || !is_member(field[3], id->name))
			continue;
		if (id->n_groups < 64)
			id->groups[id->n_groups++] = g;
	}
}

int identity_find(const char *name, struct identity *ret_identity, struct failure *f)
{
	struct identity id = { .home = "/", .shell = "/bin/sh" };
	char copy[160];
	uint32_t uid, gid;
	snprintf(copy, sizeof(copy), "%s", name ? name : "0");
	char *colon = strchr(copy, ':');
	if (colon)
		*colon++ = '\0';
	bool numeric = number(copy, &uid);
	bool found = find_passwd(copy, numeric, numeric ? uid : 0, &id);
	if (!found && !numeric) {
		errno = ENOENT;
		return fail(f, "user", name);
	}
	if (!found) {
		id.uid = uid;
		id.gid = uid == 0 ? 0 : uid;
		snprintf(id.home, sizeof(id.home), "%s", uid == 0 ? "/root" : "/");
		snprintf(id.name, sizeof(id.name), "%s", uid == 0 ? "root" : "");
	}
	if (colon && !number(colon, &gid)) {
		errno = EINVAL;
		return fail(f, "group", name);
	}
	if (colon)
		id.gid = gid;
	find_groups(&id);
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
	bool ok = write(fd, changed, len) == (ssize_t)len && fchown(fd, st->st_uid, st->st_gid) == 0 &&
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
	ssize_t len = read_file("/etc/shadow", &st);
	if (len < 0)
		return fail(f, "read", "/etc/shadow");
	size_t user_len = strlen(user), out = 0;
	bool found = false;
	for (char *line = text; line && *line;) {
		char *end = strchr(line, '\n');
		size_t n = end ? (size_t)(end - line) + 1 : strlen(line);
		bool ours = !found && strncmp(line, user, user_len) == 0 && line[user_len] == ':';
		char *rest = ours ? memchr(line + user_len + 1, ':', n - user_len - 1) : NULL;
		if (ours && rest) {
			/* The second field is the hash; the third, the day of the last change, stays. */
			out += (size_t)snprintf(changed + out, sizeof(changed) - out, "%s:%s%.*s", user, hash,
						(int)(line + n - rest), rest);
			found = true;
		} else {
			memcpy(changed + out, line, n);
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
