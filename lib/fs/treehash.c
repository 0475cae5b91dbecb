/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One walk makes the lines; what is done with them (hashed and written, or compared with an older manifest) is a
 * function called for each.
 */
#include "fs/treehash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sha2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

static const char stage[] = "treehash";

/* Far beyond any real system, near enough that a hostile tree cannot eat the host. Every level
 * holds a descriptor. */
enum {
	MAX_DEPTH = 200,
	MAX_FILES = 20 * 1000 * 1000,
	MAX_LINKED = 1000 * 1000,          /* files with several names */
	MAX_HELD_NAMES = 128 << 20,        /* bytes of names of the directories on the way down */
	MAX_LINE = 1 << 20,                /* of a manifest that is read */
	BUFFER = 128 << 10,
	XATTR_MAX = 64 << 10,              /* the kernel's own bound of a list and of a value */
};

struct linked { /* a file with several names: met first as path */
	uint64_t dev, ino;
	char *path;
};

typedef int (*line_fn)(const char *path, const char *line, size_t length, void *data, ve_error **ret_error);

struct walk {
	const char *what;
	const struct treehash_opts *opts;
	line_fn fn;
	void *data;
	struct strbuf path, line; /* of the file under way */
	struct linked *linked;    /* open addressing, a power of two */
	size_t n_linked, linked_size;
	size_t held_bytes;
	uint64_t n_files, size_bytes;
	dev_t dev;
	char *buffer;
};

/* ---- words ------------------------------------------------------------------------------------------ */

static void add_escaped(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c <= ' ' || c == 0x7f || c == '\\')
			strbuf_addf(b, "\\x%02x", c);
		else
			strbuf_add_n(b, s, 1);
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes the escapes out of S in place. */
static void unescape(char *s)
{
	char *to = s;
	while (*s) {
		if (s[0] == '\\' && s[1] == 'x' && hex_digit(s[2]) >= 0 && hex_digit(s[3]) >= 0) {
			*to++ = (char)(hex_digit(s[2]) * 16 + hex_digit(s[3]));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static void cut(struct strbuf *b, size_t length)
{
	if (b->data && length < b->cap) {
		b->len = length;
		b->data[length] = '\0';
	}
}

static void hex(const uint8_t *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * n] = '\0';
}

/* ERRNUM concerning the file under way. */
static int fail(struct walk *w, int errnum, const char *attempted, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(w->path.data ?: ".");
	return err_sys(ret_error, errnum, stage, "%s: cannot %s '%s'", w->what, attempted, quoted ?: "?");
}

static int refuse(struct walk *w, const char *why, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(w->path.data ?: ".");
	return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage, "%s: '%s' %s", w->what, quoted ?: "?", why);
}

static int check_cancelled(struct walk *w, ve_error **ret_error)
{
	struct pollfd cancel = { .fd = w->opts->cancel_fd, .events = POLLIN };
	if (cancel.fd >= 0 && poll(&cancel, 1, 0) > 0)
		return err_plain(ret_error, VE_ERR_BUSY, EINTR, stage, "interrupted while reading %s", w->what);
	return 0;
}

/* ---- content and attributes ------------------------------------------------------------------------- */

static int hash_file(struct walk *w, int fd, char ret[TREEHASH_DIGEST_LENGTH + 1], ve_error **ret_error)
{
	SHA2_CTX sha;
	SHA256Init(&sha);
	for (unsigned n_reads = 1;; n_reads++) {
		ssize_t n = read(fd, w->buffer, BUFFER);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(w, errno, "read", ret_error);
		if (n == 0)
			break;
		SHA256Update(&sha, (const uint8_t *)w->buffer, (size_t)n);
		int r = n_reads % 64 ? 0 : check_cancelled(w, ret_error);
		if (r < 0)
			return r;
	}
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256Final(digest, &sha);
	hex(digest, sizeof(digest), ret);
	return 0;
}

int treehash_file(int fd, char ret[TREEHASH_DIGEST_LENGTH + 1])
{
	SHA2_CTX sha;
	SHA256Init(&sha);
	uint8_t buffer[16384], digest[SHA256_DIGEST_LENGTH];
	for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		SHA256Update(&sha, buffer, (size_t)n);
	}
	SHA256Final(digest, &sha);
	hex(digest, sizeof(digest), ret);
	return 0;
}

enum xattr_kind { XATTR_HOSTS, XATTR_CONTENT, XATTR_REFUSED };

/* Labels of security modules (selinux, SMACK64, ima, evm) are the host's doing, as are the words of its file
 * systems. */
