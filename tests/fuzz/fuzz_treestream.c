/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The receiving end of push and pull. The input's first byte says how it receives, the rest is the stream. Whatever that says:
 * a copy is there when it succeeded, and nothing at all when it failed; outside of its directory nothing is ever there.
 */
#include <dirent.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/treestream.h"
#include "fuzz.h"

enum { BOUNDED = 1, REPLACE = 2, TO_FD = 4, OVER_FILE = 8, OVER_DIRECTORY = 16, STREAM_MAX = 64 * 1024, WAITS_MAX = 4096 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	private_directory("/mnt");
	return 0;
}

/* A hole of some petabytes is written for as long as somebody waits. */
static int wait_a_while(void *data, int fd, short events)
{
	unsigned *waits = data;
	return ++*waits > WAITS_MAX ? -ETIMEDOUT : 0;
}

static int stream_of(const uint8_t *data, size_t size)
{
	int pair[2], room = 4 * STREAM_MAX;
	expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	expect(send(pair[0], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
	close(pair[0]);
	return pair[1];
}

static bool exists(int dir, const char *path)
{
	struct stat st;
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Is there anything below PATH but A and B? */
static bool has_others(const char *path, const char *a, const char *b)
{
	DIR *d = opendir(path);
	bool found = false;
	expect(d);
	for (struct dirent *e; (e = readdir(d));)
		found = found || (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, a) && strcmp(e->d_name, b));
	closedir(d);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct treestream t;
	unsigned waits = 0, how = size ? data[0] : 0;
	if (size == 0 || size > STREAM_MAX)
		return -1;
	expect(mkdir("/mnt/in", 0755) == 0);
	int dir = open("/mnt/in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int out = open("/mnt/in/out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	expect(dir >= 0 && out >= 0);
	if (how & OVER_FILE)
		put_file(dir, "copy", &(struct text){ "old", 3 });
	else if (how & OVER_DIRECTORY)
		expect(mkdirat(dir, "copy", 0755) == 0);
	bool before = exists(dir, "copy");
	memset(&t, 0, offsetof(struct treestream, buffer));
	t.fd = stream_of(data + 1, size - 1);
	t.wait = wait_a_while;
	t.data = &waits;
	const struct tree_rules rules = { .dir_fd = dir, .name = how & TO_FD ? NULL : "copy", .out_fd = out, .uid = getuid(),
					  .gid = getgid(), .bounded = how & BOUNDED, .replace = how & REPLACE };
	int r = tree_receive(&t, &rules);
	expect(r <= 0);
	expect(exists(dir, "copy") == (before || (r == 0 && !(how & TO_FD))));
	expect(!has_others("/mnt/in", "copy", "out") && !has_others("/mnt", "in", "in"));
	close(t.fd);
	close(out);
	close(dir);
	expect(file_remove_tree(AT_FDCWD, "/mnt/in") == 0);
	return 0;
}
