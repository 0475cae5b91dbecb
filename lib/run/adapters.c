/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A row a file: for which families of distributions it is, and how it is written. Which family a VE's is, is asked inside it
 * (monitor/adapt.c): all of a row's family, or nothing. What is the same everywhere, /etc/hosts and /etc/resolv.conf, stands in
 * rootplan.c.
 *
 * Both of Debian's files for the locale: 12 has the first, 13 the second, to which the first is a link, and stays one.
 *
 * Left out, and why: /etc/hostname of those with systemd, which takes the name that the kernel has unless the file says
 * another, and that is then the tenant's; /etc/sysconfig/clock of old RHEL and SUSE, which nothing reads any more.
 */
#include "run/adapters.h"

#include <errno.h>
#include <stdlib.h>

#include "base/guard.h"
#include "base/str.h"

static const struct {
	const char *key; /* whose value the %s are; unset: the row is left out */
	bool system;	 /* of a whole system only, not of a jail */
	enum blob_file_kind kind;
	uint32_t families;
	const char *path, *text, *only_with;
} rows[] = {
	{ "timezone", false, BF_ZONE, FAMILIES_ALL, "/etc/localtime", "%s" },
	{ "timezone", false, BF_REPLACE, FAMILY_DEBIAN, "/etc/timezone", "%s\n", "/usr/share/zoneinfo/%s" },
	{ "locale", true, BF_LOCALE, FAMILY_DEBIAN, "/etc/default/locale", "LANG=%s\n" },
	{ "locale", true, BF_LOCALE, FAMILY_DEBIAN, "/etc/locale.conf", "LANG=%s\n", "/etc/locale.conf" },
	{ "locale", true, BF_LOCALE, FAMILY_RHEL | FAMILY_ARCH | FAMILY_SUSE, "/etc/locale.conf", "LANG=%s\n" },
	/* musl knows every name. Read before the distribution's own, which sets what is not set yet. */
	{ "locale", true, BF_REPLACE, FAMILY_ALPINE, "/etc/profile.d/00-vectl-locale.sh", "export LANG=%s\n" },
	/* OpenRC would call it localhost. */
	{ "hostname", true, BF_REPLACE, FAMILY_ALPINE, "/etc/hostname", "%s\n" },
};
_Static_assert(ARRAY_SIZE(rows) <= ADAPTERS_MAX, "room for all of them");

static const char *value_of(const struct plan *p, const char *key)
{
	const char *value = config_string(p->config, key);
	return !value && str_eq(key, "hostname") ? p->ve->name : value;
}

int adapters_files(const struct plan *p, struct adapter_file files[ADAPTERS_MAX])
{
	int n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = value_of(p, rows[i].key);
		if (!value || (rows[i].system && p->jail))
			continue;
		/* Each %s is the same word. */
		_cleanup_free_ char *text = str_printf(rows[i].text, value);
		_cleanup_free_ char *only_with = rows[i].only_with ? str_printf(rows[i].only_with, value) : NULL;
		if (!text || (rows[i].only_with && !only_with)) {
			adapters_done(files, n);
			return -ENOMEM;
		}
		files[n++] = (struct adapter_file){ rows[i].kind, rows[i].families, rows[i].path, steal_ptr(&text), steal_ptr(&only_with) };
	}
	return n;
}

void adapters_done(struct adapter_file *files, int n)
{
	for (int i = 0; i < n; i++) {
		free(files[i].text);
		free(files[i].only_with);
	}
}

void adapters_warn(const struct plan *p, const struct msg *started)
{
	const char *name = p->ve->name, *zone = config_string(p->config, "timezone"), *locale = config_string(p->config, "locale");
	struct ve_ctx *ctx = p->ve->ctx;
	uint32_t notes = (uint32_t)started->status;
	const char *left = zone || locale ? "its time zone, its locale and the file of its host name are left as they are" :
					    "the file of its host name is left as it is";
	if (notes & ADAPT_UNKNOWN && started->object[0])
		ctx_warn(ctx, "'%s': its distribution '%s' is none that vectl knows (by its os-release): %s", name, started->object, left);
	else if (notes & ADAPT_UNKNOWN)
		ctx_warn(ctx, "'%s': it does not say in its os-release of what distribution it is: %s", name, left);
	if (notes & ADAPT_NO_ZONE)
		ctx_warn(ctx, "'%s': there is no '/usr/share/zoneinfo/%s' inside: its time zone is left as it is", name, zone ? zone : "");
	if (notes & ADAPT_NO_LOCALE)
		ctx_warn(ctx, "'%s': there is no locale '%s' below '/usr/lib/locale' inside: its locale is left as it is", name, locale ? locale : "");
	if (notes & ADAPT_FAILED)
		ctx_warn(ctx, "'%s': a file that its distribution keeps settings in cannot be written: its time zone, locale or host name may be another", name);
}
