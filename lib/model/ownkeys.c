/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/ownkeys.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "base/guard.h"
#include "base/str.h"

bool ownkeys_has(const char *key)
{
	static const char *const own[] = { "name", "uuid", "hostname", "aliases", "owner", "labels.*", "notes", "protect",
					   "network.*.ips", "network.*.mac", "network.*.gateway", "network.*.forwards" };
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (fnmatch(own[i], key, 0) == 0)
			return true;
	return false;
}

static int strip_interface(struct config *c, unsigned label, bool with_ips)
{
	static const char *const own[] = { "ips", "mac", "forwards" };
	char key[40];
	int r = 0;
	snprintf(key, sizeof(key), "network.%u.type", label);
	const char *type = config_string(c, key);
	/* A routed interface without an address is none; with addresses a private one becomes routed. */
	bool routed = str_eq(type, "routed"), from_ips = with_ips && label == 0 && (routed || str_eq(type, "nat"));
	if (from_ips || routed)
		r = config_put(c, key, from_ips ? NULL : json_string("nat"));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(own); i++) {
		snprintf(key, sizeof(key), "network.%u.%s", label, own[i]);
		r = config_put(c, key, NULL);
	}
	/* It is one all the same: an interface without any key is none. */
	snprintf(key, sizeof(key), "network.%u", label);
	if (r == 0 && !config_raw(c, key)) {
		snprintf(key, sizeof(key), "network.%u.ips", label);
		r = config_put(c, key, json_array());
	}
	return r;
}

int ownkeys_strip_addresses(struct config *c, bool with_ips)
{
	unsigned labels[100];
	int n = config_networks(c, labels, ARRAY_SIZE(labels)), r = 0;
	for (int i = 0; r == 0 && i < n; i++)
		r = strip_interface(c, labels[i], with_ips);
	return r;
}

static int note_own(const char *key, json_t *none, json_t *value, void *data)
{
	(void)none;
	(void)value;
	return ownkeys_has(key) ? strv_add(data, key) : 0;
}

int ownkeys_strip(struct config *c)
{
	_cleanup_config_ struct config *nothing = NULL;
	_cleanup_strv_ char **keys = NULL;
	int r = config_new(NULL, &nothing, NULL);
	if (r == 0)
		r = config_diff(nothing, c, note_own, &keys, NULL);
	for (char **k = keys; r == 0 && k && *k; k++)
		r = config_put(c, *k, NULL);
	return r == 0 ? ownkeys_strip_addresses(c, true) : r;
}
