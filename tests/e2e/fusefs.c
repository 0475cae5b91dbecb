/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fusefs answer|silent|knot DIR: a file system in user space on DIR, without a library, until it is unmounted; in the background.
 *
 *   answer   has one file, "hello"
 *   silent   takes every request and answers none: who looks into DIR waits, and cannot even be killed
 *   knot     the same, and looks into DIR itself: no signal ends it, and so nothing closes its descriptor
 *
 * Static: it runs inside a VE.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, HELLO };
static const char text[] = "from a file system in user space\n";
static int dev;

static void reply(uint64_t unique, int error, const void *data, size_t n)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + n), .error = -error, .unique = unique };
	const struct iovec v[2] = { { &head, sizeof(head) }, { (void *)data, n } };
	if (writev(dev, v, n ? 2 : 1) < 0 && errno != ENOENT)
		err(1, "answer");
}

static struct fuse_attr attributes(uint64_t node)
{
	if (node == ROOT)
		return (struct fuse_attr){ .ino = ROOT, .mode = S_IFDIR | 0755, .nlink = 2 };
	return (struct fuse_attr){ .ino = HELLO, .mode = S_IFREG | 0644, .nlink = 1, .size = sizeof(text) - 1 };
}

static void lookup(uint64_t unique, const char *name)
{
	struct fuse_entry_out entry = { .nodeid = HELLO, .attr = attributes(HELLO) };
	if (strcmp(name, "hello") != 0)
		reply(unique, ENOENT, NULL, 0);
	else
		reply(unique, 0, &entry, sizeof(entry));
}

static void read_file(uint64_t unique, const struct fuse_read_in *in)
{
	size_t n = sizeof(text) - 1, from = in->offset < n ? in->offset : n;
	reply(unique, 0, text + from, n - from < in->size ? n - from : in->size);
}

static void answer(const struct fuse_in_header *in, const void *argument)
{
	const struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
	const struct fuse_open_out opened = { 0 };
	switch (in->opcode) {
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
	case FUSE_BATCH_FORGET:
		return; /* no answer is expected */
	case FUSE_LOOKUP:
		lookup(in->unique, argument);
		return;
	case FUSE_GETATTR:
		reply(in->unique, 0, &attr, sizeof(attr));
		return;
	case FUSE_OPEN:
		reply(in->unique, 0, &opened, sizeof(opened));
		return;
	case FUSE_READ:
		read_file(in->unique, argument);
		return;
	case FUSE_RELEASE:
	case FUSE_FLUSH:
		reply(in->unique, 0, NULL, 0);
		return;
	default:
		reply(in->unique, ENOSYS, NULL, 0);
	}
}

static void serve(int answers)
{
	static char request[1 << 17] __attribute__((aligned(8)));
	const struct fuse_in_header *in = (const struct fuse_in_header *)(void *)request;
	const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096 };
	while (read(dev, request, sizeof(request)) >= (ssize_t)sizeof(*in)) {
		if (in->opcode == FUSE_INIT)
			reply(in->unique, 0, &init, sizeof(init));
		else if (answers)
			answer(in, in + 1);
	}
}

static void *look(void *dir)
{
	struct stat st;
	char path[4096];
	snprintf(path, sizeof(path), "%s/hello", (const char *)dir);
	stat(path, &st);
	return NULL;
}

int main(int argc, char **argv)
{
	char options[64];
	pthread_t thread;
	if (argc != 3)
		errx(64, "fusefs answer|silent|knot DIR");
	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		err(1, "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	if (mount("fusefs", argv[2], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		err(1, "%s", argv[2]);
	/* Whoever waited for us finds it mounted. */
	if (fork() != 0)
		return 0;
	if (strcmp(argv[1], "knot") == 0 && pthread_create(&thread, NULL, look, argv[2]) != 0)
		errx(1, "no thread");
	serve(strcmp(argv[1], "answer") == 0);
	return 0;
}
