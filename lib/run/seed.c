/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/seed.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define SEED "/var/lib/cloud/seed/nocloud/"

/* The VE's network is set from outside, before its init: cloud-init, which would ask for a DHCP server, leaves it alone. */
static const char no_network[] = "config: disabled\n";

int seed_check(const struct ve_create_opts *o, ve_error **ret_error)
{
	const struct {
		const char *what;
		size_t n, max;
	} parts[] = { { "user-data", o->user_data_bytes, SEED_USER_DATA_MAX }, { "meta-data", o->meta_data_bytes, SEED_META_DATA_MAX } };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].n > parts[i].max)
			return err_plain(ret_error, VE_ERR_USAGE, E2BIG, "seed", "the %s has %zu bytes; at most %zu are taken",
					 parts[i].what, parts[i].n, parts[i].max);
	return 0;
}

/* cloud-init takes a VE with another instance-id for another machine. */
static char *meta_data_of(const struct ve *v)
{
	const char *hostname = config_string(v->config, "hostname");
	return str_printf("instance-id: %s\nlocal-hostname: %s\n", v->uuid, hostname ? hostname : v->name);
}

static void put(struct file_change *changes, unsigned *n, const char *path, const char *data, size_t n_data)
{
	/* Removed first: what an image has there might keep its mode, which lets others read. */
	changes[(*n)++] = (struct file_change){ BF_REMOVE, path, "", 0 };
	changes[(*n)++] = (struct file_change){ BF_REPLACE, path, n_data ? data : "", 0600, .n_data = n_data };
}

int seed_make(const struct ve *v, const struct ve_create_opts *o, struct file_change *changes, unsigned *n, char **ret_text,
	      ve_error **ret_error)
{
	if (!o->user_data && !o->meta_data)
		return 0;
	*ret_text = meta_data_of(v);
	if (!*ret_text)
		return err_nomem(ret_error);
	/* Without both there is no seed. */
	put(changes, n, SEED "user-data", o->user_data, o->user_data ? o->user_data_bytes : 0);
	put(changes, n, SEED "meta-data", o->meta_data ? o->meta_data : *ret_text, o->meta_data ? o->meta_data_bytes : strlen(*ret_text));
	put(changes, n, SEED "network-config", no_network, strlen(no_network));
	return 0;
}

int seed_renew(const struct ve *v, struct file_change *changes, unsigned *n, char **ret_text, ve_error **ret_error)
{
	*ret_text = meta_data_of(v);
	if (!*ret_text)
		return err_nomem(ret_error);
	const struct file_change renewed[] = {
		/* What cloud-init has made of the seed, and that it has done its work: that was another instance. */
		{ BF_REMOVE_TREE, "/var/lib/cloud/instances", "", 0 },
		{ BF_REMOVE, "/var/lib/cloud/instance", "", 0 },
		{ BF_REMOVE_TREE, "/var/lib/cloud/data", "", 0 },
		{ BF_EMPTY, SEED "user-data", "", 0600 },
		{ BF_REMOVE, SEED "vendor-data", "", 0 },
		{ BF_REPLACE, SEED "network-config", no_network, 0600, .only_with = SEED "network-config" },
		{ BF_REPLACE, SEED "meta-data", *ret_text, 0600, .only_with = SEED "meta-data" },
	};
	for (size_t i = 0; i < sizeof(renewed) / sizeof(renewed[0]); i++)
		changes[(*n)++] = renewed[i];
	return 0;
}
