/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/firewall.h"
#include "model/schema.h"

static char *canonical(const char *text, enum firewall_way way)
{
	_cleanup_err_ ve_error *e = NULL;
	char *s = NULL;
	int r = way == FIREWALL_IN ? firewall_canonical_in(text, &s, &e) : firewall_canonical_out(text, &s, &e);
	if (r < 0)
		fail_msg("%s", ve_error_message(e));
	return s;
}

static void test_good(void **state)
{
	static const struct {
		const char *text, *canonical;
		enum firewall_way way;
	} cases[] = {
		{ "allow tcp 22,443 from 192.0.2.0/24", "allow tcp 22,443 from 192.0.2.0/24", FIREWALL_IN },
		{ "  allow\ttcp   22 ", "allow tcp 22", FIREWALL_IN },
		{ "deny udp 53 to any", "deny udp 53", FIREWALL_OUT },
		{ "allow icmp", "allow icmp", FIREWALL_IN },
		{ "allow tcp 8000-8080,1,65535", "allow tcp 8000-8080,1,65535", FIREWALL_IN },
		{ "allow tcp 80-80", "allow tcp 80", FIREWALL_IN },
		{ "allow tcp", "allow tcp", FIREWALL_IN },
		{ "allow tcp from 2001:DB8:0::/32,198.51.100.7", "allow tcp from 2001:db8::/32,198.51.100.7", FIREWALL_IN },
		{ "deny all to 10.0.0.0/8", "deny all to 10.0.0.0/8", FIREWALL_OUT },
		{ "allow all from any", "allow all", FIREWALL_IN },
		{ "deny all from 0.0.0.0/0", "deny all from 0.0.0.0/0", FIREWALL_IN },
		{ "deny all from ::/0", "deny all from ::/0", FIREWALL_IN },
		{ "deny all to 224.0.0.0/4,ff00::/8,127.0.0.1", "deny all to 224.0.0.0/4,ff00::/8,127.0.0.1", FIREWALL_OUT },
		{ "allow gre", "allow gre", FIREWALL_IN },
		{ "allow esp from 192.0.2.1", "allow esp from 192.0.2.1", FIREWALL_IN },
		{ "allow tcp 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", "allow tcp 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
		  FIREWALL_IN },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *once = canonical(cases[i].text, cases[i].way);
		assert_string_equal(once, cases[i].canonical);
		_cleanup_free_ char *twice = canonical(once, cases[i].way);
		assert_string_equal(once, twice);
	}
}

