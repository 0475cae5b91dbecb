/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's configuration, /etc/vectl/host.json: few keys, a table of their own, all with defaults. */
#ifndef MODEL_HOST_H
#define MODEL_HOST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct host {
	char *default_template; /* "vps-small" */
	char *default_image;    /* "debian-12" */
	char *default_backend;  /* "overlay" */
	char *uplink;           /* interface name; NULL: the one of the default route */
	char *nat_range;        /* "10.77.0.0/16" */
	char *nat_range6;       /* NULL: none */
	char *proxy;            /* see host_proxies() */
	bool fastpath;          /* known flows take it */
	json_t *ip_pool;        /* array of what pool_parse() takes; NULL: none */
	json_t *dns;            /* array of servers; NULL: inherit */
	uint32_t id_first, id_last; /* the ids that ranges are cut from; defaults 131072 and 4294901759 */
	int64_t stop_timeout_s;
};

/* A missing file gives the defaults. ETC_FD: the store's etc/vectl, -1 if missing. */
int host_load(int etc_fd, struct host **ret_host, ve_error **ret_error);
void host_free(struct host *h);
void host_freep(struct host **h);
#define _cleanup_host_ __attribute__((cleanup(host_freep)))
/* Does the uplink answer for routed addresses of FAMILY, "ipv4" or "ipv6"? */
bool host_proxies(const struct host *h, const char *family);
int host_show(const struct host *h, json_t **ret_doc, ve_error **ret_error);
/* "KEY=VALUE" each; checked, then, if SAVE, written with one atomic replace. */
int host_set(int etc_fd, const char *const *assignments, bool save, ve_error **ret_error);

#endif
