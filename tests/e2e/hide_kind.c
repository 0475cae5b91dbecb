/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LD_PRELOAD=hide-kind.so HIDE_KIND=ifb COMMAND: to COMMAND the kernel seems not to know that kind of interface, qdisc, filter or
 * action: in what it sends by sendto(2), as libmnl does, the word gets another first letter. For tests of what vectl says on hosts
 * that lack a module, on machines whose kernel has it built in.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_len)
{
	const char *kind = getenv("HIDE_KIND");
	char *copy = kind && *kind ? malloc(size) : NULL;
	if (!copy)
		return syscall(SYS_sendto, fd, data, size, flags, to, to_len);
	memcpy(copy, data, size);
	/* A whole attribute: the word begins behind its header, and ends with its NUL. */
	for (char *p = copy; (p = memmem(p, size - (size_t)(p - copy), kind, strlen(kind) + 1)); p++)
		*p = '-';
	ssize_t r = syscall(SYS_sendto, fd, copy, size, flags, to, to_len);
	free(copy);
	return r;
}
