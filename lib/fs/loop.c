/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/guard.h"

enum { BLOCK_SIZE_BYTES = 4096, TRIES = 64, END_DEADLINE_MS = 10000, LOOK_AGAIN_MS = 5 };

/* A write lease is given only to a file's sole user (fcntl(2)): the one question that costs the same with one device on
 * the host and with a thousand. Whoever opens the file in this moment has us told so by a signal: by one that is
 * ignored where nobody has asked for it. */
int loop_in_use(int file_fd)
{
	if (fcntl(file_fd, F_SETSIG, SIGURG) < 0)
		return -errno;
	if (fcntl(file_fd, F_SETLEASE, F_WRLCK) == 0) {
		fcntl(file_fd, F_SETLEASE, F_UNLCK);
		return 0;
	}
	return errno == EAGAIN ? 1 : -errno;
}

static int open_device(unsigned number)
{
	char path[32];
	snprintf(path, sizeof(path), "/dev/loop%u", number);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static bool is_behind(int device_fd, const struct stat *file)
{
	struct loop_info64 info;
	return ioctl(device_fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == file->st_ino && info.lo_device == file->st_dev;
}

int loop_find(int file_fd, struct loop *ret_loop)
{
	struct stat file;
	unsigned number;
	_cleanup_closedir_ DIR *dir = opendir("/sys/block");
	if (!dir || fstat(file_fd, &file) < 0)
		return -errno;
	for (struct dirent *e; (e = readdir(dir));) {
		if (sscanf(e->d_name, "loop%u", &number) != 1)
			continue;
		_cleanup_close_ int fd = open_device(number);
		if (fd < 0 || !is_behind(fd, &file))
			continue;
		*ret_loop = (struct loop){ steal_fd(&fd), number };
		return 0;
	}
	return -ENOENT;
}

static int no_device(int e, ve_error **ret_error)
{
	int r = e == ENOENT || e == ENODEV || e == ENXIO || e == ENOSPC ?
			err_make(ret_error, VE_ERR_NO_ROOM, e, "loop", "no loop device is free") :
			err_sys(ret_error, e, "loop", "cannot take a loop device");
	err_hint(ret_error, "look at 'losetup --list', and whether the module 'loop' is loaded");
	return r;
}

int loop_attach(int file_fd, struct loop *ret_loop, ve_error **ret_error)
{
	_cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	/* Not a cache of its own above the one of the VE's file system; a host's file system that cannot is passed over by the kernel. */
	const struct loop_config config = {
		.fd = (unsigned)file_fd,
		.block_size = BLOCK_SIZE_BYTES,
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO },
	};
	if (control < 0)
		return no_device(errno, ret_error);
	for (int i = 0; i < TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			return no_device(errno, ret_error);
		_cleanup_close_ int fd = open_device((unsigned)number);
		if (fd < 0)
			return no_device(-fd, ret_error);
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
			*ret_loop = (struct loop){ steal_fd(&fd), (unsigned)number };
			return 0;
		}
		if (errno != EBUSY) /* somebody was quicker: the next one */
			return err_sys(ret_error, errno, "loop", "cannot set up /dev/loop%d", number);
	}
	return no_device(EBUSY, ret_error);
}

int loop_number(int fd, unsigned *ret_number)
{
	struct stat st;
	char path[64], target[256];
	if (fstat(fd, &st) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	const char *name = strrchr(target, '/');
	return name && sscanf(name, "/loop%u", ret_number) == 1 ? 0 : -ENODEV;
}

int loop_name(int fd, char ret_name[LOOP_NAME_SIZE])
{
	unsigned number;
	int r = loop_number(fd, &number);
	if (r == 0)
		snprintf(ret_name, LOOP_NAME_SIZE, "/dev/loop%u", number);
	return r;
}

bool loop_backs(int file_fd, int fd)
{
	struct stat file;
	unsigned number;
	if (fstat(file_fd, &file) < 0 || loop_number(fd, &number) < 0)
		return false;
	_cleanup_close_ int device = open_device(number);
	return device >= 0 && is_behind(device, &file);
}

bool loop_await_end_for(int file_fd, int deadline_ms)
{
	for (int left = deadline_ms; loop_in_use(file_fd) > 0; left -= LOOK_AGAIN_MS) {
		if (left <= 0)
			return false;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return true;
}

int loop_await_end(int file_fd, const char *what, ve_error **ret_error)
{
	return loop_await_end_for(file_fd, END_DEADLINE_MS) ? 0 : err_plain(ret_error, VE_ERR_BUSY, EBUSY, "loop", "%s is still in use", what);
}