static enum xattr_kind xattr_kind(const char *name)
{
	if (str_starts(name, "trusted.") || str_starts(name, "user.overlay."))
		return XATTR_REFUSED;
	if (str_starts(name, "user.") || str_starts(name, "system.posix_acl_") ||
	    str_eq(name, "security.capability"))
		return XATTR_CONTENT;
	return XATTR_HOSTS;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_xattr(struct walk *w, const char *proc_path, const char *name, ve_error **ret_error)
{
	ssize_t n = getxattr(proc_path, name, w->buffer, XATTR_MAX);
	if (n < 0)
		return fail(w, errno, "read an attribute of", ret_error);
	char digest[SHA256_DIGEST_STRING_LENGTH];
	SHA256Data((const uint8_t *)w->buffer, (size_t)n, digest);
	strbuf_add(&w->line, " xattr.");
	add_escaped(&w->line, name);
	strbuf_addf(&w->line, "=%s", digest);
	return 0;
}

/* FD may be O_PATH, for which flistxattr(2) is not allowed; its link in /proc leads to the very object,
 * whatever that is. */
static int add_xattrs(struct walk *w, int fd, ve_error **ret_error)
{
	char proc_path[40];
	snprintf(proc_path, sizeof(proc_path), "/proc/self/fd/%d", fd);
	ssize_t n = listxattr(proc_path, w->buffer, XATTR_MAX);
	if (n == 0 || (n < 0 && errno == EOPNOTSUPP))
		return 0;
	if (n < 0)
		return fail(w, errno, "list the attributes of", ret_error);
	_cleanup_strv_ char **names = NULL;
	for (const char *name = w->buffer; name < w->buffer + n; name += strlen(name) + 1) {
		enum xattr_kind kind = xattr_kind(name);
		if (kind == XATTR_REFUSED) {
			_cleanup_free_ char *why =
				str_printf("has the attribute '%s', which steers overlays", name);
			return refuse(w, why ?: "has an attribute that steers overlays", ret_error);
		}
		if (kind == XATTR_CONTENT && strv_add(&names, name) < 0)
			return err_nomem(ret_error);
	}
	size_t n_names = strv_length((const char *const *)names);
	if (n_names > 0)
		qsort(names, n_names, sizeof(*names), by_bytes);
	int r = 0;
	for (size_t i = 0; i < n_names && r == 0; i++)
		r = add_xattr(w, proc_path, names[i], ret_error);
	return r;
}

/* ---- files with several names ----------------------------------------------------------------------- */

static size_t linked_slot(const struct linked *table, size_t size, uint64_t dev, uint64_t ino)
{
	size_t i = (size_t)((ino * 0x9e3779b97f4a7c15u) ^ dev) & (size - 1);
	while (table[i].path && (table[i].dev != dev || table[i].ino != ino))
		i = (i + 1) & (size - 1);
	return i;
}

static int linked_grow(struct walk *w)
{
	size_t size = w->linked_size ? w->linked_size * 2 : 256;
	struct linked *table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < w->linked_size; i++)
		if (w->linked[i].path)
			table[linked_slot(table, size, w->linked[i].dev, w->linked[i].ino)] = w->linked[i];
	free(w->linked);
	w->linked = table;
	w->linked_size = size;
	return 0;
}

/* RET_FIRST: the name under which the file was met before, or NULL if this is the first. */
static int linked_find(struct walk *w, const struct stat *st, const char **ret_first, ve_error **ret_error)
{
	if (w->n_linked >= MAX_LINKED)
		return refuse(w, "is one of too many files with several names", ret_error);
	if (w->n_linked * 2 >= w->linked_size && linked_grow(w) < 0)
		return err_nomem(ret_error);
	struct linked *entry = &w->linked[linked_slot(w->linked, w->linked_size, st->st_dev, st->st_ino)];
	*ret_first = entry->path;
	if (entry->path)
		return 0;
	*entry = (struct linked){ st->st_dev, st->st_ino, strdup(w->path.data) };
	if (!entry->path)
		return err_nomem(ret_error);
	w->n_linked++;
	return 0;
}

/* ---- one file --------------------------------------------------------------------------------------- */

