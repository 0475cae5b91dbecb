/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who a user of a VE is, and a password put into its shadow file. The input: who is asked for, then passwd, group and shadow.
 * They are written and read as real files, in an /etc of this process's own.
 */
#include "run/monitor/adapt.c"
#include "run/monitor/files.c"
#include "run/monitor/msg.c"
#include "run/monitor/passwd.c"

#include "fuzz.h"

enum { WHO, PASSWD, GROUP, SHADOW, N };

/* The lock ends with its process: it is not for a thousand calls. */
int users_lock(struct failure *f) { return 0; }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	private_directory("/etc");
	return 0;
}

static void check_identity(const char *name)
{
	static struct identity id;
	struct failure f = { 0 };
	memset(&id, 0xa5, sizeof(id));
	if (identity_find(name, &id, &f) < 0) {
		expect(f.err > 0 && f.op);
		return;
	}
	expect(id.n_groups >= 1 && id.n_groups <= IDENTITY_MAX_GROUPS && id.groups[0] == id.gid);
	expect(id.uid != UINT32_MAX && id.gid != UINT32_MAX);
	expect(memchr(id.name, 0, sizeof(id.name)) && memchr(id.home, 0, sizeof(id.home)) && memchr(id.shell, 0, sizeof(id.shell)));
	expect(id.home[0] == '/' && id.shell[0] == '/' && !strpbrk(id.name, ":\n"));
}

/* Nothing but the second field of one line may change. */
static void check_password(const char *user, const struct text *before)
{
	static const char new_hash[] = "$y$new";
	static char after[FILE_MAX_BYTES];
	struct failure f = { 0 };
	struct stat st;
	size_t n_new = strlen(new_hash), start = 0, user_len = strlen(user);
	bool set = shadow_set(user, new_hash, &f) == 0;
	ssize_t n = file_read_regular("/etc/shadow", O_NOFOLLOW, after, sizeof(after), &st);
	expect(n >= 0 && access("/etc/.shadow.vectl", F_OK) < 0);
	if (!set) {
		expect(f.err > 0 && (size_t)n == before->n && memcmp(after, before->at, before->n) == 0);
		return;
	}
	while (start < before->n && start < (size_t)n && after[start] == before->at[start])
		start++;
	const char *found = NULL;
	for (const char *p = after; p && p < after + n; p = memchr(p, '\n', (size_t)(after + n - p)), p = p ? p + 1 : NULL)
		if ((size_t)(after + n - p) > user_len + n_new + 1 && memcmp(p, user, user_len) == 0 && p[user_len] == ':' &&
		    memcmp(p + user_len + 1, new_hash, n_new) == 0 && p[user_len + 1 + n_new] == ':') {
			found = p;
			break;
		}
	expect(found);
	/* Behind the hash everything is as it was. */
	size_t behind = (size_t)(after + n - (found + user_len + 1 + n_new));
	expect(behind <= before->n && memcmp(after + n - behind, before->at + before->n - behind, behind) == 0);
	size_t ahead = (size_t)(found - after) + user_len + 1;
	expect(ahead <= before->n && memcmp(after, before->at, ahead) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t[N];
	char who[200], user[200];
	texts_of(data, size, t, N);
	line_of(&t[WHO], who, sizeof(who));
	put_file(AT_FDCWD, "/etc/passwd", &t[PASSWD]);
	put_file(AT_FDCWD, "/etc/group", &t[GROUP]);
	put_file(AT_FDCWD, "/etc/shadow", &t[SHADOW]);
	check_identity(who);
	check_identity(NULL);
	snprintf(user, sizeof(user), "%s", who);
	user[strcspn(user, ":")] = '\0';
	check_password(user, &t[SHADOW]);
	return 0;
}
