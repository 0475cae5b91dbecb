/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of a VE's accounts. The input: what is done (add, remove, lock, unlock, list), then passwd, group, shadow and gshadow,
 * which are real files in an /etc of this process's own.
 */
#include "run/monitor/accountfile.c"
#include "run/monitor/copy.c"
#include "run/monitor/adapt.c"
#include "run/monitor/files.c"
#include "run/monitor/msg.c"
#include "run/monitor/users.c"

#include <sys/mman.h>

#include "fuzz.h"

enum { WHAT, PASSWD, GROUP, SHADOW, GSHADOW, N };
static const char *const paths[N] = { NULL, "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow" };
static const char name[] = "ann", in_group[] = "sudo";

/* Neither is under test here. */
int shadow_set(const char *user, const char *hash, struct failure *f) { return fail(f, "user", user); }
int users_lock(struct failure *f) { return 0; }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	private_directory("/etc");
	int fd = open("/etc/answer", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	expect(fd >= 0 && dup2(fd, COPY_STREAM_FD) == COPY_STREAM_FD);
	close(fd);
	return 0;
}

/* ---- what is asked -------------------------------------------------------------------------------- */

static struct {
	struct blob blob;
	char words[256];
	blob_str groups[1];
} asked;

static blob_str word(size_t *at, const char *s)
{
	size_t n = strlen(s) + 1, here = *at;
	memcpy(asked.words + here, s, n);
	*at += n;
	return (blob_str)(offsetof(__typeof__(asked), words) + here);
}

static enum blob_user_what ask(const struct text *t)
{
	static const char *const words[] = { [BU_ADD] = "add", [BU_REMOVE] = "remove", [BU_LOCK] = "lock", [BU_UNLOCK] = "unlock" };
	char line[16];
	size_t at = 0;
	struct blob_user *u = &asked.blob.user_change;
	line_of(t, line, sizeof(line));
	memset(&asked, 0, sizeof(asked));
	u->what = BU_LIST;
	for (unsigned i = BU_ADD; i <= BU_UNLOCK; i++)
		if (strcmp(line, words[i]) == 0)
			u->what = i;
	u->uid = UINT32_MAX;
	u->name = word(&at, name);
	u->home = word(&at, "/etc/home/ann");
	u->shell = word(&at, "/bin/sh");
	u->hash = word(&at, "$y$hash");
	asked.groups[0] = word(&at, in_group);
	u->groups = (struct blob_vec){ (uint32_t)offsetof(__typeof__(asked), groups), 1 };
	return u->what;
}

/* ---- what must hold ------------------------------------------------------------------------------- */

static char after[2 * ACCOUNT_FILE_MAX];

static size_t read_back(const char *path)
{
	struct stat st;
	ssize_t n = file_read_regular(path, O_NOFOLLOW, after, sizeof(after), &st);
	expect(n >= 0);
	return (size_t)n;
}

static bool same(const char *a, size_t n, const char *b, size_t m) { return n == m && memcmp(a, b, n) == 0; }

/* Is ann a word of LINE? */
static bool is_concerned(const char *line, size_t n)
{
	for (const char *p = line, *end = line + n; p <= end;) {
		size_t k = 0;
		while (p + k < end && p[k] != ':' && p[k] != ',')
			k++;
		if (same(p, k, name, strlen(name)))
			return true;
		p += k + 1;
	}
	return false;
}

/* Of the lines that were there, those that name nobody whom it is about are there still, in their order. BUT: one that is another all the same. */
static void expect_kept(const struct text *before, size_t n_after, const char *but)
{
	const char *b = before->at, *b_end = b + before->n, *a = after, *a_end = after + n_after;
	while (b < b_end) {
		const char *end = memchr(b, '\n', (size_t)(b_end - b));
		size_t n = (size_t)((end ? end : b_end) - b), k = 0;
		bool other = !is_concerned(b, n) && !(but && n >= strlen(but) && memcmp(b, but, strlen(but)) == 0);
		for (; other && a <= a_end; a += k + 1) {
			const char *a_nl = a < a_end ? memchr(a, '\n', (size_t)(a_end - a)) : NULL;
			k = (size_t)((a_nl ? a_nl : a_end) - a);
			if (same(a, k, b, n))
				break;
		}
		expect(!other || a < a_end || n == 0);
		a += other ? k + 1 : 0;
		b += n + 1;
	}
}

static void check(enum blob_user_what what, bool ok, const struct text t[N])
{
	for (int i = PASSWD; i < N; i++) {
		size_t n = read_back(paths[i]);
		if (!ok || what == BU_LIST)
			expect(same(after, n, t[i].at, t[i].n));
		else
			expect_kept(&t[i], n, i == GROUP || i == GSHADOW ? "sudo:" : NULL);
	}
}

/* Each line of the list has its seven fields, whatever the files say. */
static void check_list(void)
{
	size_t n = read_back("/etc/answer"), colons = 0;
	for (size_t i = 0; i < n; i++) {
		colons += after[i] == ':';
		if (after[i] == '\n') {
			expect(colons == 6);
			colons = 0;
		}
	}
	expect(n == 0 || after[n - 1] == '\n');
}

/* ---- one input ------------------------------------------------------------------------------------ */

static void forget(void)
{
	struct account_file *const files[] = { &passwd, &group, &shadow, &gshadow };
	for (unsigned i = 0; i < 4; i++) {
		if (files[i]->fresh)
			munmap(files[i]->fresh, 2 * ACCOUNT_FILE_MAX + ACCOUNT_ROOM + 1);
		memset(files[i], 0, sizeof(*files[i]));
	}
	memset(uid_taken, 0, sizeof(uid_taken));
	memset(gid_taken, 0, sizeof(gid_taken));
	file_remove_tree(AT_FDCWD, "/etc/home");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mon m = { .blob = &asked.blob, .base = (const char *)&asked };
	struct failure f = { 0 };
	struct text t[N];
	texts_of(data, size, t, N);
	for (int i = PASSWD; i < N; i++)
		put_file(AT_FDCWD, paths[i], &t[i]);
	expect(ftruncate(COPY_STREAM_FD, 0) == 0 && lseek(COPY_STREAM_FD, 0, SEEK_SET) == 0);
	enum blob_user_what what = ask(&t[WHAT]);
	bool ok = users_run(&m, &f) == 0;
	expect(ok || f.err > 0);
	check(what, ok, t);
	if (ok && what == BU_LIST)
		check_list();
	forget();
	return 0;
}
