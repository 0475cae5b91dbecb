/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's real resolvers. A local stub (systemd-resolved's 127.0.0.53, dnsmasq on 127.0.0.1) is of no use to a
 * VE, whose loopback is its own; whoever runs a stub writes the real list beside it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

enum { RESOLV_MAX_BYTES = 64 * 1024 };

static const char *const usual_places[] = {
	"/etc/resolv.conf",
	"/run/systemd/resolve/resolv.conf",
	"/run/NetworkManager/no-stub-resolv.conf",
	"/run/NetworkManager/resolv.conf",
	NULL,
};

/* Can a VE reach it? Loopback and link-local (fe80::1%eth0) it cannot. */
static bool usable_server(const char *text)
{
	struct in6_addr a;
	if (inet_pton(AF_INET, text, &a) == 1) {
		const unsigned char *b = (const unsigned char *)&a;
		return b[0] != 127 && b[0] != 0 && !(b[0] == 169 && b[1] == 254);
	}
	if (inet_pton(AF_INET6, text, &a) != 1)
		return false;
	return !IN6_IS_ADDR_LOOPBACK(&a) && !IN6_IS_ADDR_UNSPECIFIED(&a) && !IN6_IS_ADDR_LINKLOCAL(&a);
}

/* One line of resolv.conf(5). The last of several "search" and "domain" lines counts. */
static int read_line(char *line, char ***servers, char ***search)
{
	line[strcspn(line, "#;")] = '\0';
	_cleanup_strv_ char **words = strv_split(line, " \t\r");
	if (!words)
		return -ENOMEM;
	if (!words[0] || !words[1])
		return 0;
	if (str_eq(words[0], "nameserver"))
		return usable_server(words[1]) ? strv_add(servers, words[1]) : 0;
	if (!str_eq(words[0], "search") && !str_eq(words[0], "domain"))
		return 0;
	strv_freep(search);
	*search = NULL;
	for (char **w = words + 1; *w; w++) {
		int r = str_eq(*w, ".") ? 0 : strv_add(search, *w);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What one file says; a missing or unreadable one says nothing. 0 or -ENOMEM. */
static int read_file(const char *path, char ***servers, char ***search)
{
	/* /etc/resolv.conf is a link on many hosts. */
	_cleanup_free_ char *real = realpath(path, NULL), *text = NULL;
	if (!real || file_read(AT_FDCWD, real, RESOLV_MAX_BYTES, &text, NULL) < 0)
		return 0;
	char *rest = text, *line;
	while ((line = strsep(&rest, "\n"))) {
		int r = read_line(line, servers, search);
		if (r < 0)
			return r;
	}
	return 0;
}

/* An empty list is a list too. */
static char **or_empty(char **v)
{
	return v ? v : calloc(1, sizeof(*v));
}

int resolv_read(const char *const *paths, char ***ret_servers, char ***ret_search, ve_error **ret_error)
{
	_cleanup_strv_ char **servers = NULL, **search = NULL;
	for (; *paths && !servers; paths++) {
		_cleanup_strv_ char **more = NULL;
		if (read_file(*paths, &servers, &more) < 0)
			return err_nomem(ret_error);
		/* A stub's file has the search list all the same. */
		if (!search)
			search = steal_ptr(&more);
	}
	if (!(servers = or_empty(servers)) || !(search = or_empty(search)))
		return err_nomem(ret_error);
	*ret_servers = steal_ptr(&servers);
	*ret_search = steal_ptr(&search);
	return 0;
}

int net_host_resolvers(char ***ret_servers, char ***ret_search, ve_error **ret_error)
{
	return resolv_read(usual_places, ret_servers, ret_search, ret_error);
}
