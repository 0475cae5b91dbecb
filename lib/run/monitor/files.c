/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan's changes to the VE's own files: resolver, hosts, keys, passwords. They run as the VE's root, inside
 * all of its namespaces, after pivot_root and with nothing of the host's open: a link in the tree leads no
 * further than the VE's root could go by itself. Nothing blocks: files are opened with O_NONBLOCK and only
 * regular ones are read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapt.h"
#include "base/file.h"
#include "mon.h"
#include "passwd.h"

enum { LINES_MAX_BYTES = 1 << 18 };
static char present[LINES_MAX_BYTES + 1];

int file_write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, data, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		data += k;
		n -= (size_t)k;
	}
	return 0;
}

ssize_t file_read_regular(const char *path, int flags, char *buf, size_t size, struct stat *ret_st)
{
	int fd = open(path, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t len = 0;
	ssize_t n = -1;
	if (fstat(fd, ret_st) < 0)
		n = -1;
	else if (!S_ISREG(ret_st->st_mode))
		errno = EINVAL;
	else if (ret_st->st_size >= (off_t)size)
		errno = EFBIG;
	else
		while (len < size && (n = read(fd, buf + len, size - len)) > 0)
			len += (size_t)n;
	int saved = errno;
	close(fd);
	errno = saved;
	/* What grew while we read it, and what has no size (files of /proc), is not read to its end: refused. */
	if (len == size && n > 0)
		errno = EFBIG;
	return n < 0 || (len == size && n > 0) ? -1 : (ssize_t)len;
}

int files_make_parents(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	char part[256];
	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, mode) == 0) {
			if (lchown(part, uid, gid) < 0)
				return -1;
		} else if (errno != EEXIST) {
			return -1;
		}
		*p = '/';
	}
	return 0;
}

static int write_new(const char *path, const char *a, size_t na, const char *b, size_t nb, const struct blob_file *o)
{
	char temporary[280];
	snprintf(temporary, sizeof(temporary), "%s.vectl-new", path);
	unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	bool ok = file_write_all(fd, a, na) == 0 && file_write_all(fd, b, nb) == 0 && fchown(fd, o->uid, o->gid) == 0 &&
		  fchmod(fd, o->mode) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	if (ok && rename(temporary, path) == 0)
		return 0;
	saved = errno;
	unlink(temporary);
	errno = saved;
	return -1;
}

/* The bytes of PATH into `present`; 0 where it is not there. */
static ssize_t read_present(const char *path)
{
	struct stat st;
	ssize_t n = file_read_regular(path, O_NOFOLLOW, present, LINES_MAX_BYTES, &st);
	return n < 0 && errno == ENOENT ? 0 : n;
}

/* Is a file already what it should be? Spares the write at every start. */
static bool is_same(const struct mon *m, const struct blob_file *o, const char *path)
{
	struct stat st;
	ssize_t n = file_read_regular(path, O_NOFOLLOW, present, LINES_MAX_BYTES, &st);
	return n == (ssize_t)o->data.n && memcmp(present, mon_at(m, o->data), o->data.n) == 0;
}

static bool has_line(size_t len, const char *line, size_t n)
{
	for (const char *p = present; p < present + len;) {
		const char *end = memchr(p, '\n', (size_t)(present + len - p));
		size_t k = end ? (size_t)(end - p) : (size_t)(present + len - p);
		if (k == n && memcmp(p, line, n) == 0)
			return true;
		p += k + 1;
	}
	return false;
}

static int add_lines(const struct mon *m, const struct blob_file *o, const char *path)
{
	static char fresh[BLOB_MAX_BYTES];
	ssize_t len = read_present(path);
	if (len < 0)
		return -1;
	size_t n_fresh = 0;
	if (len > 0 && present[len - 1] != '\n')
		present[len++] = '\n';
	const char *data = mon_at(m, o->data), *end = data + o->data.n;
	while (data < end) {
		const char *nl = memchr(data, '\n', (size_t)(end - data));
		size_t n = nl ? (size_t)(nl - data) : (size_t)(end - data);
		if (n && !has_line((size_t)len, data, n)) {
			memcpy(fresh + n_fresh, data, n);
			n_fresh += n;
			fresh[n_fresh++] = '\n';
		}
		data += n + 1;
	}
	return n_fresh ? write_new(path, present, (size_t)len, fresh, n_fresh, o) : 0;
}

int files_add_lines(const struct mon *m, const struct blob_file *o, const char *path)
{
	return files_make_parents(path, 0700, o->uid, o->gid) < 0 ? -1 : add_lines(m, o, path);
}

/* ---- /etc/hosts ---- */

