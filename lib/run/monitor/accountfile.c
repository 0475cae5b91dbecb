/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "accountfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- reading ---------------------------------------------------------------------------------------- */

int account_load(struct account_file *t, bool needed, struct failure *f)
{
	size_t room = 2 * ACCOUNT_FILE_MAX + ACCOUNT_ROOM + 1;
	t->fresh = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->fresh == MAP_FAILED)
		return fail(f, "mmap", t->path);
	t->text = t->fresh + ACCOUNT_FILE_MAX + ACCOUNT_ROOM;
	ssize_t n = file_read_regular(t->path, O_NOFOLLOW, t->text, ACCOUNT_FILE_MAX, &t->st);
	if (n < 0 && errno == ENOENT && !needed)
		return 0;
	if (n >= 0 && memchr(t->text, '\0', (size_t)n)) {
		errno = EINVAL;
		n = -1;
	}
	if (n < 0)
		return fail(f, "read", t->path);
	t->len = (size_t)n;
	t->there = true;
	return 0;
}


bool account_next(const struct account_file *t, size_t *cursor, struct account_line *l)
{
	if (*cursor >= t->len)
		return false;
	l->start = t->text + *cursor;
	const char *end = memchr(l->start, '\n', t->len - *cursor);
	l->n = end ? (size_t)(end - l->start) : t->len - *cursor;
	*cursor += l->n + 1;
	l->n_fields = 0;
	for (const char *p = l->start; l->n_fields < ACCOUNT_FIELDS;) {
		size_t left = l->n - (size_t)(p - l->start);
		const char *colon = memchr(p, ':', left);
		l->field[l->n_fields] = p;
		l->length[l->n_fields++] = colon ? (size_t)(colon - p) : left;
		if (!colon)
			break;
		p = colon + 1;
	}
	return true;
}

bool account_is(const struct account_line *l, int i, const char *text)
{
	return i < l->n_fields && l->length[i] == strlen(text) && memcmp(l->field[i], text, l->length[i]) == 0;
}

uint32_t account_id(const struct account_line *l, int i)
{
	uint32_t v = 0;
	if (i >= l->n_fields || l->length[i] == 0 || l->length[i] > 5)
		return ACCOUNT_IDS;
	for (size_t k = 0; k < l->length[i]; k++) {
		if (l->field[i][k] < '0' || l->field[i][k] > '9')
			return ACCOUNT_IDS;
		v = v * 10 + (uint32_t)(l->field[i][k] - '0');
	}
	return v < ACCOUNT_IDS ? v : ACCOUNT_IDS;
}

bool account_has_word(const struct account_line *l, int i, const char *name)
{
	size_t n = strlen(name);
	if (i >= l->n_fields)
		return false;
	for (const char *p = l->field[i], *end = p + l->length[i]; p <= end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t k = (size_t)((comma ? comma : end) - p);
		if (k == n && memcmp(p, name, n) == 0)
			return true;
		p += k + 1;
	}
	return false;
}

bool account_find(const struct account_file *t, const char *name, struct account_line *l)
{
	for (size_t cursor = 0; account_next(t, &cursor, l);)
		if (l->n_fields > 1 && account_is(l, 0, name))
			return true;
	return false;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

void account_put(struct account_file *t, const char *data, size_t n)
{
	if (n > ACCOUNT_FILE_MAX + ACCOUNT_ROOM - t->n) {
		t->overflow = true;
		return;
	}
	memcpy(t->fresh + t->n, data, n);
	t->n += n;
}
void account_put_text(struct account_file *t, const char *s) { account_put(t, s, strlen(s)); }
void account_put_line(struct account_file *t, const struct account_line *l)
{
	account_put(t, l->start, l->n);
	account_put(t, "\n", 1);
}
void account_put_before(struct account_file *t, const struct account_line *l, int i) { account_put(t, l->start, (size_t)(l->field[i] - l->start)); }
void account_put_after(struct account_file *t, const struct account_line *l, int i)
{
	const char *end = l->field[i] + l->length[i];
	account_put(t, end, (size_t)(l->start + l->n - end));
	account_put(t, "\n", 1);
}

void account_put_without(struct account_file *t, const struct account_line *l, int i, const char *name)
{
	size_t len = strlen(name);
	bool first = true;
	for (const char *p = l->field[i], *end = p + l->length[i]; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t k = (size_t)((comma ? comma : end) - p);
		if (k != len || memcmp(p, name, len) != 0) {
			account_put(t, ",", first ? 0 : 1);
			account_put(t, p, k);
			first = false;
		}
		p += k + 1;
	}
}

static int write_temporary(struct account_file *t, struct failure *f)
{
	errno = EFBIG;
	if (t->overflow || t->n >= ACCOUNT_FILE_MAX)
		return fail(f, "write", t->path);
	unlink(t->temporary);
	int fd = open(t->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(f, "open", t->temporary);
	t->written = true;
	bool ok = file_write_all(fd, t->fresh, t->n) == 0 && fchown(fd, t->st.st_uid, t->st.st_gid) == 0 &&
		  fchmod(fd, t->st.st_mode & 0777) == 0 && fsync(fd) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	return ok ? 0 : fail(f, "write", t->temporary);
}

/* Is it still what was read? Who has changed it without the lock loses nothing by us. */
static bool is_as_read(const struct account_file *t)
{
	struct stat st;
	return lstat(t->path, &st) == 0 && st.st_ino == t->st.st_ino && st.st_dev == t->st.st_dev && st.st_size == t->st.st_size &&
	       st.st_mtim.tv_sec == t->st.st_mtim.tv_sec && st.st_mtim.tv_nsec == t->st.st_mtim.tv_nsec;
}

static int put_in_place(struct account_file *const order[4], struct failure *f)
{
	for (int i = 0; i < 4; i++)
		if (order[i]->changed && write_temporary(order[i], f) < 0)
			return -1;
	for (int i = 0; i < 4; i++) {
		errno = EBUSY;
		if (order[i]->changed && !is_as_read(order[i]))
			return fail(f, "change", order[i]->path);
	}
	for (int i = 0; i < 4; i++) {
		if (order[i]->changed && rename(order[i]->temporary, order[i]->path) < 0)
			return fail(f, "rename", order[i]->path);
		order[i]->written = false;
	}
	return 0;
}

int account_commit(struct account_file *const order[4], struct failure *f)
{
	int r = put_in_place(order, f);
	for (int i = 0; i < 4; i++)
		if (order[i]->written)
			unlink(order[i]->temporary);
	return r;
}