static int add_content(struct walk *w, int path_fd, const struct stat *st, ve_error **ret_error)
{
	/* Not by name a second time: what is opened is what was looked at, never a device or a FIFO put in its
	 * place. */
	char proc_path[40];
	snprintf(proc_path, sizeof(proc_path), "/proc/self/fd/%d", path_fd);
	_cleanup_close_ int fd = open(proc_path, O_RDONLY | O_CLOEXEC | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(proc_path, O_RDONLY | O_CLOEXEC); /* not ours: its access time will change */
	if (fd < 0)
		return fail(w, errno, "open", ret_error);
	char digest[TREEHASH_DIGEST_LENGTH + 1];
	int r = hash_file(w, fd, digest, ret_error);
	if (r == 0)
		strbuf_addf(&w->line, " size=%lld sha256=%s", (long long)st->st_size, digest);
	return r;
}

static int add_target(struct walk *w, int path_fd, ve_error **ret_error)
{
	ssize_t n = readlinkat(path_fd, "", w->buffer, BUFFER - 1);
	if (n < 0)
		return fail(w, errno, "read the link", ret_error);
	w->buffer[n] = '\0';
	strbuf_add(&w->line, " target=");
	add_escaped(&w->line, w->buffer);
	return 0;
}

static const char *type_word(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "dir";
	case S_IFLNK:
		return "link";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	default:
		return NULL;
	}
}

static int describe(struct walk *w, int fd, const struct stat *st, ve_error **ret_error)
{
	const char *type = type_word(st->st_mode);
	if (!type)
		return refuse(w, "is of an unknown type", ret_error);
	strbuf_addf(&w->line, " type=%s", type);
	if (!S_ISLNK(st->st_mode)) /* a link's mode means nothing and differs between file systems */
		strbuf_addf(&w->line, " mode=%04o", st->st_mode & 07777u);
	strbuf_addf(&w->line, " uid=%u gid=%u", st->st_uid, st->st_gid);
	int r = 0;
	if (S_ISREG(st->st_mode))
		r = add_content(w, fd, st, ret_error);
	else if (S_ISLNK(st->st_mode))
		r = add_target(w, fd, ret_error);
	else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		strbuf_addf(&w->line, " device=%u:%u", major(st->st_rdev), minor(st->st_rdev));
	return r < 0 ? r : add_xattrs(w, fd, ret_error);
}

/* Makes the line of the file at FD (any kind of descriptor) and hands it on. */
static int emit(struct walk *w, int fd, const struct stat *st, ve_error **ret_error)
{
	if (++w->n_files > MAX_FILES)
		return refuse(w, "is one of too many files", ret_error);
	cut(&w->line, 0);
	add_escaped(&w->line, w->path.data);
	const char *first = NULL;
	int r = 0;
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		r = linked_find(w, st, &first, ret_error);
	if (r < 0)
		return r;
	if (first) {
		strbuf_add(&w->line, " type=hardlink to=");
		add_escaped(&w->line, first);
	} else {
		w->size_bytes += (uint64_t)st->st_blocks * 512;
		r = describe(w, fd, st, ret_error);
		if (r < 0)
			return r;
	}
	strbuf_add(&w->line, "\n");
	if (w->line.oom || w->path.oom)
		return err_nomem(ret_error);
	if (w->n_files % 64 == 0) {
		r = check_cancelled(w, ret_error);
		if (r < 0)
			return r;
		if (w->opts->progress)
			w->opts->progress(w->opts->what, w->n_files, w->opts->n_expected, w->opts->progress_data);
	}
	return w->fn(w->path.data, w->line.data, w->line.len, w->data, ret_error);
}

/* ---- the walk --------------------------------------------------------------------------------------- */

struct names {
	char **v; /* NULL-terminated */
	size_t n, cap, bytes;
};

static int add_name(struct walk *w, struct names *names, const char *name, ve_error **ret_error)
{
	names->bytes += strlen(name) + 1 + sizeof(*names->v);
	if (w->held_bytes + names->bytes > MAX_HELD_NAMES)
		return refuse(w, "holds too many names", ret_error);
	if (names->n + 1 >= names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 32;
		char **bigger = realloc(names->v, cap * sizeof(*bigger));
		if (!bigger)
			return err_nomem(ret_error);
		names->v = bigger;
		names->cap = cap;
	}
	names->v[names->n] = strdup(name);
	names->v[names->n + 1] = NULL;
	return names->v[names->n++] ? 0 : err_nomem(ret_error);
}

/* The sorted names in the directory DIR_FD (O_PATH will do). NAMES is filled, and freed by the caller, also on
 * failure. */
static int list(struct walk *w, int dir_fd, struct names *names, ve_error **ret_error)
{
	_cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return fail(w, errno, "open", ret_error);
	steal_fd(&fd);

	errno = 0;
	for (struct dirent *e; (e = readdir(dir)); errno = 0) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		int r = add_name(w, names, e->d_name, ret_error);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return fail(w, errno, "list", ret_error);
	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), by_bytes);
	return 0;
}