static void test_parsed(void **state)
{
	struct firewall_rule r;
	assert_int_equal(firewall_parse("deny udp 5000-6000,53 to 192.0.2.7,2001:db8::/32", FIREWALL_OUT, &r, NULL), 0);
	assert_false(r.allow);
	assert_int_equal(r.protocol, IPPROTO_UDP);
	assert_int_equal(r.n_ports, 2);
	assert_int_equal(r.ports[0].first, 5000);
	assert_int_equal(r.ports[0].last, 6000);
	assert_int_equal(r.ports[1].last, 53);
	assert_int_equal(r.n_peers, 2);
	assert_int_equal(r.peers[0].prefix, 32);
	assert_int_equal(r.peers[1].prefix, 32);
	assert_int_equal(r.peers[1].family, AF_INET6);
	assert_false(firewall_is_last(&r));
	assert_int_equal(firewall_parse("allow icmp", FIREWALL_OUT, &r, NULL), 0);
	assert_true(r.icmp && r.allow && !firewall_is_last(&r));
	assert_int_equal(firewall_parse("deny all", FIREWALL_IN, &r, NULL), 0);
	assert_true(firewall_is_last(&r));
	assert_int_equal(firewall_parse("deny all from 192.0.2.1", FIREWALL_IN, &r, NULL), 0);
	assert_false(firewall_is_last(&r));
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *where, *what;
		enum firewall_way way;
	} cases[] = {
		{ "", "column 1: ", "allow or deny", FIREWALL_IN },
		{ "permit tcp", "column 1: 'permit'", "allow nor deny", FIREWALL_IN },
		{ "Allow tcp", "column 1: 'Allow'", "allow nor deny", FIREWALL_IN },
		{ "allow", "column 6: ", "expected all, tcp", FIREWALL_IN },
		{ "allow htp 80", "column 7: 'htp'", "no protocol", FIREWALL_IN },
		{ "allow tcp 70000", "column 11: '70000'", "no port", FIREWALL_IN },
		{ "allow tcp 0", "column 11: '0'", "no port", FIREWALL_IN },
		{ "allow tcp 022", "column 11: '022'", "no port", FIREWALL_IN },
		{ "allow tcp 22,", "column 14: ", "missing", FIREWALL_IN },
		{ "allow tcp 22,,23", "column 14: ", "missing", FIREWALL_IN },
		{ "allow tcp ,22", "column 11: ", "missing", FIREWALL_IN },
		{ "allow tcp 22-", "column 14: ", "missing", FIREWALL_IN },
		{ "allow tcp 22-x", "column 14: 'x'", "no port", FIREWALL_IN },
		{ "allow tcp 30-20", "column 11: '30-20'", "before its beginning", FIREWALL_IN },
		{ "allow tcp 1-2-3", "column 13: '2-3'", "no port", FIREWALL_IN },
		{ "allow tcp 22, 443", "column 14: ", "missing", FIREWALL_IN },
		{ "allow icmp 8", "column 12: '8'", "ports are for tcp", FIREWALL_IN },
		{ "allow all 22", "column 11: '22'", "ports are for tcp", FIREWALL_IN },
		{ "allow tcp http", "column 11: 'http'", "only 'from'", FIREWALL_IN },
		{ "allow tcp 22 to 192.0.2.1", "column 14: 'to'", "firewall.out", FIREWALL_IN },
		{ "allow tcp 22 from 192.0.2.1", "column 14: 'from'", "firewall.in", FIREWALL_OUT },
		{ "allow tcp 22 from", "column 18: ", "expected addresses", FIREWALL_IN },
		{ "allow tcp 22 from 192.0.2.7/24", "column 19: '192.0.2.7/24'", "network", FIREWALL_IN },
		{ "allow tcp 22 from 192.0.2.1,x", "column 29: 'x'", "no address", FIREWALL_IN },
		{ "allow tcp 22 from any,192.0.2.1", "column 19: 'any'", "no address", FIREWALL_IN },
		{ "allow tcp 22 from 192.0.2.1,", "column 29: ", "missing", FIREWALL_IN },
		{ "allow tcp 22 from ::ffff:1.2.3.4/200", "column 19: ", "prefix length", FIREWALL_IN },
		{ "allow tcp 22 from any now", "column 23: 'now'", "more than", FIREWALL_IN },
		{ "allow tcp 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "column 50: '17'", "16", FIREWALL_IN },
		{ "allow tcp\n22", "column 7: ", "no protocol", FIREWALL_IN },
		{ "allow \x1b[31mtcp", "column 7: '\\x1B", "no protocol", FIREWALL_IN },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct firewall_rule r;
		_cleanup_err_ ve_error *e = NULL;
		if (firewall_parse(cases[i].text, cases[i].way, &r, &e) >= 0)
			fail_msg("'%s' was accepted", cases[i].text);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
		if (!strcasestr(ve_error_message(e), cases[i].where) || !strstr(ve_error_message(e), cases[i].what))
			fail_msg("'%s': %s", cases[i].text, ve_error_message(e));
		assert_null(strpbrk(ve_error_message(e), "\n\x1b"));
	}
}

/* Whatever is typed: an answer, and one spelling of what is accepted. */
static void test_any_text(void **state)
{
	static const char *const words[] = { "allow", "deny", "all", "tcp", "udp", "icmp", "22", "1-", "-9", "65535", ",",
					     "from", "to", "any", "192.0.2.1", "/", "24", "::", "/0", " ", "\t", "\xff", "a" };
	unsigned seed = 3;
	for (unsigned round = 0; round < 20000; round++) {
		_cleanup_strbuf_ struct strbuf b = { 0 };
		unsigned n = (unsigned)rand_r(&seed) % 9;
		for (unsigned i = 0; i < n; i++) {
			strbuf_add(&b, words[(unsigned)rand_r(&seed) % ARRAY_SIZE(words)]);
			if (rand_r(&seed) % 4)
				strbuf_add(&b, " ");
		}
		strbuf_add(&b, "");
		const char *text = b.data ? b.data : "";
		struct firewall_rule r, again;
		_cleanup_err_ ve_error *e = NULL;
		if (firewall_parse(text, FIREWALL_IN, &r, &e) < 0) {
			assert_non_null(e);
			continue;
		}
		_cleanup_free_ char *s = firewall_format(&r, FIREWALL_IN);
		assert_int_equal(firewall_parse(s, FIREWALL_IN, &again, NULL), 0);
		_cleanup_free_ char *t = firewall_format(&again, FIREWALL_IN);
		assert_string_equal(s, t);
	}
	_cleanup_free_ char *large = malloc(100001);
	memset(large, '1', 100000);
	large[100000] = '\0';
	struct firewall_rule r;
	assert_true(firewall_parse(large, FIREWALL_IN, &r, NULL) < 0);
}

