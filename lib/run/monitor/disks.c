/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel counts nobody who finds a disk full, and tells nobody: so it is looked at, by descriptors of libve's that no path of the
 * tenant's leads to, and none of its file systems can keep us waiting. What is full for less than the time between two looks may be
 * missed. A helper writes it down, once until there is room again; one that fails is sent again at the next look.
 */
#include "disks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "mon.h"

/* Full is what has less left than one of so many parts, and than so much. Where twice that is left there is room again. */
enum { PARTS = 100, MOST_BYTES = 16 << 20, MOST_FILES = 16 };

struct room {
	uint64_t size, left; /* SIZE 0: no limit, or none that is known */
};

struct filling {
	fsid_t fs;
	struct room bytes, files;
};

void disks_init(struct disks *d, const struct mon *m)
{
	const struct blob_disk *b = mon_at(m, m->blob->disks);
	*d = (struct disks){ .every_ms = m->blob->account_ms };
	for (uint32_t i = 0; i < m->blob->disks.n && d->n < BLOB_MAX_DISKS; i++)
		d->of[d->n++] = (struct disk){ .fd = mon_fd(m, b[i].fd), .limit_fd = mon_fd(m, b[i].limit_fd),
					       .name = mon_str(m, b[i].name), .trim = TRIM_BEGIN };
	d->next_ms = clock_ms() + d->every_ms;
}

int disks_left(const struct disks *d)
{
	if (d->n == 0 || d->every_ms == 0)
		return -1;
	int64_t left = d->next_ms - clock_ms();
	return left <= 0 ? 0 : (int)left;
}

static uint64_t number_in(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return strtoull(text, NULL, 10);
}

static struct filling filling_of(const struct disk *d)
{
	struct filling f = { 0 };
	struct statfs st;
	if (d->limit_fd >= 0) {
		uint64_t used = number_in(d->fd);
		f.bytes.size = number_in(d->limit_fd);
		f.bytes.left = used < f.bytes.size ? f.bytes.size - used : 0;
	} else if (fstatfs(d->fd, &st) == 0) {
		const uint64_t block = (uint64_t)st.f_bsize;
		f.fs = st.f_fsid;
		f.bytes = (struct room){ st.f_blocks * block, st.f_bavail * block };
		f.files = (struct room){ st.f_files, st.f_ffree };
	}
	return f;
}

/* A file system of its own, in a file. */
static bool is_own(const struct disk *d, const struct filling *f, const struct filling *host)
{
	return d->limit_fd < 0 && f->bytes.size > 0 && memcmp(&f->fs, &host->fs, sizeof(f->fs)) != 0;
}

/* A directory without a quota, or with a larger one than its file system, has that one's size: then the host's is what is full. */
static void leave_to_host(struct filling *f, const struct filling *host)
{
	if (memcmp(&f->fs, &host->fs, sizeof(f->fs)) != 0)
		return;
	if (f->bytes.size == host->bytes.size)
		f->bytes.size = 0;
	if (f->files.size == host->files.size)
		f->files.size = 0;
}

static bool is_full(const struct room *r, uint64_t most, bool was_full)
{
	uint64_t part = r->size / PARTS, least = part == 0 ? 1 : part < most ? part : most;
	return r->size > 0 && r->left < (was_full ? 2 * least : least);
}

static void judge(struct fullness *f, bool full, const struct mon *m, const char *what, const char *name)
{
	int status = 0;
	f->full = full;
	if (f->helper > 0) {
		pid_t ended = waitpid(f->helper, &status, WNOHANG);
		if (ended == 0)
			return;
		f->helper = 0;
		f->told = ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	f->told = f->told && full;
	if (!full || f->told)
		return;
	f->helper = fork();
	if (f->helper == 0) {
		helper_become(m, what, name);
		_exit(127);
	}
}

void disks_turn(struct disks *d, const struct mon *m)
{
	struct filling host = { 0 };
	d->next_ms = clock_ms() + d->every_ms;
	for (unsigned i = 0; i < d->n; i++) {
		struct disk *one = &d->of[i];
		struct filling f = filling_of(one);
		if (i == 0)
			host = f;
		else if (is_own(one, &f, &host))
			trim_turn(&one->trim, one->fd, f.bytes.left);
		else
			leave_to_host(&f, &host);
		judge(&one->bytes, is_full(&f.bytes, MOST_BYTES, one->bytes.full), m, "disk-full", one->name);
		judge(&one->files, is_full(&f.files, MOST_FILES, one->files.full), m, "files-full", one->name);
	}
}

void disks_close(struct disks *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		trim_end(&d->of[i].trim);
		close(d->of[i].fd);
		close(d->of[i].limit_fd);
	}
	d->n = 0;
}
