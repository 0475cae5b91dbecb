/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/firewall.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"

enum { TEXT_MAX = 2048, SHOWN = 40 };

static const struct protocol {
	const char *word;
	uint8_t number;
	bool has_ports;
	bool icmp;
} protocols[] = {
	{ "all", 0, false, false },
	{ "tcp", IPPROTO_TCP, true, false },
	{ "udp", IPPROTO_UDP, true, false },
	{ "sctp", IPPROTO_SCTP, true, false },
	{ "icmp", 0, false, true },
	{ "gre", IPPROTO_GRE, false, false },
	{ "esp", IPPROTO_ESP, false, false },
	{ "ah", IPPROTO_AH, false, false },
};
#define PROTOCOLS_LISTED "all, tcp, udp, sctp, icmp, gre, esp or ah"

static const char *const way_word[FIREWALL_WAYS] = { [FIREWALL_IN] = "from", [FIREWALL_OUT] = "to" };
static const char *const key_of[FIREWALL_WAYS] = { [FIREWALL_IN] = "firewall.in", [FIREWALL_OUT] = "firewall.out" };

/* ---- words ---------------------------------------------------------------------------------------- */

/* A part of the rule's text. */
struct piece {
	const char *at;
	size_t n;
};

struct reader {
	const char *text;
	const char *p;
	enum firewall_way way;
	ve_error **ret_error;
};

/* "column 11: '70000' WHY": columns are bytes, as all that a rule may have are ASCII. */
static int wrong(const struct reader *rd, struct piece w, const char *why)
{
	_cleanup_free_ char *head = strndup(w.at, w.n < SHOWN ? w.n : SHOWN);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	if (!quoted)
		return err_nomem(rd->ret_error);
	if (w.n == 0)
		return err_plain(rd->ret_error, VE_ERR_CONFIG, EINVAL, "config", "column %zu: %s",
				 (size_t)(w.at - rd->text) + 1, why);
	return err_plain(rd->ret_error, VE_ERR_CONFIG, EINVAL, "config", "column %zu: '%s'%s %s",
			 (size_t)(w.at - rd->text) + 1, quoted, w.n > SHOWN ? "..." : "", why);
}

static struct piece next_word(struct reader *rd)
{
	rd->p += strspn(rd->p, " \t");
	struct piece w = { rd->p, strcspn(rd->p, " \t") };
	rd->p += w.n;
	return w;
}

static bool is(struct piece w, const char *word)
{
	return w.n == strlen(word) && memcmp(w.at, word, w.n) == 0;
}

/* The part of LIST up to the next comma; takes it off. false: there is none left. "a," has an empty second part. */
static bool next_part(struct piece *list, struct piece *ret_part)
{
	if (!list->at)
		return false;
	const char *comma = memchr(list->at, ',', list->n);
	*ret_part = (struct piece){ list->at, comma ? (size_t)(comma - list->at) : list->n };
	if (comma)
		*list = (struct piece){ comma + 1, list->n - ret_part->n - 1 };
	else
		list->at = NULL;
	return true;
}

/* ---- ports ------------------------------------------------------------------------------------------ */

/* 1 to 65535, without leading zeros; -1: it is none. */
static int scan_port(struct piece w)
{
	int n = 0;
	if (w.n == 0 || w.n > 5 || w.at[0] == '0')
		return -1;
	for (size_t i = 0; i < w.n; i++) {
		if (w.at[i] < '0' || w.at[i] > '9')
			return -1;
		n = n * 10 + (w.at[i] - '0');
	}
	return n <= 65535 ? n : -1;
}

static int parse_range(struct reader *rd, struct piece w, struct firewall_ports *ret_ports)
{
	const char *dash = memchr(w.at, '-', w.n);
	struct piece low = { w.at, dash ? (size_t)(dash - w.at) : w.n };
	struct piece high = dash ? (struct piece){ dash + 1, w.n - low.n - 1 } : low;
	int first = scan_port(low), last = scan_port(high);
	if (first < 0 || last < 0)
		return wrong(rd, first < 0 ? low : high,
			     (first < 0 ? low : high).n ? "is no port: expected 1 to 65535" : "a port is missing here");
	if (first > last)
		return wrong(rd, w, "is no range: its end is before its beginning");
	*ret_ports = (struct firewall_ports){ (uint16_t)first, (uint16_t)last };
	return 0;
}

static int parse_ports(struct reader *rd, struct piece list, struct firewall_rule *rule)
{
	struct piece part;
	while (next_part(&list, &part)) {
		if (rule->n_ports == FIREWALL_MAX_PORTS)
			return wrong(rd, part, "is one port too many: a rule has at most 16; write a second rule");
		int r = parse_range(rd, part, &rule->ports[rule->n_ports]);
		if (r < 0)
			return r;
		rule->n_ports++;
	}
	return 0;
}

/* ---- peers ------------------------------------------------------------------------------------------ */

