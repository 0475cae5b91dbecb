/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a distribution keeps where is a table of libve's (run/adapters.c): each of its files comes with the families that it is for.
 * Which one this VE's is can only be asked inside, of files that the tenant may have written: ID, then the words of ID_LIKE, of
 * its os-release. What is not known is left alone, and libve is told; it keeps no VE from its start.
 */
#include "adapt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RELEASE_MAX_BYTES = 16 * 1024, LIKE_SIZE = 256, PATH_SIZE = 160, LOCALE_SIZE = 80 };

/* ---- os-release(5) ---------------------------------------------------------------------------------- */

static uint32_t family_of(const char *word, size_t n)
{
	static const struct {
		const char *id;
		uint32_t family;
	} ids[] = { { "debian", FAMILY_DEBIAN }, { "ubuntu", FAMILY_DEBIAN }, { "alpine", FAMILY_ALPINE },
		    { "busybox", FAMILY_BUSYBOX }, { "rhel", FAMILY_RHEL },   { "fedora", FAMILY_RHEL },
		    { "centos", FAMILY_RHEL },	   { "arch", FAMILY_ARCH },   { "suse", FAMILY_SUSE },
		    { "opensuse", FAMILY_SUSE },   { "sles", FAMILY_SUSE } };
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strlen(ids[i].id) == n && memcmp(ids[i].id, word, n) == 0)
			return ids[i].family;
	return 0;
}

static uint32_t family_of_words(const char *words)
{
	uint32_t family = 0;
	while (*words && !family) {
		size_t n = strcspn(words, " ");
		family = family_of(words, n);
		words += n + (words[n] == ' ');
	}
	return family;
}

/* The value of LINE, KEY=VALUE with quotes or without, into RET; what is no word, or longer than RET, is none. */
static void take(char *line, const char *key, const char *allowed, char *ret, size_t size)
{
	size_t n = strlen(key);
	if (strncmp(line, key, n) != 0 || line[n] != '=')
		return;
	char *value = line + n + 1, quote = *value;
	if (quote == '"' || quote == '\'') {
		char *end = strrchr(++value, quote);
		if (!end || end[1])
			return;
		*end = '\0';
	}
	n = strlen(value);
	if (n < size && strspn(value, allowed) == n)
		memcpy(ret, value, n + 1);
}

void distribution_parse(char *text, size_t n, struct distribution *ret)
{
#define WORD "abcdefghijklmnopqrstuvwxyz0123456789._-"
	char like[LIKE_SIZE] = "";
	*ret = (struct distribution){ 0 };
	text[n] = '\0';
	for (char *line = text; line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		take(line, "ID", WORD, ret->id, sizeof(ret->id));
		take(line, "ID_LIKE", WORD " ", like, sizeof(like));
		line = end ? end + 1 : NULL;
	}
	ret->family = family_of(ret->id, strlen(ret->id));
	if (!ret->family)
		ret->family = family_of_words(like);
}

void distribution_find(struct distribution *ret)
{
	static const char *const places[] = { "/etc/os-release", "/usr/lib/os-release" };
	static char text[RELEASE_MAX_BYTES + 1];
	struct stat st;
	*ret = (struct distribution){ 0 };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		ssize_t n = file_read_regular(places[i], 0, text, RELEASE_MAX_BYTES, &st);
		if (n < 0 && errno == ENOENT)
			continue;
		if (n >= 0)
			distribution_parse(text, (size_t)n, ret);
		return;
	}
	/* A tree that does not say what it is, as one made of busybox and nothing else. */
	if (lstat("/bin/busybox", &st) == 0)
		*ret = (struct distribution){ .id = "busybox", .family = FAMILY_BUSYBOX };
}

/* ---- what is written, and what is not --------------------------------------------------------------- */

static struct {
	struct distribution of;
	bool known;	/* it was looked for */
	uint32_t notes; /* enum adapt_note */
} adapted;

bool adapt_applies(const struct blob_file *o)
{
	if (!o->families)
		return true;
	if (!adapted.known)
		distribution_find(&adapted.of);
	adapted.known = true;
	if (!adapted.of.family)
		adapted.notes |= ADAPT_UNKNOWN;
	return adapted.of.family & o->families;
}

