/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd-networkd    the first .network file that matches an interface is its configuration, whichever directory it is in: this
 *                     one sorts before all others, those that netplan makes among them
 * NetworkManager      the last file of conf.d has the last word; netplan's come before
 * ifupdown            what its state files name is up, and `ifup -a` leaves it alone. Debian's has a file an interface that it
 *                     goes by, and a list of all that it keeps besides; busybox and ifupdown-ng have a list at another place
 */
#include "run/managers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/guard.h"
#include "base/str.h"

#define HEAD "# Written by vectl at each start of the VE, whose addresses are set from outside.\n"

/* The program is below /usr/lib, or where that is not all there is, below /lib (Debian 11, openSUSE Leap). */
#define NETWORKD "/usr/share/dbus-1/system-services/org.freedesktop.network1.service"

struct form {
	const char *path, *only_with;
	const char *begin, *each, *between, *end; /* EACH: with the interface's name */
	bool apart; /* a file an interface, whose name PATH ends with */
};

static const struct form forms[] = {
	{ "/run/systemd/network/00-vectl.network", NETWORKD, HEAD "[Match]\nName=", "%s", " ",
	  "\n\n[Link]\nUnmanaged=yes\n" },
	{ "/run/NetworkManager/conf.d/zz-vectl.conf", "/etc/NetworkManager",
	  HEAD "[device-vectl]\nmatch-device=", "interface-name:%s", ",", "\nmanaged=0\n" },
	{ "/run/network/ifstate.", "/etc/network/interfaces", "", "%s", "", "\n", .apart = true },
	{ "/run/network/ifstate", "/etc/network/interfaces", "", "%s=%s", "\n", "\n" },
	{ "/run/ifstate", "/etc/network/interfaces", "", "%s=%s", "\n", "\n" },
};

/* The text for N interfaces from the first on, and where it goes. -ENOMEM: F is not set. */
static int make_file(const struct form *form, const struct net_if *ifs, unsigned n, struct manager_file *f)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	char name[IFNAMSIZ] = "";
	strbuf_add(&b, form->begin);
	for (unsigned k = 0; k < n; k++) {
		snprintf(name, sizeof(name), "eth%u", ifs[k].label);
		strbuf_add(&b, k ? form->between : "");
		/* Not all forms name it twice; the second argument is then one too many, which printf(3) allows. */
		strbuf_addf(&b, form->each, name, name);
	}
	strbuf_add(&b, form->end);
	_cleanup_free_ char *path = str_printf("%s%s", form->path, form->apart ? name : "");
	_cleanup_free_ char *text = strbuf_steal(&b);
	if (!path || !text)
		return -ENOMEM;
	*f = (struct manager_file){ form->only_with, steal_ptr(&path), steal_ptr(&text) };
	return 0;
}

int managers_files(const struct net_plan *net, struct manager_file files[MANAGERS_MAX])
{
	int n = 0, r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(forms) && net->n_ifs > 0 && r == 0; i++) {
		unsigned a_file = forms[i].apart ? 1 : net->n_ifs;
		for (unsigned k = 0; k < net->n_ifs && r == 0; k += a_file, n += r == 0)
			r = make_file(&forms[i], &net->ifs[k], a_file, &files[n]);
	}
	if (r == 0)
		return n;
	managers_done(files, n);
	return r;
}

void managers_done(struct manager_file *files, int n)
{
	for (int i = 0; i < n; i++) {
		free(files[i].path);
		free(files[i].text);
	}
}
