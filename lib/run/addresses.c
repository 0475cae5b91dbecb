/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/addresses.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

json_t *addresses_json(const struct config *c)
{
	unsigned labels[16];
	char key[48];
	json_t *all = json_array(), *e;
	size_t k;
	int n = config_networks(c, labels, 16);
	for (int i = 0; all && i < n; i++) {
		snprintf(key, sizeof(key), "nat_address_%u", labels[i]);
		const char *private = config_identity_string(c, key);
		snprintf(key, sizeof(key), "network.%u.type", labels[i]);
		const char *type = config_raw(c, key) ? config_string(c, key) : NULL;
		snprintf(key, sizeof(key), "network.%u.ips", labels[i]);
		if (private && (!type || str_eq(type, "nat")))
			json_array_append_new(all, json_string(private));
		json_array_foreach(config_list(c, key), k, e)
		{
			const char *text = json_string_value(e);
			if (text)
				json_array_append_new(all, json_stringn(text, strcspn(text, "/")));
		}
	}
	return all;
}