static void make_list(const char *own, const char *presets, enum firewall_way way, struct firewall_list *l)
{
	json_t *list = json_array(), *names = json_array();
	_cleanup_strv_ char **a = strv_split(own, ";"), **b = strv_split(presets, ",");
	_cleanup_err_ ve_error *e = NULL;
	for (char **p = a; p && *p; p++)
		json_array_append_new(list, json_string(*p));
	for (char **p = b; p && *p; p++)
		json_array_append_new(names, json_string(*p));
	if (firewall_list_make(list, names, way, l, &e) < 0)
		fail_msg("%s", ve_error_message(e));
	json_decref(list);
	json_decref(names);
}

static void test_lists(void **state)
{
	static const struct {
		const char *own, *presets;
		enum firewall_way way;
		unsigned n;
		bool rest;
	} cases[] = {
		{ "", "", FIREWALL_IN, 0, true },
		{ "allow tcp 22", "", FIREWALL_IN, 1, false },
		{ "deny tcp 25", "", FIREWALL_IN, 1, true },
		{ "deny tcp 25;allow tcp", "", FIREWALL_IN, 2, false },
		{ "deny tcp 25;allow all", "", FIREWALL_IN, 1, true },
		{ "deny all", "", FIREWALL_IN, 0, false },
		{ "", "web", FIREWALL_IN, 3, false },
		{ "", "web", FIREWALL_OUT, 0, true },
		{ "", "mail-blocked", FIREWALL_OUT, 1, true },
		{ "", "none", FIREWALL_IN, 0, true },
		{ "allow tcp 8080", "web,mail-blocked", FIREWALL_IN, 4, false },
		{ "allow all", "web", FIREWALL_IN, 0, true },
		{ "allow tcp 25 to 192.0.2.25;allow all", "mail-blocked", FIREWALL_OUT, 1, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct firewall_list l;
		make_list(cases[i].own, cases[i].presets, cases[i].way, &l);
		if (l.n != cases[i].n || l.deny_rest == cases[i].rest)
			fail_msg("'%s' + '%s': %u rules, rest %d", cases[i].own, cases[i].presets, l.n, !l.deny_rest);
		firewall_list_done(&l);
	}
	assert_null(firewall_preset("wbe", FIREWALL_IN));
}

static void test_presets_parse(void **state)
{
	for (const char *const *name = firewall_preset_names; *name; name++)
		for (int way = 0; way < FIREWALL_WAYS; way++)
			for (const char *const *rule = firewall_preset(*name, way); *rule; rule++)
				free(canonical(*rule, way));
}

static void test_key(void **state)
{
	const struct schema_key *row = schema_find("firewall.in");
	json_t *list = NULL;
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(schema_parse(row, "firewall.in", "allow  tcp 22,443; allow icmp ;deny all; ", &list, NULL), 0);
	_cleanup_free_ char *text = schema_format(row, list);
	assert_string_equal(text, "allow tcp 22,443; allow icmp; deny all");
	/* What is added goes before the last word, and a last word takes the place of the other. */
	assert_int_equal(schema_list_add(row, "firewall.in", list, "allow udp  53", NULL), 1);
	assert_int_equal(schema_list_add(row, "firewall.in", list, "allow udp 53", NULL), 0);
	_cleanup_free_ char *added = schema_format(row, list);
	assert_string_equal(added, "allow tcp 22,443; allow icmp; allow udp 53; deny all");
	assert_int_equal(schema_list_add(row, "firewall.in", list, "allow all", NULL), 1);
	_cleanup_free_ char *open = schema_format(row, list);
	assert_string_equal(open, "allow tcp 22,443; allow icmp; allow udp 53; allow all");
	assert_int_equal(schema_list_remove(row, "firewall.in", list, " allow icmp", NULL), 1);
	assert_int_equal(json_array_size(list), 3);
	assert_int_equal(firewall_check_list(list, FIREWALL_IN, NULL), 0);
	json_decref(list);
	assert_int_equal(schema_parse(row, "firewall.in", "deny all; allow tcp 22", &list, NULL), 0);
	assert_true(firewall_check_list(list, FIREWALL_IN, &e) < 0);
	assert_non_null(strstr(ve_error_message(e), "firewall.in: 'deny all'"));
	json_decref(list);
	assert_true(schema_parse(row, "firewall.in", "allow tcp 22 to any", &list, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	     cmocka_unit_test(test_parsed), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_any_text),     cmocka_unit_test(test_lists),  cmocka_unit_test(test_presets_parse),
		cmocka_unit_test(test_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
