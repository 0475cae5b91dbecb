/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of firewall.in and firewall.out as text and as data. Pure: no kernel objects, safe for any text.
 *
 *     RULE   = ACTION WHAT [WAY PEERS]
 *     ACTION = allow | deny
 *     WHAT   = all | icmp | gre | esp | ah | (tcp | udp | sctp) [PORTS]
 *     PORTS  = PORT[-PORT][,PORT[-PORT]]...     ports of the receiver's side, 1 to 65535
 *     WAY    = from (firewall.in) | to (firewall.out)
 *     PEERS  = any | ADDR[/LEN][,ADDR[/LEN]]... IPv4 and IPv6 may be mixed
 *
 * Words are separated by blanks; there are none around a comma or a dash. icmp is ICMP and ICMPv6. A rule without
 * PEERS, or with "any", is one for all of them. The first rule that matches decides. `allow all` and `deny all` match
 * everything and so can only be the last rule; a list without one ends as if it had `deny all`, where it allows
 * anything, and `allow all`, where it only denies: "allow tcp 22" is ssh and nothing else, "deny tcp 25" is all but mail.
 */
#ifndef MODEL_FIREWALL_H
#define MODEL_FIREWALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"

enum { FIREWALL_MAX_PORTS = 16, FIREWALL_MAX_PEERS = 16, FIREWALL_MAX_RULES = 64 };

enum firewall_way { FIREWALL_IN, FIREWALL_OUT, FIREWALL_WAYS };

struct firewall_ports {
	uint16_t first, last;
};

struct firewall_rule {
	bool allow;
	bool icmp;	  /* ICMP and ICMPv6; else `protocol` */
	uint8_t protocol; /* IPPROTO_*; 0: all */
	unsigned n_ports; /* 0: all */
	struct firewall_ports ports[FIREWALL_MAX_PORTS];
	unsigned n_peers; /* 0: any */
	struct address peers[FIREWALL_MAX_PEERS];
};

/* TEXT is one rule. VE_ERR_CONFIG says which column is wrong (the first is 1), what is there and what was expected. */
int firewall_parse(const char *text, enum firewall_way way, struct firewall_rule *ret_rule, ve_error **ret_error);
/* The one spelling of a rule; the caller frees. NULL: out of memory. */
char *firewall_format(const struct firewall_rule *rule, enum firewall_way way);
/* Is it `allow all` or `deny all`, which ends a list? */
bool firewall_is_last(const struct firewall_rule *rule);

/* For the schema: TEXT in its one spelling. */
int firewall_canonical_in(const char *text, char **ret_text, ve_error **ret_error);
int firewall_canonical_out(const char *text, char **ret_text, ve_error **ret_error);
/* A list of rules as the schema keeps it: not too long, nothing behind the last word. */
int firewall_check_list(const json_t *list, enum firewall_way way, ve_error **ret_error);

/* The rules of preset NAME for WAY, NULL-terminated (none: an empty list); NULL: there is no such preset. */
const char *const *firewall_preset(const char *name, enum firewall_way way);
/* Their names, for messages and checks: NULL-terminated. */
extern const char *const firewall_preset_names[];

/* All rules of one way: the VE's own, then those of its presets, and what is done where none matches. All zero: no rules. */
struct firewall_list {
	struct firewall_rule *rules;
	unsigned n;
	bool deny_rest;
};
/* LIST and PRESETS: arrays of strings, or NULL. firewall_list_done() frees. */
int firewall_list_make(const json_t *list, const json_t *presets, enum firewall_way way, struct firewall_list *ret_list,
		       ve_error **ret_error);
void firewall_list_done(struct firewall_list *l);

#endif