/* The word behind the first one of LINE, and its length; 0: there is none. */
static size_t next_word(const char **p, const char *end)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	size_t n = 0;
	while (*p + n < end && (*p)[n] != ' ' && (*p)[n] != '\t' && (*p)[n] != '\n' && (*p)[n] != '#')
		n++;
	return n;
}

/* Does the line from P to END give an address to NAME (N bytes)? */
static bool line_names(const char *p, const char *end, const char *name, size_t n)
{
	size_t word = next_word(&p, end);
	for (bool first = true; word > 0; first = false) {
		if (!first && word == n && memcmp(p, name, n) == 0)
			return true;
		p += word;
		word = next_word(&p, end);
	}
	return false;
}

static bool ends_with_tag(const char *p, const char *end)
{
	static const char tag[] = BLOB_HOSTS_TAG;
	size_t n = sizeof(tag) - 1;
	return (size_t)(end - p) >= n && memcmp(end - n, tag, n) == 0;
}

/* Our line is the one with the tag. It is there as long as no other line has the VE's name; what others wrote stays. */
static int hosts_set(const struct mon *m, const struct blob_file *o, const char *path)
{
	static const char base[] = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
	static char fresh[LINES_MAX_BYTES + BLOB_MAX_BYTES + sizeof(base)];
	const char *line = mon_at(m, o->data), *name = memchr(line, '\t', o->data.n);
	ssize_t len = read_present(path);
	if (len < 0 || !name)
		return -1;
	name++;
	size_t n_name = strcspn(name, "\t"), n = 0;
	bool named = false;
	for (const char *p = present, *end; p < present + len; p = end + 1) {
		end = memchr(p, '\n', (size_t)(present + len - p));
		end = end ? end : present + len;
		if (ends_with_tag(p, end))
			continue;
		named = named || line_names(p, end, name, n_name);
		memcpy(fresh + n, p, (size_t)(end - p));
		n += (size_t)(end - p);
		fresh[n++] = '\n';
	}
	if (len == 0) {
		memcpy(fresh, base, sizeof(base) - 1);
		n = sizeof(base) - 1;
	}
	if (!named) {
		memcpy(fresh + n, line, o->data.n);
		n += o->data.n;
	}
	return n == (size_t)len && memcmp(fresh, present, n) == 0 ? 0 : write_new(path, fresh, n, "", 0, o);
}

/* Is there no file that could be meant, whatever a tenant has put in its place? */
static bool is_nowhere(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == EISDIR || errnum == ELOOP;
}

static int remove_file(const char *path)
{
	return unlink(path) == 0 || is_nowhere(errno) ? 0 : -1;
}

static int remove_tree(const char *path)
{
	int r = file_remove_tree(AT_FDCWD, path);
	if (r == 0 || is_nowhere(-r))
		return 0;
	errno = -r;
	return -1;
}

static int empty_file(const char *path, const struct blob_file *o)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return is_nowhere(errno) ? 0 : -1;
	return S_ISDIR(st.st_mode) ? 0 : write_new(path, "", 0, "", 0, o);
}

static int apply_one(const struct mon *m, const struct blob_file *o, struct failure *f)
{
	const char *path = mon_str(m, o->path);
	int r = 0;
	if (!adapt_applies(o))
		return 0;
	if (o->only_with && access(mon_str(m, o->only_with), F_OK) < 0)
		return 0;
	switch (o->kind) {
	case BF_HOSTS:
		r = hosts_set(m, o, path);
		break;
	case BF_LOCALE:
		if (!adapt_takes_locale(path, mon_at(m, o->data)))
			break;
		__attribute__((fallthrough));
	case BF_REPLACE:
		if (!is_same(m, o, path))
			r = files_make_parents(path, 0755, 0, 0) < 0 ? -1 : write_new(path, mon_at(m, o->data), o->data.n, "", 0, o);
		break;
	case BF_ZONE:
		r = adapt_zone(path, mon_at(m, o->data));
		break;
	case BF_ADD_LINES:
		r = files_add_lines(m, o, path);
		break;
	case BF_REMOVE:
		r = remove_file(path);
		break;
	case BF_REMOVE_TREE:
		r = remove_tree(path);
		break;
	case BF_EMPTY:
		r = empty_file(path, o);
		break;
	case BF_PASSWORD:
		return shadow_set(path, mon_at(m, o->data), f);
	default:
		errno = EINVAL;
		r = -1;
	}
	return r < 0 ? fail(f, "write", path) : 0;
}

int files_apply(const struct mon *m, struct failure *f)
{
	const struct blob_file *o = mon_at(m, m->blob->files);
	for (uint32_t i = 0; i < m->blob->files.n; i++) {
		if (apply_one(m, &o[i], f) == 0)
			continue;
		if (!o[i].optional)
			return -1;
		if (o[i].families)
			adapt_failed();
	}
	return 0;
}