static int walk_dir(struct walk *w, int dir_fd, unsigned depth, ve_error **ret_error);

static int walk_name(struct walk *w, int dir_fd, const char *name, unsigned depth, ve_error **ret_error)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(w, errno, "look at", ret_error);
	if (st.st_dev != w->dev)
		return refuse(w, "is a mount point", ret_error);
	int r = emit(w, fd, &st, ret_error);
	if (r < 0 || !S_ISDIR(st.st_mode))
		return r;
	if (depth == MAX_DEPTH)
		return refuse(w, "is a directory too deep", ret_error);
	return walk_dir(w, fd, depth + 1, ret_error);
}

static int walk_dir(struct walk *w, int dir_fd, unsigned depth, ve_error **ret_error)
{
	struct names names = {};
	int r = list(w, dir_fd, &names, ret_error);
	w->held_bytes += names.bytes;
	size_t length = depth == 0 ? 0 : w->path.len;
	for (size_t i = 0; i < names.n && r == 0; i++) {
		cut(&w->path, length);
		if (length > 0)
			strbuf_add(&w->path, "/");
		strbuf_add(&w->path, names.v[i]);
		r = w->path.oom ? err_nomem(ret_error) : walk_name(w, dir_fd, names.v[i], depth, ret_error);
	}
	w->held_bytes -= names.bytes;
	strv_free(names.v);
	return r;
}

static void walk_done(struct walk *w)
{
	for (size_t i = 0; i < w->linked_size; i++)
		free(w->linked[i].path);
	free(w->linked);
	free(w->buffer);
	strbuf_done(&w->path);
	strbuf_done(&w->line);
}

static int walk_tree(struct walk *w, int root_fd, ve_error **ret_error)
{
	struct stat st;
	w->buffer = malloc(BUFFER);
	strbuf_add(&w->path, ".");
	if (!w->buffer || w->path.oom)
		return err_nomem(ret_error);
	if (fstat(root_fd, &st) < 0)
		return fail(w, errno, "look at", ret_error);
	if (!S_ISDIR(st.st_mode))
		return refuse(w, "is no directory", ret_error);
	w->dev = st.st_dev;
	int r = emit(w, root_fd, &st, ret_error);
	return r < 0 ? r : walk_dir(w, root_fd, 0, ret_error);
}

/* ---- write ------------------------------------------------------------------------------------------ */

struct writer {
	SHA2_CTX sha;
	FILE *out; /* or NULL */
};

static int write_line(const char *path, const char *line, size_t length, void *data, ve_error **ret_error)
{
	struct writer *writer = data;
	SHA256Update(&writer->sha, (const uint8_t *)line, length);
	if (writer->out && fwrite(line, 1, length, writer->out) != length)
		return err_sys(ret_error, errno, stage, "cannot write the manifest");
	return 0;
}

/* A stream of its own on FD, so that closing it leaves FD open. */
static FILE *stream_of(int fd, const char *mode)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	FILE *f = copy < 0 ? NULL : fdopen(copy, mode);
	if (!f && copy >= 0)
		close(copy);
	return f;
}

int treehash_write(int root_fd, int out_fd, const char *what, const struct treehash_opts *opts,
		   struct treehash *ret, ve_error **ret_error)
{
	_cleanup_fclose_ FILE *out = out_fd < 0 ? NULL : stream_of(out_fd, "w");
	if (out_fd >= 0 && !out)
		return err_sys(ret_error, errno, stage, "cannot write the manifest of %s", what);
	struct writer writer = { .out = out };
	SHA256Init(&writer.sha);
	struct walk w = { .what = what, .opts = opts, .fn = write_line, .data = &writer };
	int r = walk_tree(&w, root_fd, ret_error);
	uint64_t n_files = w.n_files, size_bytes = w.size_bytes;
	walk_done(&w);
	if (r == 0 && out && fflush(out) != 0)
		r = err_sys(ret_error, errno, stage, "cannot write the manifest of %s", what);
	if (r < 0)
		return r;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256Final(digest, &writer.sha);
	hex(digest, sizeof(digest), ret->digest);
	ret->n_files = n_files;
	ret->size_bytes = size_bytes;
	return 0;
}

/* ---- check ------------------------------------------------------------------------------------------ */

struct checker {
	const char *what;
	FILE *in;
	char *line;     /* the next expected line without its newline; NULL at the end */
	size_t cap;
	char *path;     /* its path, unescaped */
	size_t path_cap;
};