static int parse_peer(struct reader *rd, struct piece w, struct address *ret_address)
{
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_free_ char *text = strndup(w.at, w.n);
	if (!text)
		return err_nomem(rd->ret_error);
	if (w.n == 0)
		return wrong(rd, w, "an address is missing here");
	if (address_parse(text, ADDRESS_PREFIX | ADDRESS_NETWORK | ADDRESS_ANY_KIND, ret_address, &e) == 0)
		return 0;
	return err_plain(rd->ret_error, VE_ERR_CONFIG, EINVAL, "config", "column %zu: %s",
			 (size_t)(w.at - rd->text) + 1, ve_error_message(e));
}

static int parse_peers(struct reader *rd, struct piece list, struct firewall_rule *rule)
{
	struct piece part;
	if (is(list, "any"))
		return 0;
	while (next_part(&list, &part)) {
		if (rule->n_peers == FIREWALL_MAX_PEERS)
			return wrong(rd, part, "is one address too many: a rule has at most 16; write a second rule");
		int r = parse_peer(rd, part, &rule->peers[rule->n_peers]);
		if (r < 0)
			return r;
		rule->n_peers++;
	}
	return 0;
}

/* ---- a rule ----------------------------------------------------------------------------------------- */

static int parse_action(struct reader *rd, struct firewall_rule *rule)
{
	struct piece w = next_word(rd);
	rule->allow = is(w, "allow");
	if (rule->allow || is(w, "deny"))
		return 0;
	return wrong(rd, w, w.n ? "is neither allow nor deny" : "expected allow or deny");
}

static int parse_protocol(struct reader *rd, const struct protocol **ret_protocol, struct firewall_rule *rule)
{
	struct piece w = next_word(rd);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!is(w, protocols[i].word))
			continue;
		rule->protocol = protocols[i].number;
		rule->icmp = protocols[i].icmp;
		*ret_protocol = &protocols[i];
		return 0;
	}
	return wrong(rd, w, w.n ? "is no protocol: expected " PROTOCOLS_LISTED : "expected " PROTOCOLS_LISTED);
}

/* W begins "from PEERS" or "to PEERS", whichever the way has. */
static int parse_way(struct reader *rd, struct piece w, struct firewall_rule *rule)
{
	enum firewall_way other = rd->way == FIREWALL_IN ? FIREWALL_OUT : FIREWALL_IN;
	if (is(w, way_word[other])) {
		_cleanup_free_ char *why = str_printf("belongs in %s: a rule of %s has '%s'", key_of[other],
						      key_of[rd->way], way_word[rd->way]);
		return why ? wrong(rd, w, why) : err_nomem(rd->ret_error);
	}
	if (!is(w, way_word[rd->way])) {
		_cleanup_free_ char *why = str_printf("is not expected here: only '%s' and addresses may follow",
						      way_word[rd->way]);
		return why ? wrong(rd, w, why) : err_nomem(rd->ret_error);
	}
	struct piece list = next_word(rd);
	return list.n ? parse_peers(rd, list, rule) : wrong(rd, list, "expected addresses, or any");
}

static int parse_rule(struct reader *rd, struct firewall_rule *rule)
{
	const struct protocol *protocol = &protocols[0];
	int r = parse_action(rd, rule);
	if (r == 0)
		r = parse_protocol(rd, &protocol, rule);
	if (r < 0)
		return r;
	struct piece w = next_word(rd);
	bool digit = w.n && strchr("0123456789,-", w.at[0]);
	if (digit && !protocol->has_ports)
		return wrong(rd, w, "is not expected here: ports are for tcp, udp and sctp");
	if (digit) {
		r = parse_ports(rd, w, rule);
		if (r < 0)
			return r;
		w = next_word(rd);
	}
	if (w.n) {
		r = parse_way(rd, w, rule);
		if (r < 0)
			return r;
		w = next_word(rd);
	}
	return w.n ? wrong(rd, w, "is more than a rule has") : 0;
}

int firewall_parse(const char *text, enum firewall_way way, struct firewall_rule *ret_rule, ve_error **ret_error)
{
	struct reader rd = { .text = text, .p = text, .way = way, .ret_error = ret_error };
	struct firewall_rule rule = { 0 };
	if (strlen(text) > TEXT_MAX)
		return err_plain(ret_error, VE_ERR_CONFIG, E2BIG, "config", "a rule has more than %d characters", TEXT_MAX);
	int r = parse_rule(&rd, &rule);
	if (r == 0) {
		*ret_rule = rule;
		return 0;
	}
	_cleanup_free_ char *head = strndup(text, 2 * SHOWN);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	err_wrap(ret_error, "'%s%s'", quoted ? quoted : "", strlen(text) > 2 * SHOWN ? "..." : "");
	return r;
}

static const char *protocol_word(const struct firewall_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == rule->protocol && protocols[i].icmp == rule->icmp)
			return protocols[i].word;
	return "all";
}