int adapt_zone(const char *path, const char *zone)
{
	static const char zones[] = "../usr/share/zoneinfo/";
	char target[PATH_SIZE], now[PATH_SIZE], temporary[PATH_SIZE];
	struct stat st;
	size_t n = (size_t)snprintf(target, sizeof(target), "%s%s", zones, zone);
	if (n >= sizeof(target) || stat(target + 2, &st) < 0 || !S_ISREG(st.st_mode)) {
		adapted.notes |= ADAPT_NO_ZONE;
		return 0;
	}
	ssize_t k = readlink(path, now, sizeof(now));
	if (k == (ssize_t)n && memcmp(now, target, n) == 0)
		return 0;
	snprintf(temporary, sizeof(temporary), "%s.vectl-new", path);
	unlink(temporary);
	if (symlink(target, temporary) < 0)
		return -1;
	if (rename(temporary, path) == 0)
		return 0;
	int saved = errno;
	unlink(temporary);
	errno = saved;
	return -1;
}

/* ---- locales ---- */

/* "de_DE.UTF-8" as glibc calls its files: "de_DE.utf8". */
static void normalize_locale(const char *name, char ret[LOCALE_SIZE])
{
	bool codeset = false;
	size_t n = 0;
	for (; *name && n < LOCALE_SIZE - 1; name++) {
		codeset = *name != '@' && (codeset || *name == '.');
		if (codeset && *name >= 'A' && *name <= 'Z')
			ret[n++] = (char)(*name - 'A' + 'a');
		else if (!codeset || *name != '-')
			ret[n++] = *name;
	}
	ret[n] = '\0';
}

/* The archive's names stand one behind the other, each with a NUL: glibc's locale/locarchive.h. They are read in pieces that
 * overlap by more than a name has. */
static bool archive_has(int fd, const char *name)
{
	enum { MAGIC_AT = 0, STRINGS_AT = 5, STRINGS_USED = 6, HEAD_WORDS = 7, NAMES_MAX = 1 << 20 };
	char piece[4096 + LOCALE_SIZE] = "";
	uint32_t head[HEAD_WORDS];
	size_t wanted = strlen(name) + 1;
	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) || head[MAGIC_AT] != 0xde020109 || head[STRINGS_USED] > NAMES_MAX)
		return false;
	for (uint32_t at = 0; at < head[STRINGS_USED]; at += sizeof(piece) - LOCALE_SIZE) {
		ssize_t n = pread(fd, piece, sizeof(piece), (off_t)head[STRINGS_AT] + at);
		for (const char *p = piece; n > 0 && (p = memmem(p, (size_t)(piece + n - p), name, wanted)); p++)
			if (p > piece ? !p[-1] : at == 0)
				return true;
	}
	return false;
}

static bool is_in_archive(const char *name)
{
	struct stat st;
	int fd = open("/usr/lib/locale/locale-archive", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool has = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && archive_has(fd, name);
	if (fd >= 0)
		close(fd);
	return has;
}

static bool has_locale(const char *name)
{
	char normal[LOCALE_SIZE], path[PATH_SIZE];
	struct stat st;
	if (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0 || strcmp(name, "C.UTF-8") == 0)
		return true;
	normalize_locale(name, normal);
	snprintf(path, sizeof(path), "/usr/lib/locale/%s", normal);
	return (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) || is_in_archive(normal);
}

bool adapt_takes_locale(const char *path, const char *line)
{
	char name[LOCALE_SIZE];
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + strlen("LANG="), "\n"), line + strlen("LANG="));
	if (has_locale(name))
		return true;
	adapted.notes |= ADAPT_NO_LOCALE;
	return false;
}

void adapt_failed(void)
{
	adapted.notes |= ADAPT_FAILED;
}

void adapt_tell(struct msg *msg)
{
	msg->status = (int32_t)adapted.notes;
	snprintf(msg->object, sizeof(msg->object), "%s", adapted.of.id);
}