static int expect_next(struct checker *c, ve_error **ret_error)
{
	ssize_t n = getline(&c->line, &c->cap, c->in);
	if (n < 0 && ferror(c->in))
		return err_sys(ret_error, errno, stage, "cannot read the manifest of %s", c->what);
	if (n < 0) {
		free(c->line);
		c->line = NULL;
		return 0;
	}
	char *space = strchr(c->line, ' ');
	if (n > MAX_LINE || c->line[n - 1] != '\n' || !space)
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage, "the manifest of %s is damaged", c->what);
	c->line[n - 1] = '\0';
	size_t length = (size_t)(space - c->line);
	if (length >= c->path_cap) {
		char *bigger = realloc(c->path, length + 1);
		if (!bigger)
			return err_nomem(ret_error);
		c->path = bigger;
		c->path_cap = length + 1;
	}
	memcpy(c->path, c->line, length);
	c->path[length] = '\0';
	unescape(c->path);
	return 0;
}

/* The order of the walk: component by component, so that '/' is less than any byte of a name; "." is first. */
static int path_cmp(const char *a, const char *b)
{
	if (str_eq(a, ".") || str_eq(b, "."))
		return str_eq(a, b) ? 0 : str_eq(a, ".") ? -1 : 1;
	for (; *a == *b; a++, b++)
		if (!*a)
			return 0;
	if (*a && *b && (*a == '/' || *b == '/'))
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int differs(const struct checker *c, const char *path, const char *how, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(path);
	return err_plain(ret_error, VE_ERR_DATA, EBADMSG, "verify", "%s is damaged: '%s' %s", c->what,
			 quoted ?: "?", how);
}

/* Whether WORD ("size=12") is one of the words of LINE behind the path. */
static bool has_word(const char *line, const char *word, size_t length)
{
	for (const char *p = strchr(line, ' '); p; p = strchr(p + 1, ' '))
		if (strncmp(p + 1, word, length) == 0 && (p[1 + length] == ' ' || !p[1 + length]))
			return true;
	return false;
}

static void add_key(struct strbuf *b, const char *word, size_t length)
{
	const char *equals = memchr(word, '=', length);
	size_t n = equals ? (size_t)(equals - word) : length;
	_cleanup_free_ char *key = n == strlen("sha256") && strncmp(word, "sha256", n) == 0 ? strdup("content")
											    : strndup(word, n);
	if (!key || (b->len > 0 && strstr(b->data, key)))
		return; /* said already */
	strbuf_addf(b, "%s%s", b->len ? ", " : "", key);
}

/* The keys of the words of LINE that OTHER does not have. */
static void add_different(struct strbuf *b, const char *line, const char *other)
{
	for (const char *p = strchr(line, ' '); p; p = strchr(p + 1, ' ')) {
		size_t length = strcspn(p + 1, " ");
		if (!has_word(other, p + 1, length))
			add_key(b, p + 1, length);
	}
}

static int changed(const struct checker *c, const char *path, const char *line, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf keys = {};
	add_different(&keys, c->line, line);
	add_different(&keys, line, c->line);
	_cleanup_free_ char *quoted = str_quote(keys.data ?: "");
	_cleanup_free_ char *how = str_printf("was changed (%s)", quoted ?: "");
	return differs(c, path, how ?: "was changed", ret_error);
}

static int check_line(const char *path, const char *line, size_t length, void *data, ve_error **ret_error)
{
	struct checker *c = data;
	int order = c->line ? path_cmp(c->path, path) : 1;
	if (order < 0)
		return differs(c, c->path, "is missing", ret_error);
	if (order > 0)
		return differs(c, path, "was added", ret_error);
	if (strlen(c->line) == length - 1 && memcmp(c->line, line, length - 1) == 0)
		return expect_next(c, ret_error);
	_cleanup_free_ char *plain = strndup(line, length - 1);
	return plain ? changed(c, path, plain, ret_error) : err_nomem(ret_error);
}

int treehash_check(int root_fd, int manifest_fd, const char *what, const struct treehash_opts *opts,
		   ve_error **ret_error)
{
	_cleanup_fclose_ FILE *in = stream_of(manifest_fd, "r");
	if (!in)
		return err_sys(ret_error, errno, stage, "cannot read the manifest of %s", what);
	struct checker c = { .what = what, .in = in };
	struct walk w = { .what = what, .opts = opts, .fn = check_line, .data = &c };
	int r = expect_next(&c, ret_error);
	if (r == 0)
		r = walk_tree(&w, root_fd, ret_error);
	if (r == 0 && c.line)
		r = differs(&c, c.path, "is missing", ret_error);
	walk_done(&w);
	free(c.line);
	free(c.path);
	return r;
}
