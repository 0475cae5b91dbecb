/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd-networkd    the first .network file that matches an interface is its configuration, whichever directory it is in: this
 *                     one sorts before all others, those that netplan makes among them
 * NetworkManager      the last file of conf.d has the last word; netplan's come before
 * ifupdown            what its state file lists is up, and `ifup -a` leaves it alone; busybox and ifupdown-ng have another one
 */
#include "run/managers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/guard.h"
#include "base/str.h"

#define HEAD "# Written by vectl at each start of the VE, whose addresses are set from outside.\n"

struct form {
	const char *path, *only_with;
	const char *begin, *each, *between, *end; /* EACH: with the interface's name */
};

static const struct form forms[MANAGERS_MAX] = {
	{ "/run/systemd/network/00-vectl.network", "/usr/lib/systemd/systemd-networkd", HEAD "[Match]\nName=", "%s", " ",
	  "\n\n[Link]\nUnmanaged=yes\n" },
	{ "/run/NetworkManager/conf.d/zz-vectl.conf", "/etc/NetworkManager",
	  HEAD "[device-vectl]\nmatch-device=", "interface-name:%s", ",", "\nmanaged=0\n" },
	{ "/run/network/ifstate", "/etc/network/interfaces", "", "%s=%s", "\n", "\n" },
	{ "/run/ifstate", "/etc/network/interfaces", "", "%s=%s", "\n", "\n" },
};

static char *text_of(const struct form *f, const struct net_plan *net)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	strbuf_add(&b, f->begin);
	for (unsigned k = 0; k < net->n_ifs; k++) {
		_cleanup_free_ char *name = str_printf("eth%u", net->ifs[k].label);
		if (!name)
			return NULL;
		strbuf_add(&b, k ? f->between : "");
		/* Not all forms name it twice; the second argument is then one too many, which printf(3) allows. */
		strbuf_addf(&b, f->each, name, name);
	}
	strbuf_add(&b, f->end);
	return strbuf_steal(&b);
}

int managers_files(const struct net_plan *net, struct manager_file files[MANAGERS_MAX])
{
	if (net->n_ifs == 0)
		return 0;
	for (int i = 0; i < MANAGERS_MAX; i++) {
		files[i] = (struct manager_file){ forms[i].path, forms[i].only_with, text_of(&forms[i], net) };
		if (files[i].text)
			continue;
		managers_done(files, i);
		return -ENOMEM;
	}
	return MANAGERS_MAX;
}

void managers_done(struct manager_file *files, int n)
{
	for (int i = 0; i < n; i++)
		free(files[i].text);
}