char *firewall_format(const struct firewall_rule *rule, enum firewall_way way)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	strbuf_addf(&b, "%s %s", rule->allow ? "allow" : "deny", protocol_word(rule));
	for (unsigned i = 0; i < rule->n_ports; i++) {
		strbuf_addf(&b, "%s%u", i ? "," : " ", rule->ports[i].first);
		if (rule->ports[i].last != rule->ports[i].first)
			strbuf_addf(&b, "-%u", rule->ports[i].last);
	}
	for (unsigned i = 0; i < rule->n_peers; i++) {
		_cleanup_free_ char *peer = address_format(&rule->peers[i], true);
		if (!peer)
			return NULL;
		if (i == 0)
			strbuf_addf(&b, " %s ", way_word[way]);
		strbuf_addf(&b, "%s%s", i ? "," : "", peer);
	}
	return strbuf_steal(&b);
}

bool firewall_is_last(const struct firewall_rule *rule)
{
	return !rule->protocol && !rule->icmp && !rule->n_peers;
}

static int canonical(const char *text, enum firewall_way way, char **ret_text, ve_error **ret_error)
{
	struct firewall_rule rule;
	int r = firewall_parse(text, way, &rule, ret_error);
	if (r < 0)
		return r;
	char *s = firewall_format(&rule, way);
	if (!s)
		return err_nomem(ret_error);
	*ret_text = s;
	return 0;
}

int firewall_canonical_in(const char *text, char **ret_text, ve_error **ret_error)
{
	return canonical(text, FIREWALL_IN, ret_text, ret_error);
}

int firewall_canonical_out(const char *text, char **ret_text, ve_error **ret_error)
{
	return canonical(text, FIREWALL_OUT, ret_text, ret_error);
}

/* ---- lists ------------------------------------------------------------------------------------------ */

int firewall_check_list(const json_t *list, enum firewall_way way, ve_error **ret_error)
{
	size_t n = json_array_size(list);
	if (n > FIREWALL_MAX_RULES)
		return err_plain(ret_error, VE_ERR_CONFIG, E2BIG, "config", "%s: it has more than %d rules", key_of[way],
				 FIREWALL_MAX_RULES);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct firewall_rule rule;
		int r = firewall_parse(text ? text : "", way, &rule, ret_error);
		if (r < 0)
			return err_wrap(ret_error, "%s", key_of[way]), r;
		if (firewall_is_last(&rule) && i + 1 < n)
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config",
					 "%s: '%s' matches everything, and rules behind it would never be asked", key_of[way],
					 text);
	}
	return 0;
}

/* Names are what a provider calls the purpose. Which rules a preset is can be read by `vectl keys firewall.preset`. */
const char *const firewall_preset_names[] = { "none", "web", "mail-blocked", NULL };

static const char *const no_rules[] = { NULL };
static const char *const web_in[] = { "allow tcp 22,80,443", "allow udp 443", "allow icmp", "deny all", NULL };
/* Port 25 is how servers deliver mail, and so what sends spam; 465 and 587, where one logs in, stay open. */
static const char *const mail_blocked_out[] = { "deny tcp 25", NULL };

static const struct {
	const char *name;
	const char *const *rules[FIREWALL_WAYS];
} presets[] = {
	{ "none", { no_rules, no_rules } },
	{ "web", { web_in, no_rules } },
	{ "mail-blocked", { no_rules, mail_blocked_out } },
};

const char *const *firewall_preset(const char *name, enum firewall_way way)
{
	for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
		if (str_eq(presets[i].name, name))
			return presets[i].rules[way];
	return NULL;
}

static int append(struct firewall_list *l, const char *text, enum firewall_way way, ve_error **ret_error)
{
	struct firewall_rule *more = reallocarray(l->rules, l->n + 1, sizeof(*more));
	if (!more)
		return err_nomem(ret_error);
	l->rules = more;
	int r = firewall_parse(text ? text : "", way, &more[l->n], ret_error);
	if (r < 0)
		return r;
	l->n++;
	return 0;
}

/* Behind one that matches everything nothing is asked; with none the kind of the rules says what is meant. */
static void settle_rest(struct firewall_list *l)
{
	bool any_allow = false;
	for (unsigned i = 0; i < l->n; i++) {
		any_allow |= l->rules[i].allow;
		if (!firewall_is_last(&l->rules[i]))
			continue;
		l->deny_rest = !l->rules[i].allow;
		l->n = i;
		return;
	}
	l->deny_rest = any_allow;
}

int firewall_list_make(const json_t *list, const json_t *names, enum firewall_way way, struct firewall_list *ret_list,
		       ve_error **ret_error)
{
	struct firewall_list l = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = append(&l, json_string_value(json_array_get(list, i)), way, ret_error);
	for (size_t i = 0; r == 0 && i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		const char *const *rules = firewall_preset(name ? name : "", way);
		if (!rules)
			r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "firewall.preset: '%s' is not known",
				      name ? name : "");
		for (; r == 0 && *rules; rules++)
			r = append(&l, *rules, way, ret_error);
	}
	if (r < 0) {
		firewall_list_done(&l);
		return r;
	}
	settle_rest(&l);
	*ret_list = l;
	return 0;
}

void firewall_list_done(struct firewall_list *l)
{
	free(l->rules);
	*l = (struct firewall_list){ 0 };
}
