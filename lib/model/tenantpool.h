/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tenants' pools: limits that several VEs share, under a name. (The pool of addresses is model/pool.h.)
 *
 * A pool is a file etc/vectl/pools/NAME.json with the keys of a VE's configuration that limit a group of processes:
 * {"schema":1,"memory":{"limit":...},"pids":{"limit":...}}. What is not set is not limited.
 */
#ifndef MODEL_TENANTPOOL_H
#define MODEL_TENANTPOOL_H

#include "base/error.h"
#include "model/config.h"

/* The name of a pool: VE_ERR_USAGE. */
int tenantpool_check_name(const char *name, ve_error **ret_error);
/* Reads the pool NAME. VE_ERR_NOT_FOUND, with the nearest name as hint. */
int tenantpool_load(int etc_fd, const char *name, struct config **ret_limits, ve_error **ret_error);
/* Writes it, durably. */
int tenantpool_save(int etc_fd, const char *name, const struct config *limits, ve_error **ret_error);
/* With the directory, if it was the last one; missing is success. */
int tenantpool_unlink(int etc_fd, const char *name, ve_error **ret_error);
bool tenantpool_exists(int etc_fd, const char *name);
/* All names, in natural order; strv_free(). */
int tenantpool_names(int etc_fd, char ***ret_names, ve_error **ret_error);
/* Is KEY a limit that VEs can share? */
bool tenantpool_has_key(const char *key);
/* "KEY=VALUE" and "KEY=default", as config_assign(); a key that pools do not have is VE_ERR_CONFIG. */
int tenantpool_assign(struct config *limits, const char *assignment, ve_error **ret_error);

#endif
