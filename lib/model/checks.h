/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of single strings, for the schema's rows. Each returns 0, or -EINVAL (VE_ERR_CONFIG) with a sentence that
 * quotes the value and says what was expected. */
#ifndef MODEL_CHECKS_H
#define MODEL_CHECKS_H

#include "base/error.h"

/* The sentence all of them make: "'VALUE' WHY"; quotes what a stranger wrote, cut to a bearable length. */
int check_failed(const char *value, const char *why, ve_error **ret_error);

int check_text(const char *value, ve_error **ret_error);	/* UTF-8, not empty, no control characters */
int check_argument(const char *value, ve_error **ret_error);	/* UTF-8, as execve(2) takes it */
int check_environment(const char *value, ve_error **ret_error); /* NAME=VALUE, not a name that vectl sets */
int check_hostname(const char *value, ve_error **ret_error);	/* RFC 1123, at most 64 characters (uname(2)) */
int check_locale(const char *value, ve_error **ret_error);	/* as de_DE.UTF-8: a name below usr/lib/locale/ */
int check_timezone(const char *value, ve_error **ret_error);	/* as Europe/Berlin: a name below zoneinfo/ */
int check_domain(const char *value, ve_error **ret_error);	/* the same, up to 253 */
int check_path(const char *value, ve_error **ret_error);	/* absolute, without ".." */
int check_image(const char *value, ve_error **ret_error);	/* NAME or NAME@DIGEST */
int check_name(const char *value, ve_error **ret_error);
int check_alias(const char *value, ve_error **ret_error);	/* as a VE may be called */
int check_mac(const char *value, ve_error **ret_error);		/* unicast, not zero */
int check_signal(const char *value, ve_error **ret_error);	/* see image_parse_signal() */
int check_capability(const char *value,
		     ve_error **ret_error); /* +name or -name; whether it exists is sec/caps.h's */
int check_rlimit(const char *value, ve_error **ret_error);	/* SOFT[:HARD], integers or "unlimited" */
int check_resolver(const char *value, ve_error **ret_error);	/* an address; loopback is allowed */
int check_firewall_preset(const char *value, ve_error **ret_error);

/* A network interface's name, at most 15 characters; a gateway's address; tcp:8080:80. */
int check_cpus(const char *value, ve_error **ret_error);
int check_bridge(const char *value, ve_error **ret_error);
int check_gateway(const char *value, ve_error **ret_error);
int check_forward(const char *value, ve_error **ret_error);
int check_mount(const char *value, ve_error **ret_error); /* see bindmount_parse() */
int check_device(const char *value, ve_error **ret_error); /* see devicespec_parse() */

#endif
